"""Line: a serial cable on a pseudo-terminal, seen from the device. Takes byte time, as no pty does; breaks on command."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import tempfile
import termios
import time
import tty
from collections import deque
from pathlib import Path

from hardware.emulators.faults import LineFaults

_BITS_A_BYTE = 10  # 8N1
_READ_BYTES = 4096
_BACKLOG_S = 0.5
_LOOK_UNPLUGGED_S = 0.005
_SPEEDS: dict[int, int] = {int(n[1:]): value for n, value in vars(termios).items() if n[0] == "B" and n[1:].isdigit()}
_BAUDS = {speed: baud for baud, speed in _SPEEDS.items()}


class Line:
    """One cable; the host opens `path`, a symbolic link that is the same again after the cable was out.

    Each direction takes its own time; a half-duplex bus comes out right as its devices answer after the last byte of a request.
    A host at another baud rate hears and says noise. Pulled out, the host has what a USB adapter gives it: reads and writes
    fail, the path is gone, and once it is back it must be opened anew. One thread uses a line; `faults` may be set by any.

    Args:
        baud: how fast bytes go; None takes no time, and then any rate of the host is right.
        seed: of the faults.
        path: where the host finds it, a symbolic link to be made; None makes one in a new temporary folder.

    """

    def __init__(self, baud: int | None, faults: LineFaults | None = None, seed: int = 0, path: Path | None = None) -> None:
        self.faults = faults or LineFaults()
        self._byte_s = 0.0 if baud is None else _BITS_A_BYTE / baud
        self._baud = baud
        self._random = random.Random(seed)  # noqa: S311  of faults, no secret
        self._folder = None if path is not None else Path(tempfile.mkdtemp(prefix="robot_adapt_"))
        self._link = path or Path(str(self._folder)) / "port"
        self.path = str(self._link)
        self._incoming: deque[tuple[float, bytes]] = deque()
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._heard_s = self._sent_s = 0.0
        self._now_s = time.monotonic()
        self._held = b""
        self._device = self._host = -1
        self._plug()

    def receive(self, timeout_s: float) -> bytes:
        """What the host has sent, once its last byte is over; empty after the timeout. Sends what is due in the meantime."""
        until_s = time.monotonic() + timeout_s
        wait_s = 0.0
        while True:
            self._take(wait_s)
            self._deliver()
            now_s = time.monotonic()
            if self._incoming and self._incoming[0][0] <= now_s:
                self._now_s, data = self._incoming.popleft()
                return data
            if now_s >= until_s:
                self._now_s = now_s
                return b""
            wait_s = min([until_s, *(queue[0][0] for queue in (self._incoming, self._outgoing) if queue)]) - now_s

    def send(self, packet: bytes) -> None:
        """One packet to the host. It is there after its time on the wire, which `receive` waits out; never blocks."""
        faults = self.faults
        if not packet or not self._plugged() or self._happens(faults.drop):
            return
        packet, self._held = self._held + self._corrupted(packet), b""
        if self._happens(faults.merge):
            self._held = packet
            return
        # From when the request was over, not from now: what the thread was late by is no time on the wire.
        begin_s = max(self._now_s, self._sent_s)
        if begin_s - self._now_s > _BACKLOG_S:
            return  # the device's own buffer overflows
        self._sent_s = begin_s + len(packet) * self._byte_s + (faults.late_s if self._happens(faults.late) else 0.0)
        self._outgoing.append((self._sent_s, packet))
        self._deliver()

    def close(self) -> None:
        """The cable is pulled out for good; idempotent."""
        self._pull()
        if self._folder is not None:
            with contextlib.suppress(FileNotFoundError):
                self._folder.rmdir()

    def _take(self, wait_s: float) -> None:
        if not self._plugged():
            time.sleep(min(wait_s, _LOOK_UNPLUGGED_S))
            return
        if not select.select([self._device], [], [], max(wait_s, 0.0))[0]:
            return
        data = os.read(self._device, _READ_BYTES)
        self._heard_s = max(time.monotonic(), self._heard_s) + len(data) * self._byte_s
        self._incoming.append((self._heard_s, self._corrupted(data)))

    def _deliver(self) -> None:
        while self._outgoing and self._outgoing[0][0] <= time.monotonic():
            packet = self._outgoing.popleft()[1]
            if self._device >= 0:
                with contextlib.suppress(BlockingIOError):  # nobody reads: a device does not wait either
                    os.write(self._device, packet)

    def _plugged(self) -> bool:
        if self.faults.unplugged == (self._device >= 0):
            if self.faults.unplugged:
                self._pull()
            else:
                self._plug()
        return self._device >= 0

    def _plug(self) -> None:
        self._device, self._host = pty.openpty()
        tty.setraw(self._host, termios.TCSANOW)
        if self._baud in _SPEEDS:
            attributes = termios.tcgetattr(self._host)
            attributes[4] = attributes[5] = _SPEEDS[self._baud]
            termios.tcsetattr(self._host, termios.TCSANOW, attributes)
        os.set_blocking(self._device, False)
        if self._link.is_symlink():
            self._link.unlink()
        self._link.symlink_to(os.ttyname(self._host))

    def _pull(self) -> None:
        if self._device < 0:
            return
        os.close(self._device)
        os.close(self._host)
        self._device = self._host = -1
        self._link.unlink(missing_ok=True)
        self._incoming.clear()
        self._outgoing.clear()
        self._held = b""

    def _happens(self, rate: float) -> bool:
        return rate > 0.0 and self._random.random() < rate

    def _corrupted(self, data: bytes) -> bytes:
        if self._baud is not None and _BAUDS.get(termios.tcgetattr(self._device)[4], self._baud) != self._baud:
            return self._random.randbytes(len(data))
        rate = self.faults.corrupt_byte
        if rate <= 0.0:
            return data
        return bytes(byte ^ (1 << self._random.randrange(8)) if self._random.random() < rate else byte for byte in data)
