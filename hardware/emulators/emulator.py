"""Emulator: a device's bytes on a line, in a thread of its own. The device itself is a plain object, easy to feed by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

from hardware.clock import MonotonicClock
from hardware.emulators.line import Line


class Device(Protocol):
    """A device as bytes in, packets out. Never raises, whatever comes; keeps a bounded number of bytes."""

    def receive(self, data: bytes) -> Iterable[bytes]:
        """What the host sent; the packets answered."""

    def unasked(self, now_s: float) -> Iterable[bytes]:
        """Packets that are due by now without being asked for; an IMU's stream."""

    def next_s(self) -> float:
        """When the next one is due; infinite for a device that only answers."""


class Ticks:
    """Deadlines a period apart; those gone by are skipped, never made up for in a burst."""

    def __init__(self, period_s: float, start_s: float) -> None:
        self._period_s = period_s
        self.due_s = start_s

    def passed(self, now_s: float) -> int:
        """How many deadlines have gone by since the last call."""
        if now_s < self.due_s:
            return 0
        passed = 1 + int((now_s - self.due_s) / self._period_s)
        self.due_s += passed * self._period_s
        return passed


class Emulator:
    """Runs a device on a line until closed, in a thread; `path` is what the host opens."""

    def __init__(self, device: Device, line: Line) -> None:
        self.device = device
        self.line = line
        self.path = line.path
        self._clock = MonotonicClock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"emulator {line.path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Idempotent."""
        self._ends.set()
        self._thread.join()
        self.line.close()

    def _run(self) -> None:
        while not self._ends.is_set():
            wait_s = min(max(self.device.next_s() - self._clock.now(), 0.0), 0.05)
            if data := self.line.receive(wait_s):
                for packet in self.device.receive(data):
                    self.line.send(packet)
            for packet in self.device.unasked(self._clock.now()):
                self.line.send(packet)
