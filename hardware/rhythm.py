"""CommandRhythm: when commands come. A host that is late too often, or silent, is no longer in control of the robot."""

from __future__ import annotations

from collections import deque

from hardware.limits import SafetyLimits
from hardware.watch import Danger, Report


class CommandRhythm:
    """Told of every write from the first one on until the robot rests again.

    Its dangers: "stale command" (s since the last write), "late writes" (number within a second). It tells of each "late write"
    (s after the one before).
    """

    def __init__(self, robot: str, limits: SafetyLimits, report: Report) -> None:
        self._robot = robot
        self._limits = limits
        self._report = report
        self.rest()

    def rest(self) -> None:
        """Nobody moves the robot: no command is waited for."""
        self._wrote_at_s: float | None = None
        self._late_at_s: deque[float] = deque()

    def since_write_s(self, now_s: float) -> float:
        """Zero while no command is waited for, and for a clock that went back."""
        return 0.0 if self._wrote_at_s is None else max(now_s - self._wrote_at_s, 0.0)

    def silence(self, now_s: float) -> Danger | None:
        limit_s, silent_s = self._limits.stale_command_s, self.since_write_s(now_s)
        if silent_s <= limit_s:
            return None
        words = f"no command came for {silent_s:.3f} s, {limit_s:.3f} are allowed"
        return Danger("stale command", self._robot, silent_s, limit_s, words)

    def write(self, now_s: float) -> Danger | None:
        """A command comes now; the danger is that too many came late."""
        since_s, late = self.since_write_s(now_s), self._late_at_s
        self._wrote_at_s = now_s
        if since_s <= self._limits.late_s:
            return None
        self._report("late write", self._robot, since_s, self._limits.late_s)
        late.append(now_s)
        while late[0] < now_s - 1.0:
            late.popleft()
        if len(late) <= self._limits.late_a_second:
            return None
        words = f"{len(late)} commands within a second came late: is the computer busy?"
        return Danger("late writes", self._robot, len(late), self._limits.late_a_second, words)
