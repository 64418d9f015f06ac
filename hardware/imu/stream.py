"""What all streaming IMUs share: frames out of damaged bytes, the newest reading, and when there is none."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Protocol

import serial

from hardware.clock import Clock
from hardware.events import Event, EventLog, Severity
from hardware.types import FloatArray, ImuReading, RobotError, RobotFault

Sample = tuple[FloatArray, FloatArray]
"""Orientation (4,), unit quaternion w x y z from the unit's frame (FLU) to the world (z up); rates (3,) rad/s in that frame."""

_CHUNK = 4096
_QUIET_S = 0.001


class Decoder(Protocol):
    """Bytes in, samples out. Never raises, whatever comes; keeps less than one packet."""

    @property
    def damaged(self) -> int:
        """Packets so far that had to be thrown away."""

    @property
    def missing(self) -> int:
        """Packets so far that the device counted and that never came."""

    @property
    def rates_derived(self) -> bool: ...

    def feed(self, data: bytes) -> Sample | None:
        """The newest sample in what came, if there is one."""

    def restart(self) -> None:
        """What comes next does not follow on from what came."""


class Frames:
    """Frames of one length behind one header, out of bytes that may be damaged, cut or merged anywhere."""

    def __init__(self, header: bytes, length: int, is_intact: Callable[[bytes], bool]) -> None:
        self.damaged = 0
        self._header = header
        self._length = length
        self._is_intact = is_intact
        self.restart()

    def restart(self) -> None:
        """Bytes up to the first frame are no damage: one is cut when a port opens."""
        self._kept = bytearray()
        self._skipped = 0
        self._in_step = False

    def feed(self, data: bytes) -> list[bytes]:
        """The intact frames in what came; the rest of the last one waits for more."""
        kept, length, at = self._kept, self._length, 0
        kept += data
        frames = []
        while (begin := kept.find(self._header, at)) >= 0 and begin + length <= len(kept):
            frame = bytes(kept[begin : begin + length])
            if self._is_intact(frame):
                self._skip(begin - at)
                self._count_skipped()
                frames.append(frame)
                at = begin + length
            else:
                self._skip(begin + 1 - at)
                at = begin + 1
        end = begin if begin >= 0 else max(at, len(kept) - len(self._header) + 1)
        self._skip(end - at)
        del kept[:end]
        return frames

    def _skip(self, size: int) -> None:
        self._skipped += size
        while self._in_step and self._skipped > self._length:
            self._skipped -= self._length
            self.damaged += 1

    def _count_skipped(self) -> None:
        self.damaged += self._in_step and self._skipped > 0
        self._skipped = 0
        self._in_step = True


class ImuStream:
    """The newest reading of a stream on a serial port. NOTE events "bad packet" and "packet lost"; value: how many at once."""

    def __init__(self, path: str, decoder: Decoder, log: EventLog, clock: Clock, stale_s: float) -> None:
        self._path = path
        self._decoder = decoder
        self._log = log
        self._clock = clock
        self._stale_s = stale_s
        self._port: serial.Serial | None = None

    def start(self, port: serial.Serial, patience_s: float) -> bool:
        """From now on the port is this stream's; False when no reading comes in time."""
        self._port = port
        self._newest: ImuReading | None = None
        self._refresh(patience_s)
        self._looked_s = self._clock.now()
        return self._newest is not None

    def read(self) -> ImuReading:
        """The newest reading. Waits only where nobody has read for `stale_s`: what is in the port by then is old."""
        if self._port is None:
            raise RobotError(f"{self._path}: the IMU is not open: call open() first")
        now_s = self._clock.now()
        if now_s - self._looked_s > self._stale_s:
            self._refresh(self._stale_s)
            now_s = self._clock.now()
        else:
            self._take()
        self._looked_s = now_s
        newest = self._newest
        if newest is None or newest.time_s is None or now_s - newest.time_s > self._stale_s:
            self._decoder.restart()
            raise RobotFault(
                f"{self._path}: the IMU has sent nothing for {self._stale_s:g} s: has it power, is its cable loose?"
            )
        return newest

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _refresh(self, patience_s: float) -> None:
        """Throw away what waited in the port, then take the first reading after it."""
        until_s = time.monotonic() + patience_s
        half_s = time.monotonic() + 0.5 * patience_s
        while self._wait(_QUIET_S) and time.monotonic() < half_s:
            self._bytes()
        self._decoder.restart()
        before = self._newest
        while self._newest is before and (left_s := until_s - time.monotonic()) > 0.0:
            if self._wait(left_s):
                self._take()

    def _take(self) -> None:
        decoder = self._decoder
        damaged, missing = decoder.damaged, decoder.missing
        sample = decoder.feed(self._bytes())
        if sample is not None:
            self._newest = ImuReading(*sample, self._clock.now(), decoder.rates_derived)
        if decoder.damaged > damaged:
            self._note("bad packet", decoder.damaged - damaged)
        if decoder.missing > missing:
            self._note("packet lost", decoder.missing - missing)

    def _note(self, reason: str, count: int) -> None:
        self._log.add(Event(self._clock.now(), Severity.NOTE, reason, self._path, count, 0.0))

    def _bytes(self) -> bytes:
        if self._port is None:
            return b""
        try:
            data: bytes = self._port.read(_CHUNK)
        except OSError:
            raise RobotFault(f"{self._path}: the IMU's port is gone: plug it in, then connect again") from None
        return data

    def _wait(self, seconds: float) -> bool:
        """Whether bytes came before the time was over."""
        return self._port is not None and bool(select.select([self._port.fileno()], [], [], max(seconds, 0.0))[0])
