"""CommandLimiter: any finite command in, one that the limits allow out. Arithmetic only: no robot, no clock, no latch.

Position, velocity and feed-forward torque are clipped; then a position target to what it can reach from the previous one; then
the joint's torque, as the law kp (q* - q) + kd (dq* - dq) + tau would ask for it at the measured q and dq. To lower that, the
target is first drawn towards the measured position, which every motor understands; what is left, where the target may not
move that fast or there is no stiffness, comes off the gains and the feed-forward.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.limits import SafetyLimits
from hardware.spec import RobotSpec
from hardware.types import FloatArray, JointCommand, RobotFault, RobotState

Report = Callable[[str, str, float, float], None]
"""Is told reason, joint (or robot), value and limit of what was changed."""

_SOFT_NM_PER_RAD = 1e-6  # below this stiffness, where the target is does not matter
_ROUNDING = 1e-12


def rows_of(command: JointCommand, spec: RobotSpec) -> FloatArray:
    """The command as rows (5, n), in the order of its fields.

    Raises RobotFault when it is anything but finite numbers for the joints of this robot, whatever it is made of.
    """
    try:
        rows = np.array(command.rows)
    except (AttributeError, TypeError, ValueError):
        raise _refusal(command, spec) from None
    if rows.shape != (5, len(spec.joints)) or not np.can_cast(rows.dtype, np.float64) or not np.isfinite(rows).all():
        raise _refusal(command, spec)
    return rows.astype(np.float64, copy=False)


def _refusal(command: JointCommand, spec: RobotSpec) -> RobotFault:
    words = None
    if all(isinstance(row, np.ndarray) and np.can_cast(row.dtype, np.float64) for row in getattr(command, "rows", (None,))):
        words = command.bad_entry(spec.joint_names)
    return RobotFault(f"{spec.name}: command refused: {words or 'it is not made of arrays of real numbers'}")


class CommandLimiter:
    """Commands are rows (5, n) as in JointCommand. Reports "position", "velocity", "gain", "slew", "torque", "power"."""

    def __init__(self, spec: RobotSpec, limits: SafetyLimits, report: Report) -> None:
        lower, upper = spec.limits_rad
        self._spec = spec
        self._report = report
        self._slew_rad = np.array([joint.slew_rad for joint in limits.joints])
        self._velocity_rad_s = np.array([joint.velocity_rad_s for joint in limits.joints])
        self._torque_nm = np.array([joint.torque_nm for joint in limits.joints])
        self._power_w = limits.power_w
        kp = np.array([joint.kp_nm_per_rad for joint in limits.joints])
        kd = np.array([joint.kd_nm_s_per_rad for joint in limits.joints])
        none = np.zeros_like(kp)
        self._low = np.stack([lower, -self._velocity_rad_s, -self._torque_nm, none, none])
        self._high = np.stack([upper, self._velocity_rad_s, self._torque_nm, kp, kd])

    def in_position_limits(self, positions_rad: FloatArray) -> FloatArray:
        inside: FloatArray = np.minimum(np.maximum(positions_rad, self._low[0]), self._high[0])
        return inside

    def limited(self, asked: FloatArray, previous_rad: FloatArray, elapsed_s: float, state: RobotState) -> FloatArray:
        """What may be sent (5, n).

        Args:
            asked: finite rows (5, n).
            previous_rad: position targets (n,) of the previous command, within the position limits.
            elapsed_s: time since then.
            state: what torque and power are computed at.

        """
        sent: FloatArray = np.minimum(np.maximum(asked, self._low), self._high)
        if (sent != asked).any():
            self._tell_clipped(asked, sent)
        reach = np.minimum(self._slew_rad, self._velocity_rad_s * elapsed_s)
        low, high = np.maximum(previous_rad - reach, self._low[0]), np.minimum(previous_rad + reach, self._high[0])
        wanted = sent[0].copy()
        np.minimum(np.maximum(wanted, low), high, out=sent[0])
        if (far := np.abs(wanted - sent[0]) > _ROUNDING).any():
            self._tell("slew", far, np.abs(wanted - previous_rad), reach)
        self._limit_torque(sent, low, high, state)
        return sent

    def _limit_torque(self, sent: FloatArray, low: FloatArray, high: FloatArray, state: RobotState) -> None:
        torques = _torques(sent, state.positions_rad, state.velocities_rad_s)
        magnitudes = np.abs(torques)
        allowed = np.minimum(magnitudes, self._torque_nm)
        power_w = float(allowed @ np.abs(state.velocities_rad_s))
        if (over := magnitudes > self._torque_nm).any():
            self._tell("torque", over, magnitudes, self._torque_nm)
        elif power_w <= self._power_w:
            return  # as nearly always
        if power_w > self._power_w:
            self._report("power", self._spec.name, power_w, self._power_w)
            allowed *= self._power_w / power_w
        over = magnitudes > allowed
        sent[:, over] = _weaker(
            sent[:, over], state.positions_rad[over], state.velocities_rad_s[over], allowed[over], low[over], high[over]
        )

    def _tell_clipped(self, asked: FloatArray, sent: FloatArray) -> None:
        for row, joint in zip(*np.nonzero(sent != asked), strict=True):
            reason = ("position", "velocity", "torque", "gain", "gain")[row]
            self._report(reason, self._spec.joint_names[joint], float(asked[row, joint]), float(sent[row, joint]))

    def _tell(self, reason: str, where: NDArray[np.bool_], values: FloatArray, limits: FloatArray) -> None:
        for joint in np.flatnonzero(where):
            self._report(reason, self._spec.joint_names[joint], float(values[joint]), float(limits[joint]))


def _torques(rows: FloatArray, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> FloatArray:
    q, dq, tau, kp, kd = rows
    torques: FloatArray = kp * (q - positions_rad) + kd * (dq - velocities_rad_s) + tau
    return torques


def _weaker(
    rows: FloatArray, positions_rad: FloatArray, velocities_rad_s: FloatArray,
    allowed_nm: FloatArray, low_rad: FloatArray, high_rad: FloatArray,
) -> FloatArray:  # fmt: skip
    """Rows (5, m) with torques of at most `allowed_nm` and targets between low and high."""
    rows = rows.copy()
    q, dq, tau, kp, kd = rows
    rest = kd * (dq - velocities_rad_s) + tau
    share = _share(rest, allowed_nm)
    rows[[2, 4]] *= share
    rest *= share
    stiff = kp > _SOFT_NM_PER_RAD
    softness = np.divide(1.0, kp, out=np.zeros_like(kp), where=stiff)
    # With the rest within what is allowed, this interval holds the measured position: the target goes towards it, not past it.
    drawn = np.minimum(
        np.maximum(q, positions_rad - (allowed_nm + rest) * softness), positions_rad + (allowed_nm - rest) * softness
    )
    q[:] = np.where(stiff, np.minimum(np.maximum(drawn, low_rad), high_rad), q)
    rows[2:] *= _share(_torques(rows, positions_rad, velocities_rad_s), allowed_nm)
    return rows


def _share(torques: FloatArray, allowed_nm: FloatArray) -> FloatArray:
    """How much of each torque is allowed, 0 to 1; gains that only rounding would change stay the same to the last bit."""
    magnitudes = np.abs(torques)
    share: FloatArray = np.divide(
        allowed_nm, magnitudes, out=np.ones_like(magnitudes), where=magnitudes > allowed_nm * (1.0 + _ROUNDING)
    )
    return share
