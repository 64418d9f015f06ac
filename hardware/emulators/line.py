"""Line: a serial cable on a pseudo-terminal, seen from the device. Takes byte time, as no pty does; breaks on command."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import termios
import time
import tty

from hardware.emulators.faults import LineFaults

_BITS_A_BYTE = 10  # 8N1


class Line:
    """One cable; the host opens `path`.

    Args:
        baud: how fast bytes go; None takes no time.
        seed: of the faults.

    """

    def __init__(self, baud: int | None, faults: LineFaults | None = None, seed: int = 0) -> None:
        self.faults = faults or LineFaults()
        self._byte_s = 0.0 if baud is None else _BITS_A_BYTE / baud
        self._random = random.Random(seed)  # noqa: S311  of faults, no secret
        self._free_at_s = 0.0
        self._held = b""
        self._device, self._host = pty.openpty()
        tty.setraw(self._host, termios.TCSANOW)
        os.set_blocking(self._device, False)
        self.path = os.ttyname(self._host)

    def receive(self, timeout_s: float) -> bytes:
        """What the host has sent, once the last byte of it is over; empty after the timeout."""
        ready, _, _ = select.select([self._device], [], [], max(timeout_s, 0.0))
        if not ready:
            return b""
        data = os.read(self._device, 4096)
        if self._byte_s:
            time.sleep(len(data) * self._byte_s)
        return b"" if self.faults.unplugged else self._corrupted(data)

    def send(self, packet: bytes) -> None:
        """One packet to the host, after its time on the wire; returns when it is over."""
        faults = self.faults
        if not packet or faults.unplugged or self._happens(faults.drop):
            return
        packet, self._held = self._held + self._corrupted(packet), b""
        if self._happens(faults.merge):
            self._held = packet
            return
        wait_s = len(packet) * self._byte_s + (faults.late_s if self._happens(faults.late) else 0.0)
        if wait_s:
            time.sleep(wait_s)
        with contextlib.suppress(BlockingIOError):  # nobody reads: a device does not wait either
            os.write(self._device, packet)

    def close(self) -> None:
        """The cable is pulled for good: the host's reads and writes fail."""
        for descriptor in (self._device, self._host):
            if descriptor >= 0:
                os.close(descriptor)
        self._device = self._host = -1

    def _happens(self, rate: float) -> bool:
        return rate > 0.0 and self._random.random() < rate

    def _corrupted(self, data: bytes) -> bytes:
        rate = self.faults.corrupt_byte
        if rate <= 0.0:
            return data
        return bytes(byte ^ (1 << self._random.randrange(8)) if self._random.random() < rate else byte for byte in data)
