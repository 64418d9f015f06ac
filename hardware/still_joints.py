"""StillJoints: joints whose readings stay the same to the last bit while their targets move. Says which; stops nothing itself.

What such bytes tell, and what they do not:

- *All* of a motor's reading repeats, at a torque that is no idle offset, while its target was on both sides of it: by then a
  controller's torque has another sign, be the joint free, jammed or weak. Its replies are old ones: frozen.
- The position repeats while the target moves, and that is all: the encoder is dead, or the joint is jammed or unpowered, which
  may be the hobble (12 bits on the output shaft do not see it give), or a reply froze where the target turns back. These bytes
  cannot tell: still, which is told and is no reason to stop.
- It repeats while the target stays: it stands where it should. Nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray, RobotState

_EVERY_S = 0.05  # a look costs 25 us, and a freeze is no matter of one tick
_DRAWS = 0.05  # of the joint's torque limit; less may be the offset of a current sensor


class StillJoints:
    """Looks at a robot's readings while it is moved.

    Args:
        torque_nm: the joints' limits (n,).
        after_s: so long without a change is too long.
        moved_rad: how far to both sides of a joint its target has to be, or half of how far it has to move.
        tell: is given the number of a joint that is still, and for how long, once until it moves.

    """

    def __init__(self, torque_nm: FloatArray, after_s: float, moved_rad: float, tell: Callable[[int, float], None]) -> None:
        self._draws_nm = _DRAWS * torque_nm
        self._after_s = after_s
        self._moved_rad = moved_rad
        self._tell = tell
        self._look_at_s = 0.0
        self._rows: FloatArray | None = None  # position, velocity, torque, as at the last look
        # Since then: the position alone, then the whole reply.
        self._since_s: FloatArray = np.zeros((2, torque_nm.size))
        self._low_rad, self._high_rad = self._since_s, self._since_s

    def frozen(self, state: RobotState, now_s: float, asked_rad: FloatArray | None) -> tuple[int, float] | None:
        """The first joint whose motor repeats itself, and for how long; `asked_rad` is None while nobody moves the robot."""
        if asked_rad is None:
            self._rows = None
            return None
        if self._rows is not None and now_s < self._look_at_s:
            return None
        self._look_at_s = now_s + _EVERY_S
        before, self._rows = self._rows, np.stack((state.positions_rad, state.velocities_rad_s, state.torques_nm))
        error_rad = asked_rad - state.positions_rad
        if before is None:
            self._since_s = np.full((2, error_rad.size), now_s)
            self._low_rad, self._high_rad = np.stack((error_rad, error_rad)), np.stack((error_rad, error_rad))
            self._told: NDArray[np.bool_] = np.zeros(error_rad.size, dtype=np.bool_)
            return None
        same = self._rows == before
        held = np.stack((same[0], same.all(axis=0)))
        self._since_s = np.where(held, self._since_s, now_s)
        self._low_rad = np.where(held, np.minimum(self._low_rad, error_rad), error_rad)
        self._high_rad = np.where(held, np.maximum(self._high_rad, error_rad), error_rad)
        self._told &= held[0]
        for_s = now_s - self._since_s
        if not (long := for_s >= self._after_s).any():
            return None
        still = long[0] & (self._high_rad[0] - self._low_rad[0] >= 2.0 * self._moved_rad) & ~self._told
        for k in np.flatnonzero(still).tolist():
            self._told[k] = True
            self._tell(k, float(for_s[0, k]))
        frozen = long[1] & (self._low_rad[1] <= -self._moved_rad) & (self._high_rad[1] >= self._moved_rad)
        if not (frozen := frozen & (np.abs(state.torques_nm) >= self._draws_nm)).any():
            return None
        k = int(np.argmax(frozen))
        return k, float(for_s[1, k])
