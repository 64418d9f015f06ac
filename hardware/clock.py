"""Clock: where a control loop takes its time from. On a simulated robot, time passing is the physics stepping."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Time as a control loop sees it."""

    def now(self) -> float:
        """Seconds from an arbitrary origin; never goes back."""

    def sleep_until(self, deadline_s: float) -> None:
        """Return at the deadline, or at once when it has passed."""


class MonotonicClock:
    """The machine's monotonic clock: unmoved by NTP, daylight saving or somebody setting the date."""

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, deadline_s: float) -> None:
        remaining_s = deadline_s - time.monotonic()
        if remaining_s > 0.0:
            time.sleep(remaining_s)


class FakeClock:
    """A clock for tests: sleeping costs nothing, work costs what `advance` says."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        return self._now_s

    def sleep_until(self, deadline_s: float) -> None:
        self._now_s = max(self._now_s, deadline_s)

    def advance(self, duration_s: float) -> None:
        self._now_s += duration_s
