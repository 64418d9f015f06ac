"""Present: where the motors are, how fast, with what effort; who was not heard, and since when. No I/O here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel_link import Reply
from hardware.motors.dynamixel_units import COUNTS_A_RAD, ZERO_COUNT
from hardware.types import FloatArray

PRESENT_FROM = registers.PRESENT_CURRENT.address
_ROW = np.dtype([("effort", "<i2"), ("velocity", "<i4"), ("position", "<i4")])
PRESENT_BYTES = _ROW.itemsize
_PAUSE_S = 0.1  # between two readings; what is longer is a pause


class Present:
    """Rows in the order of the ids; a row not heard keeps what it was.

    Args:
        effort_nm: (n,) the torque of one unit of Present Current or Present Load.

    Attributes:
        lost: (n,) replies lost in a row.
        silent_s: (n,) how long they have been lost, of the time in which the host asked: a pause of its own is no silence.

    """

    def __init__(self, device_ids: Sequence[int], effort_nm: FloatArray) -> None:
        n = len(device_ids)
        self._ids = tuple(device_ids)
        self._effort_nm = effort_nm
        self.counts: NDArray[np.int64] = np.full(n, ZERO_COUNT, np.int64)
        self.velocities_rad_s: FloatArray = np.zeros(n)
        self.torques_nm: FloatArray = np.zeros(n)
        self.lost = np.zeros(n, np.int64)
        self.silent_s = np.zeros(n)
        self._taken_s = -math.inf

    @property
    def positions_rad(self) -> FloatArray:
        angles: FloatArray = (self.counts - ZERO_COUNT) / COUNTS_A_RAD
        return angles

    def take(self, replies: Mapping[int, Reply], now_s: float) -> NDArray[np.bool_]:
        """Who was heard (n,)."""
        asked_s, self._taken_s = min(now_s - self._taken_s, _PAUSE_S), now_s
        if len(replies) == len(self._ids):
            rows = np.frombuffer(b"".join([replies[device_id].data for device_id in self._ids]), _ROW)
            self.counts = rows["position"].astype(np.int64)
            self.velocities_rad_s = rows["velocity"] * registers.VELOCITY_UNIT_RAD_S
            self.torques_nm = rows["effort"] * self._effort_nm
            self.lost[:] = 0
            self.silent_s[:] = 0.0
            return np.ones(len(self._ids), np.bool_)
        heard = np.array([device_id in replies for device_id in self._ids])
        rows = np.frombuffer(b"".join([replies[i].data for i in self._ids if i in replies]), _ROW)
        self.counts[heard] = rows["position"]
        self.velocities_rad_s[heard] = rows["velocity"] * registers.VELOCITY_UNIT_RAD_S
        self.torques_nm[heard] = rows["effort"] * self._effort_nm[heard]
        self.silent_s += np.where(self.lost > 0, asked_s, 0.0)
        self.lost += 1
        self.lost[heard] = 0
        self.silent_s[heard] = 0.0
        return heard
