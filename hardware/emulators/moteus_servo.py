"""MoteusServo: one servo's registers, mode machine and console, as its firmware has them. Multiplex frames in, frames out.

No motor is in here: what the servo wants of its motor is `drive`, what it measures is given to it. Nothing raises.
Sources: docs/protocol/can.md and registers.md of the moteus repository; what the documents leave open is as in
fw/moteus_controller.cc (registers), fw/bldc_servo_control.h (modes) and micro_server.cc of mjlib (subframes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hardware.emulators.moteus_multiplex import INT32, NOT_WRITABLE, UNKNOWN_REGISTER, Scale, answer, encoded, scaled

STOPPED, FAULT, ENABLING, POSITION, TIMEOUT, ZERO_VELOCITY, BRAKE = 0, 1, 2, 10, 11, 12, 15
OVER_TEMPERATURE, UNDER_VOLTAGE = 38, 40

_EMULATED = (STOPPED, POSITION, TIMEOUT, ZERO_VELOCITY, BRAKE)
_MODES = 16
_ENABLING_S = 0.02
_DEFAULT_TIMEOUT_S = 0.1
_TIMEOUT_MAX_TORQUE_NM = 5.0
_FAULT_TEMPERATURE_C = 75.0
_LOWEST_V = 4.0
_CONSOLE = 1
_MOST_TEXT = 256
_NAN = math.nan

_PLAIN: Scale = (1.0, 1.0, 1.0)
_POSITION: Scale = (0.01, 0.0001, 0.00001)
_VELOCITY: Scale = (0.1, 0.00025, 0.00001)
_ACCELERATION: Scale = (0.05, 0.001, 0.00001)
_TORQUE: Scale = (0.5, 0.01, 0.001)
_VOLTAGE: Scale = (0.5, 0.1, 0.001)
_TEMPERATURE: Scale = (1.0, 0.1, 0.001)
_SHARE: Scale = (1 / 127, 1 / 32767, 1 / 2147483647)
_TIME: Scale = (0.01, 0.001, 0.000001)

_MEASURED: dict[int, Scale] = {
    0x000: _PLAIN, 0x001: _POSITION, 0x002: _VELOCITY, 0x003: _TORQUE, 0x004: _TEMPERATURE, 0x005: _TEMPERATURE,
    0x006: _POSITION, 0x007: (10.0, 0.05, 0.0001), 0x00A: _TEMPERATURE, 0x00B: _PLAIN, 0x00C: _PLAIN, 0x00D: _VOLTAGE,
    0x00E: _TEMPERATURE, 0x00F: _PLAIN,
}  # fmt: skip
# What a command has for a register that it leaves out.
_COMMAND: dict[int, tuple[Scale, float]] = {
    0x020: (_POSITION, 0.0), 0x021: (_VELOCITY, 0.0), 0x022: (_TORQUE, 0.0), 0x023: (_SHARE, 1.0), 0x024: (_SHARE, 1.0),
    0x025: (_TORQUE, _NAN), 0x026: (_POSITION, _NAN), 0x027: (_TIME, 0.0), 0x028: (_VELOCITY, _NAN),
    0x029: (_ACCELERATION, _NAN), 0x02A: (_VOLTAGE, _NAN), 0x02B: (_SHARE, 1.0), 0x02C: (_TEMPERATURE, _NAN),
    0x02D: (_PLAIN, 0.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """At the servo's output."""

    position_rev: float = 0.0
    velocity_rev_s: float = 0.0
    torque_nm: float = 0.0
    voltage_v: float = 24.0
    temperature_c: float = 25.0


@dataclass(frozen=True, slots=True)
class Drive:
    """What the motor is to do: shares of the servo's gains about a position; `max_torque_nm` NaN for all it has."""

    position_rev: float
    velocity_rev_s: float
    torque_nm: float
    kp_share: float
    kd_share: float
    max_torque_nm: float


_LIMP = Drive(0.0, 0.0, 0.0, 0.0, 0.0, math.nan)


class MoteusServo:
    """One servo. `now_s` is any clock's, always the same one.

    Args:
        console: the configuration values that `conf get` tells, by name.

    """

    def __init__(self, device_id: int, console: dict[str, float]) -> None:
        self._identity = {
            0x100: 0, 0x101: 0x010100, 0x102: 5, 0x120: 0x4D4F5445 + device_id, 0x121: 0x5553, 0x122: device_id,
            0x150: device_id, 0x151: 1, 0x152: 2, 0x153: 3,
        }  # fmt: skip
        self.console = console
        self._typed = b""
        self._said = b""
        self.mode = STOPPED
        self.fault = 0
        self.measured = Measured()
        self._command = {register: default for register, (_, default) in _COMMAND.items()}
        self._held_rev = 0.0
        self._commanded_s = self._ready_s = 0.0
        self._next_mode = STOPPED
        self._watchdog_s = math.inf
        self._new: dict[int, float] | None = None

    def changes_s(self) -> float:
        """When it will go on by itself: started, or its watchdog tripped; infinite when it will not."""
        if self.mode == ENABLING:
            return self._ready_s
        return self._commanded_s + self._watchdog_s if self.mode == POSITION else math.inf

    def advance(self, now_s: float, measured: Measured, fault: int) -> None:
        """Time passed and the world was measured; `fault` is what breaks now, 0 for nothing."""
        self.measured = measured
        if self.mode == ENABLING and now_s >= self._ready_s:
            self.mode = self._next_mode
            self._commanded_s = now_s
        if self.mode not in (STOPPED, FAULT) and not fault:
            fault = OVER_TEMPERATURE if measured.temperature_c > _FAULT_TEMPERATURE_C else 0
            fault = UNDER_VOLTAGE if measured.voltage_v < _LOWEST_V else fault
        if fault:
            self.mode, self.fault = FAULT, fault
        if self.mode == POSITION and now_s >= self.changes_s():
            self.mode = TIMEOUT

    def lose_power(self) -> None:
        self.mode, self.fault = STOPPED, 0

    def drive(self, now_s: float) -> Drive:
        if self.mode == POSITION:
            velocity = _number(self._command[0x021])
            position = self._held_rev + velocity * (now_s - self._commanded_s)
            return Drive(
                position, velocity, _number(self._command[0x022]), max(_number(self._command[0x023]), 0.0),
                max(_number(self._command[0x024]), 0.0), self._command[0x025],
            )  # fmt: skip
        if self.mode in (TIMEOUT, ZERO_VELOCITY, BRAKE):
            share = max(_number(self._command[0x024]), 0.0)
            return Drive(0.0, 0.0, 0.0, 0.0, 1.0 if self.mode == BRAKE else share, _TIMEOUT_MAX_TORQUE_NM)
        return _LIMP

    def receive(self, frame: bytes, now_s: float) -> bytes:
        """What it answers, if it is asked to. What is read in a frame is as it was before the frame's command."""
        self._new = None
        reply = answer(frame, self)
        if self._new is not None:
            self._obey(self._new, now_s)
        return reply

    def write(self, register: int, kind: int, raw: float) -> int:
        if register == 0x000:
            if not 0 <= raw < _MODES:
                return UNKNOWN_REGISTER
            self._new = {register: raw}  # forgets what was said before
        elif register in _COMMAND:
            if self._new is not None:
                self._new[register] = scaled(raw, kind, _COMMAND[register][0])
        else:
            return NOT_WRITABLE if register in _MEASURED or register in self._identity else UNKNOWN_REGISTER
        return 0

    def read(self, register: int, kind: int) -> bytes | None:
        if register in _COMMAND:
            return encoded(self._command[register], kind, _COMMAND[register][0])
        if register in _MEASURED:
            return encoded(self._measurement(register), kind, _MEASURED[register])
        if register in self._identity and kind == INT32:
            return encoded(self._identity[register], kind, _PLAIN)
        return None

    def hear(self, channel: int, text: bytes) -> bool:
        if channel != _CONSOLE:
            return False
        *lines, self._typed = (self._typed + text).replace(b"\r", b"\n").split(b"\n")
        self._typed = self._typed[-_MOST_TEXT:]
        for line in filter(None, lines):
            self._said = (self._said + self._console_says(line) + b"\r\n")[-_MOST_TEXT:]
        return True

    def say(self, channel: int, most: int) -> bytes | None:
        if channel != _CONSOLE:
            return None
        said, self._said = self._said[:most], self._said[most:]
        return said

    def _console_says(self, line: bytes) -> bytes:
        words = line.decode("latin1").split()
        if words[:2] == ["conf", "get"] and len(words) == 3:
            value = self.console.get(words[2])
            return b"ERR error reading" if value is None else b"%f" % value
        return b"ERR unknown command"

    def _obey(self, command: dict[int, float], now_s: float) -> None:
        mode = int(command[0x000])
        if mode not in _EMULATED:
            return
        self._command = {register: command.get(register, default) for register, (_, default) in _COMMAND.items()}
        if mode == STOPPED:
            self.mode, self.fault = STOPPED, 0
            return
        if self.mode in (FAULT, TIMEOUT):
            return  # until stopped
        if self.mode in (STOPPED, ENABLING):
            self._ready_s = now_s + _ENABLING_S if self.mode == STOPPED else self._ready_s
            self.mode, self._next_mode = ENABLING, mode
        else:
            self.mode = mode
        position = self._command[0x020]
        self._held_rev = position if math.isfinite(position) else self.measured.position_rev
        timeout = self._command[0x027]
        self._watchdog_s = math.inf if math.isnan(timeout) else (timeout or _DEFAULT_TIMEOUT_S)
        self._commanded_s = now_s

    def _measurement(self, register: int) -> float:
        now = self.measured
        return {
            0x000: self.mode, 0x001: now.position_rev, 0x002: now.velocity_rev_s, 0x003: now.torque_nm,
            0x006: now.position_rev, 0x007: now.torque_nm * now.velocity_rev_s * math.tau, 0x00B: 1.0, 0x00C: 1.0,
            0x00D: now.voltage_v, 0x00E: now.temperature_c, 0x00F: self.fault if self.mode == FAULT else 0.0,
        }.get(register, 0.0)  # fmt: skip


def _number(value: float, default: float = 0.0) -> float:
    return value if math.isfinite(value) else default
