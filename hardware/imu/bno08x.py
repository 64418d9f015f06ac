"""BNO08x in UART-RVC mode: it sends yaw, pitch and roll 100 times a second and hears nothing; rates are differences.

Source: BNO08X datasheet 1000-3927 v1.17, "UART-RVC protocol" and 4 (axes: positive is counter-clockwise).
Its words put pitch about the Y axis and roll about X. Its example message says otherwise: there gravity is 20.85 deg ("roll")
about Y and -1.10 deg ("pitch") about X to a tenth of a degree, and about nothing else. The message is what a device sent:
orientation = yaw about Z, then pitch about X, then roll about Y.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np

from hardware.clock import Clock
from hardware.events import EventLog
from hardware.imu.stream import Frames, ImuStream, Sample
from hardware.serial_port import open_exclusive
from hardware.types import ImuReading, RobotError

RATE_HZ = 100
HEADER = b"\xaa\xaa"
FRAME_BYTES = 19

_FIELDS = struct.Struct("<2xB3h")
_CENTIDEGREE_RAD = math.radians(0.01)
_RANGES = 18000, 9000, 18000  # yaw, pitch, roll; 0.01 deg
_FIRST_READING_S = 2.0

Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class Bno08xConfig:
    """How a BNO08x is reached.

    Attributes:
        port: path of its serial port.
        baud: 115200 in this mode.
        stale_s: without a reading for so long it is a fault.

    Raises:
        ValueError: in a line, naming the value.

    """

    port: str
    baud: int = 115200
    stale_s: float = 0.1

    def __post_init__(self) -> None:
        if self.baud != 115200:
            raise ValueError(f"baud {self.baud}: UART-RVC is 115200 always")
        if not self.stale_s > 0.02:
            raise ValueError(f"stale_s {self.stale_s}: shorter than two readings at 100 Hz")


class Bno08x:
    """A BNO08x on a serial port, as an Imu, in the frame of its axis marks; yaw is 0 where it was at power-on."""

    def __init__(self, config: Bno08xConfig, log: EventLog, clock: Clock) -> None:
        self._config = config
        self._stream = ImuStream(config.port, RvcFrames(), log, clock, config.stale_s)

    def open(self) -> str:
        port = open_exclusive(self._config.port, self._config.baud)
        try:
            if not self._stream.start(port, _FIRST_READING_S):
                raise RobotError(
                    f"{self._config.port}: no UART-RVC frames come: is the BNO08x powered, is its pin PS0 high and PS1 low, "
                    "is its TX on this port's RX?"
                )
        except BaseException:
            self.close()
            raise
        return "BNO08x, UART-RVC (it does not say which, nor its firmware)"

    def read(self) -> ImuReading:
        return self._stream.read()

    def close(self) -> None:
        self._stream.close()


class RvcFrames:
    """Decodes frames. Rates are differences over the device's own count of frames, however late or lumped these come."""

    rates_derived = True

    def __init__(self) -> None:
        self.missing = 0
        self._frames = Frames(HEADER, FRAME_BYTES, lambda frame: sum(frame[2:-1]) & 0xFF == frame[-1])
        self._senseless = 0
        self._last: tuple[int, Quaternion] | None = None

    @property
    def damaged(self) -> int:
        return self._frames.damaged + self._senseless

    def feed(self, data: bytes) -> Sample | None:
        newest = None
        for frame in self._frames.feed(data):
            index, *angles = _FIELDS.unpack_from(frame)
            if any(abs(angle) > most for angle, most in zip(angles, _RANGES, strict=True)):
                self._senseless += 1  # eight bits of sum let one damaged frame in 256 pass
                continue
            now = _orientation(*(angle * _CENTIDEGREE_RAD for angle in angles))
            if self._last is not None:
                index_before, before = self._last
                steps = (index - index_before) % 256 or 256
                self.missing += steps - 1
                newest = np.array(now), np.array(_rotation_vector(before, now)) * (RATE_HZ / steps)
            self._last = index, now
        return newest

    def restart(self) -> None:
        self._frames.restart()
        self._last = None


def _orientation(yaw: float, pitch: float, roll: float) -> Quaternion:
    """Yaw about Z, then pitch about the new X, then roll about the new Y."""
    cy, sy, cp, sp, cr, sr = (f(angle / 2.0) for angle in (yaw, pitch, roll) for f in (math.cos, math.sin))
    return (
        cy * cp * cr - sy * sp * sr,
        cy * sp * cr - sy * cp * sr,
        cy * cp * sr + sy * sp * cr,
        cy * sp * sr + sy * cp * cr,
    )


def _rotation_vector(before: Quaternion, now: Quaternion) -> tuple[float, float, float]:
    """The shortest turn from one orientation to the next, in the body's frame (rad)."""
    a, b, c, d = before
    w, x, y, z = now
    cosine = a * w + b * x + c * y + d * z
    sines = a * x - b * w - c * z + d * y, a * y - c * w - d * x + b * z, a * z - d * w - b * y + c * x
    sine = math.hypot(*sines)
    if sine < 1e-12:
        return 0.0, 0.0, 0.0
    scale = 2.0 * math.atan2(sine, abs(cosine)) / math.copysign(sine, cosine)
    return sines[0] * scale, sines[1] * scale, sines[2] * scale
