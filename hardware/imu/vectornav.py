"""VectorNav VN-100: set up in ASCII, read as a binary stream. Its NED frames become ours here and nowhere else.

Source: VN-100 user manual UM001 v2.22: commands 5.1, binary output 4, registers 5.2.
"""

from __future__ import annotations

import contextlib
import math
import struct
import time
from dataclasses import dataclass

import numpy as np
import serial

from hardware.clock import Clock
from hardware.events import EventLog
from hardware.imu.stream import Frames, ImuStream, Sample
from hardware.imu.vectornav_text import ERRORS, Sentences, crc16, sentence
from hardware.serial_port import open_exclusive, write_all
from hardware.types import ImuReading, RobotError

BASE_RATE_HZ = 800
BAUDS = (9600, 19200, 38400, 57600, 115200, 128000, 230400, 460800, 921600)
HEADER = bytes.fromhex("FA 01 3001")
"""Output group 1 with fields 0x0130: quaternion, angular rate, acceleration; ten floats and a CRC follow."""
PACKET_BYTES = 46

_FIELDS = struct.Struct("<4x4f3f")
_UNIT_TOLERANCE = 0.02
_REPLY_S = 0.2
_TRIES = 5
_FIRST_READING_S = 2.0
_PASSING_ERRORS = {1, 2, 3, 10, 11, 255}  # of the line or the unit's past: ask again


@dataclass(frozen=True)
class VectorNavConfig:
    """How a VN-100 is reached.

    Attributes:
        port: path of its serial port.
        baud: what the unit is set to (factory: 115200).
        rate_hz: of its readings; a divisor of 800 that the baud rate has room for.
        stale_s: without a reading for so long it is a fault.

    Raises:
        ValueError: in a line, naming the value.

    """

    port: str
    baud: int = 115200
    rate_hz: int = 200
    stale_s: float = 0.05

    def __post_init__(self) -> None:
        if self.baud not in BAUDS:
            raise ValueError(f"baud {self.baud}: a VN-100 has {', '.join(map(str, BAUDS))}")
        if self.rate_hz < 1 or BASE_RATE_HZ % self.rate_hz:
            raise ValueError(f"rate_hz {self.rate_hz}: a VN-100 has divisors of {BASE_RATE_HZ} Hz, as 200, 160, 100")
        if PACKET_BYTES * 10 * self.rate_hz > self.baud:
            most = self.baud // (PACKET_BYTES * 10)
            raise ValueError(f"rate_hz {self.rate_hz}: {self.baud} baud has room for {most} readings a second")
        if not self.stale_s > 2.0 / self.rate_hz:
            raise ValueError(f"stale_s {self.stale_s}: shorter than two readings at {self.rate_hz} Hz")


class Vn100:
    """A VN-100 on a serial port, as an Imu. World: x north, y west, z up.

    What it is told is kept until its power goes: nothing is written to its flash. Its reference frame rotation (register 26)
    is taken as it is.
    """

    def __init__(self, config: VectorNavConfig, log: EventLog, clock: Clock) -> None:
        self._config = config
        self._stream = ImuStream(config.port, BinaryOutput(), log, clock, config.stale_s)

    def open(self) -> str:
        config = self._config
        port = open_exclusive(config.port, config.baud)
        try:
            identity = _set_up(_Dialogue(port, config.port), config)
            port.timeout = 0
            if not self._stream.start(port, _FIRST_READING_S):
                raise RobotError(f"{config.port}: the VN-100 was set up, yet sends no readings: is this its serial port 1?")
        except BaseException as error:
            self.close()
            port.close()
            if isinstance(error, OSError):
                raise RobotError(f"{config.port}: the IMU's port is gone: plug it in, then connect again") from None
            raise
        return identity

    def read(self) -> ImuReading:
        return self._stream.read()

    def close(self) -> None:
        self._stream.close()


class BinaryOutput:
    """Decodes the binary stream. A value that is no number or a quaternion that is no rotation makes a bad packet."""

    rates_derived = False
    missing = 0  # the unit counts nothing

    def __init__(self) -> None:
        self._frames = Frames(HEADER, PACKET_BYTES, lambda frame: crc16(frame[1:]) == 0)
        self._senseless = 0

    @property
    def damaged(self) -> int:
        return self._frames.damaged + self._senseless

    def feed(self, data: bytes) -> Sample | None:
        newest = None
        for frame in self._frames.feed(data):
            values = _FIELDS.unpack_from(frame)
            x, y, z, w = values[:4]
            norm = math.sqrt(x * x + y * y + z * z + w * w)
            if abs(norm - 1.0) < _UNIT_TOLERANCE and all(map(math.isfinite, values)):
                newest = values, norm
            else:
                self._senseless += 1
        if newest is None:
            return None
        (x, y, z, w, roll_rate, pitch_rate, yaw_rate), norm = newest
        # The unit turns forward-right-down to north-east-down; half a turn about x on both sides makes y and z change sign.
        return np.array([w, x, -y, -z]) / norm, np.array([roll_rate, -pitch_rate, -yaw_rate])

    def restart(self) -> None:
        self._frames.restart()


def _set_up(unit: _Dialogue, config: VectorNavConfig) -> str:
    """Stops what it sends, asks who it is, makes it send what is wanted."""
    if unit.ask("VNRRG,01") is None:
        raise RobotError(f"{config.port}: {_why_silent(unit, config)}")
    unit.tell("VNASY,0")
    model, hardware, number, firmware = (unit.tell(f"VNRRG,0{register}")[2] for register in (1, 2, 3, 4))
    unit.tell("VNWRG,06,0")  # ASCII output off
    for other in (76, 77):  # further binary outputs
        if unit.tell(f"VNRRG,{other}")[2] != "0":
            unit.tell(f"VNWRG,{other},0,1,00")
    unit.tell(f"VNWRG,75,1,{BASE_RATE_HZ // config.rate_hz},01,0130")
    unit.tell("VNASY,1")
    return f"{model}, hardware {hardware}, firmware {firmware}, serial number {number}"


def _why_silent(unit: _Dialogue, config: VectorNavConfig) -> str:
    for baud in sorted(set(BAUDS) - {config.baud}, reverse=True):
        with contextlib.suppress(ValueError):  # the adapter does not have every one
            unit.port.baudrate = baud
            if unit.ask("VNRRG,01", tries=1) is not None:
                return f"the VN-100 answers at {baud} baud, not {config.baud}: set baud to {baud}"
    return "no VN-100 answers, at any baud rate: is it powered, are its TX and RX crossed?"


class _Dialogue:
    """Questions and answers, while the unit may be streaming whatever it was set to before."""

    def __init__(self, port: serial.Serial, path: str) -> None:
        self.port = port
        self._path = path
        self._sentences = Sentences()

    def tell(self, command: str) -> tuple[str, ...]:
        """The fields of the answer. Raises RobotError when it is refused, or when no answer comes."""
        answer = self.ask(command)
        if answer is None:
            raise RobotError(f"{self._path}: the VN-100 no longer answers: ${command} was asked {_TRIES} times")
        return answer

    def ask(self, command: str, tries: int = _TRIES) -> tuple[str, ...] | None:
        asked = command.split(",")
        for _ in range(tries):
            write_all(self.port, sentence(command))
            until_s = time.monotonic() + _REPLY_S
            while (left_s := until_s - time.monotonic()) > 0.0:
                self.port.timeout = left_s
                data = self.port.read(1) + self.port.read(self.port.in_waiting)
                for fields in (each.fields for each in self._sentences.feed(data) if each.intact):
                    if _answers(fields, asked):
                        return fields
                    if fields[0] == "VNERR":
                        self._check(command, fields)
        return None

    def _check(self, command: str, fields: tuple[str, ...]) -> None:
        code = _number(fields[-1], 16)
        if code not in _PASSING_ERRORS:
            raise RobotError(f"{self._path}: the VN-100 refuses ${command}: {ERRORS.get(code, 'an error without a name')}")


def _answers(fields: tuple[str, ...], asked: list[str]) -> bool:
    """The same command and register or value; what was read comes with it."""
    if fields[0] != asked[0] or len(fields) < (3 if fields[0] == "VNRRG" else 2):
        return False
    return _number(fields[1], 10) == _number(asked[1], 10)


def _number(text: str, base: int) -> int:
    """-1 where it is none."""
    try:
        return int(text, base)
    except ValueError:
        return -1
