"""A VN-100 as bytes: registers, commands with their errors, and both kinds of output.

Source: VN-100 user manual UM001 v2.22. It leaves the factory as a real one, with ASCII output 40 times a second. It has the
registers below, group 1 of the binary outputs without position and velocity, and one baud rate: its line's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware.emulators.emulator import Ticks
from hardware.emulators.faults import ImuFaults
from hardware.emulators.vectornav_settings import (
    ASCII_BYTES,
    ASCII_RATES_HZ,
    BAUD,
    CHECKSUM,
    COMMAND,
    PARAMETER,
    READ_ONLY,
    REGISTER,
    TOO_FEW,
    TOO_MANY,
    RefusedError,
    Settings,
    binary_output,
    number,
    one_of,
)
from hardware.imu.vectornav_text import Sentences, crc16, sentence
from hardware.types import FloatArray, ImuReading

_G_M_S2 = 9.80665
_MOST = 1e9  # of what any physics say; a float of four bytes has room for it
_IDENTITY = {1: "VN-100T-CR", 2: "8", 3: "0100045678", 4: "2.1.0.0"}


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


class EmulatedVn100:
    """A Device. `imu` is looked at for each packet, in the unit's own frame: Plant.state().imu where it is mounted unturned."""

    def __init__(self, imu: Callable[[], ImuReading], faults: ImuFaults | None = None, baud: int = 115200) -> None:
        self.faults = faults or ImuFaults()
        self._imu = imu
        self._baud = baud
        self._sentences = Sentences()
        self._last: _Reading | None = None
        self._now_s = 0.0
        self._saved = self._settings = Settings()
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

    def _change(self, settings: Settings) -> None:
        if not settings.has_room(self._baud):
            raise RefusedError(BAUD)
        self._use(settings)

    def _use(self, settings: Settings) -> None:
        self._settings = settings
        self._ticks = {register: Ticks(1.0 / rate_hz, self._now_s) for register, rate_hz in settings.rates_hz.items()}

    # --- commands

    def _answer(self, fields: tuple[str, ...]) -> bytes:
        try:
            match fields:
                case ("VNRRG", register):
                    return sentence(f"VNRRG,{number(register):02d},{self._register(number(register))}")
                case ("VNWRG", register, first, *rest):
                    self._write(number(register), [first, *rest])
                case ("VNASY", "0" | "1" as on):
                    self._paused = on == "0"
                case ("VNASY", _):
                    raise RefusedError(PARAMETER)
                case ("VNRST",):
                    self._restart()
                case ("VNRFS",):
                    self._saved = Settings()
                    self._restart()
                case ("VNWNV",):
                    self._saved = self._settings
                case ("VNRRG" | "VNASY", *rest):
                    raise RefusedError(TOO_MANY if rest else TOO_FEW)
                case ("VNWRG", *_):
                    raise RefusedError(TOO_FEW)
                case ("VNRST" | "VNRFS" | "VNWNV", *_):
                    raise RefusedError(TOO_MANY)
                case _:
                    raise RefusedError(COMMAND)
        except RefusedError as refused:
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
        raise RefusedError(REGISTER)

    def _write(self, register: int, values: list[str]) -> None:
        settings = self._settings
        match register:
            case 5 | 6 | 7 if len(values) > 2:  # the second one is the serial port
                raise RefusedError(TOO_MANY)
            case 5:
                one_of((self._baud,), values[0])
            case 6:
                self._change(replace(settings, ascii_type=one_of(tuple(ASCII_BYTES), values[0])))
            case 7:
                self._change(replace(settings, ascii_rate_hz=one_of(ASCII_RATES_HZ, values[0])))
            case 75 | 76 | 77:
                self._change(replace(settings, outputs={**settings.outputs, register: binary_output(values)}))
            case _:
                self._register(register)  # there is none, or
                raise RefusedError(READ_ONLY)

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
    x, y, z = np.clip(vector, -_MOST, _MOST).tolist()
    return x, -y, -z


def _decimals(form: str, values: tuple[float, ...]) -> str:
    return ",".join(format(value, form) for value in values)


def _error(code: int) -> bytes:
    return sentence(f"VNERR,{code:02X}")
