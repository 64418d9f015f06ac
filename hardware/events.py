"""Events: what drivers and the supervisor did on their own, with reason, place, value and limit. Counted, kept, told."""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 1000


class Severity(enum.Enum):
    """NOTE: told only. CLIPPED: a command was changed. STOP: the robot was stopped, latched."""

    NOTE = "note"
    CLIPPED = "clipped"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Event:
    """One intervention.

    Attributes:
        time_s: by the robot's clock.
        reason: one of few words, to be counted by: "slew", "reply lost", "tilt".
        where: joint or device.
        value, limit: in the unit that `reason` has in the docstring of who raises it.

    """

    time_s: float
    severity: Severity
    reason: str
    where: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.reason} at {self.where}: {self.value:.4g}, limit {self.limit:.4g}"


class EventLog:
    """The newest events and how many of each reason there were. Written by the control loop: no I/O here."""

    def __init__(self, on_event: Callable[[Event], None] = lambda _: None) -> None:
        self.newest: deque[Event] = deque(maxlen=_KEPT)
        self.counts: Counter[str] = Counter()
        self._on_event = on_event

    def add(self, event: Event) -> None:
        self.newest.append(event)
        self.counts[event.reason] += 1
        self._on_event(event)
