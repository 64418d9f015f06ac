"""ServoStates: what a bus of moteus servos was last heard to be, row by row, and who was lost since when."""

from __future__ import annotations

import math

import numpy as np

from hardware.motors.bus import MotorReadings
from hardware.motors.moteus_frames import FAULT, FAULTS, POSITION, STOPPED, ZERO_VELOCITY, ServoStatus
from hardware.types import FloatArray

# No joint of a legged robot is faster. CRC-8 lets one in 256 badly damaged lines pass: what cannot be is damaged too.
_FASTEST_RAD_S = 100.0
_SLACK_RAD = 0.1
_PAUSE_S = 0.1  # between two readings; what is longer is a pause of the host


class ServoStates:
    """Rows (n,) in the order of the joints.

    Attributes:
        modes: register 0x000, -1 before anything was heard.
        lost_in_a_row: replies.
        restarted: rows of servos that were running, and stopped without being told to.

    """

    def __init__(self, joints: tuple[str, ...], rad_per_rev: FloatArray) -> None:
        n = len(joints)
        self._joints = joints
        self._rad_per_rev = rad_per_rev.tolist()
        self.positions_rad, self._velocities_rad_s, self._torques_nm = np.full(n, math.nan), np.zeros(n), np.zeros(n)
        self._voltages_v, self._temperatures_c = np.full(n, math.nan), np.full(n, math.nan)
        self.heard = np.zeros(n, dtype=np.bool_)
        self.modes = [-1] * n
        self.lost_in_a_row = [0] * n
        self.restarted: set[int] = set()
        self._faults = [0] * n
        self._heard_at_s = [-math.inf] * n
        self._lost_at_s, self._silent_s = [-math.inf] * n, [0.0] * n
        self._runs = [False] * n

    def hear(self, k: int, status: ServoStatus, now_s: float) -> bool:
        """Takes a row over; False, and nothing taken, when it cannot be."""
        rad = self._rad_per_rev[k]
        position_rad, velocity_rad_s = status.position_rev * rad, status.velocity_rev_s * rad
        reach_rad = _SLACK_RAD + _FASTEST_RAD_S * (now_s - self._heard_at_s[k])
        if abs(position_rad - self.positions_rad[k]) > reach_rad or abs(velocity_rad_s) > _FASTEST_RAD_S:
            return False
        self.positions_rad[k], self._velocities_rad_s[k] = position_rad, velocity_rad_s
        self._torques_nm[k] = status.torque_nm * math.tau / rad
        self._voltages_v[k], self._temperatures_c[k] = status.voltage_v, status.temperature_c
        self.heard[k], self.lost_in_a_row[k] = True, 0
        self._heard_at_s[k], self._silent_s[k] = now_s, 0.0
        self.modes[k], self._faults[k] = status.mode, status.fault
        if status.mode == STOPPED and self._runs[k]:
            self.restarted.add(k)
        if status.mode in (STOPPED, POSITION, ZERO_VELOCITY):  # in fault, or timed out, it has its count still
            self._runs[k] = status.mode != STOPPED
        return True

    def lose(self, k: int, now_s: float) -> None:
        if self.lost_in_a_row[k]:
            self._silent_s[k] += min(now_s - self._lost_at_s[k], _PAUSE_S)
        self.heard[k] = False
        self.lost_in_a_row[k] += 1
        self._lost_at_s[k] = now_s

    def may_stop(self, k: int) -> None:
        """It was told to: from now on it is no wonder."""
        self._runs[k] = False

    def silence_s(self, k: int) -> float:
        """Since its first lost reply of those in a row, of the time in which the host asked: a pause of its own is none."""
        return self._silent_s[k]

    def in_mode(self, *modes: int) -> list[int]:
        return [k for k, mode in enumerate(self.modes) if mode in modes]

    def fault(self, k: int) -> str:
        return FAULTS.get(self._faults[k], f"fault {self._faults[k]}")

    def readings(self) -> MotorReadings:
        errors = {self._joints[k]: self.fault(k) for k in self.in_mode(FAULT)}
        errors |= {self._joints[k]: "stopped by itself: without power, or by another program" for k in self.restarted}
        return MotorReadings(
            self.positions_rad.copy(), self._velocities_rad_s.copy(), self._torques_nm.copy(), self.heard.copy(),
            self._voltages_v.copy(), self._temperatures_c.copy(), errors,
        )  # fmt: skip
