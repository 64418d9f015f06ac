"""A BNO08x in UART-RVC mode, as bytes. Says what the unit would; hears nothing. Source: as hardware.imu.bno08x."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np

from hardware.emulators.emulator import Ticks
from hardware.emulators.faults import ImuFaults
from hardware.types import FloatArray, ImuReading

_PERIOD_S = 0.01


class EmulatedBno08x:
    """A Device. `imu` is looked at for each frame, in the unit's own frame: Plant.state().imu where it is mounted unturned."""

    def __init__(self, imu: Callable[[], ImuReading], faults: ImuFaults | None = None) -> None:
        self.faults = faults or ImuFaults()
        self._imu = imu
        self._frozen: bytes | None = None
        self._index = 0
        self._ticks: Ticks | None = None

    def receive(self, data: bytes) -> list[bytes]:
        """It hears nothing."""
        return []

    def unasked(self, now_s: float) -> list[bytes]:
        if self._ticks is None:
            self._ticks = Ticks(_PERIOD_S, now_s)
        passed = self._ticks.passed(now_s)
        if not passed:
            return []
        self._index = (self._index + passed) % 256
        values = self._frozen if self._frozen is not None and self.faults.frozen else self._values()
        self._frozen = values
        return [frame(self._index, values)]

    def next_s(self) -> float:
        return 0.0 if self._ticks is None else self._ticks.due_s

    def _values(self) -> bytes:
        """Yaw about Z, then pitch about X, then roll about Y, which make the orientation; then gravity, in mg."""
        orientation = self._imu().orientation_wxyz
        if not np.isfinite(orientation).all():
            return self._frozen or bytes(15)  # the format has no way to say so
        turn = rotation(orientation)
        pitch = math.asin(max(-1.0, min(1.0, turn[2, 1])))
        if abs(turn[2, 1]) < 1.0 - 1e-10:
            yaw, roll = math.atan2(-turn[0, 1], turn[1, 1]), math.atan2(-turn[2, 0], turn[2, 2])
        else:  # the Y axis is up or down: yaw and roll are one
            yaw, roll = math.atan2(turn[1, 0], turn[0, 0]), 0.0
        angles = (round(100.0 * math.degrees(angle)) for angle in (yaw, pitch, roll))
        return struct.pack("<6h3x", *angles, *(round(1000.0 * up) for up in turn[2]))


def frame(index: int, values: bytes) -> bytes:
    """Header, index, 15 bytes of values and the sum of all but the header."""
    return b"\xaa\xaa" + (counted := bytes([index]) + values) + bytes([sum(counted) & 0xFF])


def rotation(orientation_wxyz: FloatArray) -> FloatArray:
    """The matrix (3, 3) of a unit quaternion; its last row is the world's up in the unit's frame."""
    w, x, y, z = orientation_wxyz.tolist()
    return np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    )
