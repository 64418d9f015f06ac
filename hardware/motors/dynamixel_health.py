"""Health: what a Dynamixel tells beside its position, asked of one motor at a time; no I/O here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel_models import Register
from hardware.motors.dynamixel_units import VOLTAGE_UNIT_V, WATCHDOG_TRIPPED, error_words

HEALTH_FROM = registers.TORQUE_ENABLE.address
HEALTH_BYTES = registers.PRESENT_TEMPERATURE.address + registers.PRESENT_TEMPERATURE.size - HEALTH_FROM


class HealthBlock:
    """The registers from Torque Enable to Present Temperature, as read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __getitem__(self, register: Register) -> int:
        at = register.address - HEALTH_FROM
        return int.from_bytes(self._data[at : at + register.size], "little")

    @property
    def tripped(self) -> bool:
        return self[registers.BUS_WATCHDOG] == WATCHDOG_TRIPPED


class Health:
    """The newest known of each motor, and whom to ask next: those with a reason first, then each once in a period.

    Attributes:
        armed: from now on a motor without torque is an error: it rebooted, or shut itself down.

    """

    def __init__(self, joint_names: Sequence[str], period_s: float, now_s: float) -> None:
        n = len(joint_names)
        self.armed = False
        self.voltages_v = np.full(n, np.nan)
        self.temperatures_c = np.full(n, np.nan)
        self.error_bits = [0] * n
        self._joints = tuple(joint_names)
        self._alerts = [False] * n
        self._limp = [False] * n
        self._wanted: dict[int, None] = {}
        self._step_s = period_s / n
        self._next_s = now_s
        self._next = 0

    def due(self, now_s: float) -> int | None:
        """The motor to be asked now, if any."""
        if self._wanted:
            return next(iter(self._wanted))
        if now_s < self._next_s:
            return None
        self._next_s = now_s + self._step_s
        self._next = (self._next + 1) % len(self._joints)
        return self._next

    def want(self, motor: int) -> None:
        self._wanted[motor] = None

    def heard(self, motor: int, is_alert: bool, was_lost: bool) -> None:
        """The motor's newest status packet; an alert that came or went, or a silence that ended, is a reason to ask it."""
        if is_alert != self._alerts[motor] or was_lost:
            self._alerts[motor] = is_alert
            self.want(motor)  # perhaps it heard nothing either, and its watchdog has tripped

    def take(self, motor: int, block: HealthBlock) -> None:
        self._wanted.pop(motor, None)
        self.voltages_v[motor] = block[registers.PRESENT_INPUT_VOLTAGE] * VOLTAGE_UNIT_V
        self.temperatures_c[motor] = block[registers.PRESENT_TEMPERATURE]
        self.error_bits[motor] = block[registers.HARDWARE_ERROR_STATUS]
        self._limp[motor] = self.armed and not block[registers.TORQUE_ENABLE]

    def errors(self) -> dict[str, str]:
        """What motors report of themselves, in words, by joint name."""
        if not (any(self.error_bits) or any(self._alerts) or any(self._limp)):
            return {}  # as nearly always
        found = {}
        for motor, joint in enumerate(self._joints):
            words = [error_words(self.error_bits[motor])] if self.error_bits[motor] else []
            if self._alerts[motor] and not words:
                words.append("hardware alert")
            if self._limp[motor] and self.armed:
                words.append("torque is off")
            if words:
                found[joint] = "; ".join(words)
        return found
