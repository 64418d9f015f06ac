"""A VN-100 as bytes: registers, commands with their errors, and both kinds of output.

Source: VN-100 user manual UM001 v2.22. It leaves the factory as a real one, with ASCII output 40 times a second. It has the
registers below, group 1 of the binary outputs without position and velocity, and one baud rate: its line's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hardware.emulators.emulator import Ticks
from hardware.emulators.faults import ImuFaults
from hardware.imu.vectornav_text import Sentences, crc16, sentence
from hardware.types import FloatArray, ImuReading

CHECKSUM, COMMAND, TOO_FEW, TOO_MANY, PARAMETER, REGISTER, READ_ONLY, BAUD = 3, 4, 5, 6, 7, 8, 9, 12
"""Codes of `$VNERR`."""

_G_M_S2 = 9.80665
_BASE_RATE_HZ = 800
_BITS_A_BYTE = 10
_IDENTITY = {1: "VN-100T-CR", 2: "8", 3: "0100045678", 4: "2.1.0.0"}
_ASCII_BYTES = {0: 0, 1: 37, 2: 54, 14: 122}
_ASCII_RATES_HZ = 1, 2, 4, 5, 10, 20, 25, 40, 50, 100, 200
_FIELD_BYTES = {0x0001: 8, 0x0008: 12, 0x0010: 16, 0x0020: 12, 0x0100: 12}


@dataclass(frozen=True)
class _Reading:
    """As the unit has it: forward-right-down in north-east-down; acceleration as felt at rest."""

    quaternion_xyzw: tuple[float, ...]
    rates_rad_s: tuple[float, ...]
    acceleration_m_s2: tuple[float, ...]

    @property
    def yaw_pitch_roll_deg(self) -> tuple[float, ...]:
        x, y, z, w = self.quaternion_xyzw
        yaw = math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))
        pitch = math.asin(max(-1.0, min(1.0, 2.0 * (w * y - x * z))))
        roll = math.atan2(2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))
        return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


@dataclass(frozen=True)
class _Output:
    """One binary output register: mode, rate divisor, fields of group 1."""

    mode: int = 0
    divisor: int = 1
    fields: int = 0

    def __str__(self) -> str:
        return f"{self.mode},{self.divisor},{1 if self.fields else 0:02X}" + (f",{self.fields:04X}" if self.fields else "")

    @property
    def is_on(self) -> bool:
        return self.fields > 0 and self.mode in (1, 3)

    @property
    def bytes_a_second(self) -> float:
        size = 6 + sum(size for bit, size in _FIELD_BYTES.items() if bit & self.fields)
        return size * _BASE_RATE_HZ / self.divisor if self.is_on else 0.0


@dataclass(frozen=True)
class _Settings:
    """What can be written, saved and restored."""

    ascii_type: int = 14
    ascii_rate_hz: int = 40
    outputs: dict[int, _Output] = field(default_factory=lambda: {75: _Output(), 76: _Output(), 77: _Output()})

    @property
    def bytes_a_second(self) -> float:
        ascii_bytes = _ASCII_BYTES[self.ascii_type] * self.ascii_rate_hz
        return ascii_bytes + sum(output.bytes_a_second for output in self.outputs.values())


class _RefusedError(Exception):
    """args: the code of `$VNERR`."""


class EmulatedVn100:
    """A Device. `imu` is looked at for each packet, in the unit's own frame: Plant.state().imu where it is mounted unturned."""

    def __init__(self, imu: Callable[[], ImuReading], faults: ImuFaults | None = None, baud: int = 115200) -> None:
        self.faults = faults or ImuFaults()
        self._imu = imu
        self._baud = baud
        self._sentences = Sentences()
        self._last: _Reading | None = None
        self._now_s = 0.0
        self._saved = self._settings = _Settings()
        self._started_s: float | None = None
        self._paused = False
        self._ticks: dict[int, Ticks] = {}

    def receive(self, data: bytes) -> list[bytes]:
        return [self._answer(fields) if intact else _error(CHECKSUM) for fields, intact in self._sentences.feed(data)]

    def unasked(self, now_s: float) -> list[bytes]:
        if self._started_s is None:
            self._started_s = self._now_s = now_s
            self._use(self._settings)
        self._now_s = now_s
        due = [register for register, ticks in self._ticks.items() if ticks.passed(now_s)]
        return [] if self._paused else [self._output(register) for register in due]

    def next_s(self) -> float:
        if self._started_s is None:
            return 0.0
        return min((ticks.due_s for ticks in self._ticks.values()), default=math.inf)

    def _restart(self) -> None:
        self._settings = self._saved
        self._started_s = None
        self._paused = False
        self._ticks = {}

    def _use(self, settings: _Settings) -> None:
        if settings.bytes_a_second * _BITS_A_BYTE > self._baud:
            raise _RefusedError(BAUD)
        rates_hz = {register: _BASE_RATE_HZ / o.divisor for register, o in settings.outputs.items() if o.is_on}
        if settings.ascii_type:
            rates_hz[6] = float(settings.ascii_rate_hz)
        self._settings = settings
        self._ticks = {register: Ticks(1.0 / rate_hz, self._now_s) for register, rate_hz in rates_hz.items()}

    # --- commands

    def _answer(self, fields: tuple[str, ...]) -> bytes:
        try:
            match fields:
                case ("VNRRG", register):
                    return sentence(f"VNRRG,{_number(register):02d},{self._register(_number(register))}")
                case ("VNWRG", register, first, *rest):
                    self._write(_number(register), [first, *rest])
                case ("VNASY", "0" | "1" as on):
                    self._paused = on == "0"
                case ("VNASY", _):
                    raise _RefusedError(PARAMETER)
                case ("VNRST",):
                    self._restart()
                case ("VNRFS",):
                    self._saved = _Settings()
                    self._restart()
                case ("VNWNV",):
                    self._saved = self._settings
                case ("VNRRG" | "VNASY", *rest):
                    raise _RefusedError(TOO_MANY if rest else TOO_FEW)
                case ("VNWRG", *_):
                    raise _RefusedError(TOO_FEW)
                case ("VNRST" | "VNRFS" | "VNWNV", *_):
                    raise _RefusedError(TOO_MANY)
                case _:
                    raise _RefusedError(COMMAND)
        except _RefusedError as refused:
            return _error(refused.args[0])
        return sentence(",".join(fields))

    def _register(self, register: int) -> str:
        match register:
            case 1 | 2 | 3 | 4:
                return _IDENTITY[register]
            case 5:
                return str(self._baud)
            case 6:
                return str(self._settings.ascii_type)
            case 7:
                return str(self._settings.ascii_rate_hz)
            case 8:
                return _decimals("+08.3f", self._reading().yaw_pitch_roll_deg)
            case 9:
                return _decimals("+09.6f", self._reading().quaternion_xyzw)
            case 75 | 76 | 77:
                return str(self._settings.outputs[register])
        raise _RefusedError(REGISTER)

    def _write(self, register: int, values: list[str]) -> None:
        settings = self._settings
        match register:
            case 5 | 6 | 7 if len(values) > 2:  # the second one is the serial port
                raise _RefusedError(TOO_MANY)
            case 5:
                _one_of((self._baud,), values[0])
            case 6:
                self._use(replace(settings, ascii_type=_one_of(tuple(_ASCII_BYTES), values[0])))
            case 7:
                self._use(replace(settings, ascii_rate_hz=_one_of(_ASCII_RATES_HZ, values[0])))
            case 75 | 76 | 77:
                self._use(replace(settings, outputs={**settings.outputs, register: _binary_output(values)}))
            case _:
                self._register(register)  # there is none, or
                raise _RefusedError(READ_ONLY)

    # --- outputs

    def _output(self, register: int) -> bytes:
        reading = self._reading()
        if register != 6:
            return self._packet(self._settings.outputs[register].fields, reading)
        ypr = _decimals("+08.3f", reading.yaw_pitch_roll_deg)
        match self._settings.ascii_type:
            case 1:
                return sentence(f"VNYPR,{ypr}")
            case 2:
                return sentence("VNQTN," + _decimals("+09.6f", reading.quaternion_xyzw))
        magnetic = _decimals("+08.4f", (0.24, 0.0, 0.43))
        inertial = _decimals("+07.3f", reading.acceleration_m_s2) + "," + _decimals("+010.6f", reading.rates_rad_s)
        return sentence(f"VNYMR,{ypr},{magnetic},{inertial}")

    def _packet(self, fields: int, reading: _Reading) -> bytes:
        parts = [b"\x01" + struct.pack("<H", fields)]
        if fields & 0x0001:
            parts.append(struct.pack("<Q", round(1e9 * (self._now_s - (self._started_s or 0.0)))))
        for bit, values in (
            (0x0008, reading.yaw_pitch_roll_deg),
            (0x0010, reading.quaternion_xyzw),
            (0x0020, reading.rates_rad_s),
            (0x0100, reading.acceleration_m_s2),
        ):
            if fields & bit:
                parts.append(struct.pack(f"<{len(values)}f", *values))
        body = b"".join(parts)
        return b"\xfa" + body + struct.pack(">H", crc16(body))

    def _reading(self) -> _Reading:
        if self._last is None or not self.faults.frozen:
            imu = self._imu()
            w, x, y, z = imu.orientation_wxyz.tolist()
            up = np.array([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)])
            # Left becomes right, up becomes down, in the body and in the world.
            rates, felt = (_right_down(v) for v in (imu.angular_velocity_rad_s, _G_M_S2 * up))
            self._last = _Reading((x, -y, -z, w), rates, felt)
        if self.faults.nan:
            return _Reading((math.nan,) * 4, (math.nan,) * 3, (math.nan,) * 3)
        return self._last


def _right_down(vector: FloatArray) -> tuple[float, ...]:
    x, y, z = vector.tolist()
    return x, -y, -z


def _binary_output(values: list[str]) -> _Output:
    """Mode, divisor, groups and a field mask for each group; only group 1 is there."""
    if len(values) < 3:
        raise _RefusedError(TOO_FEW)
    mode, divisor, group, *masks = _number(values[0]), _number(values[1]), *(_number(v, 16) for v in values[2:])
    if len(masks) != group.bit_count():
        raise _RefusedError(TOO_FEW if len(masks) < group.bit_count() else TOO_MANY)
    fields = masks[0] if masks else 0
    if mode > 3 or not 1 <= divisor <= 0xFFFF or group > 1 or fields & ~sum(_FIELD_BYTES):
        raise _RefusedError(PARAMETER)
    return _Output(mode, divisor, fields)


def _one_of(allowed: tuple[int, ...], text: str) -> int:
    if (value := _number(text)) not in allowed:
        raise _RefusedError(PARAMETER)
    return value


def _number(text: str, base: int = 10) -> int:
    try:
        value = int(text, base)
    except ValueError:
        raise _RefusedError(PARAMETER) from None
    if value < 0:
        raise _RefusedError(PARAMETER)
    return value


def _decimals(form: str, values: tuple[float, ...]) -> str:
    return ",".join(format(value, form) for value in values)


def _error(code: int) -> bytes:
    return sentence(f"VNERR,{code:02X}")
