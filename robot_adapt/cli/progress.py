"""Progress of long work: a bar on a terminal, a plain line every few seconds elsewhere; always rate and time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from robot_adapt.adapt.record import TrialRecord

_LINE_EVERY_S = 5.0


class ProgressReport:
    """A context; `stage` begins a part of the work, `advance` counts one item of it. Writes to standard error."""

    def __init__(self, bar: bool = True) -> None:
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        if bar and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description:<22}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
            )
        self._task: TaskID | None = None
        self._name, self._total, self._count = "", 0, 0

    def __enter__(self) -> ProgressReport:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """A line of its own, above the bar."""
        self._console.print(line, markup=False)

    def stage(self, name: str, total: int, done: int = 0) -> None:
        self._name, self._total, self._count, self._first = name, total, done, done
        self._begin_s = self._said_s = time.monotonic()
        if self._bar is not None:
            self._task = self._bar.add_task(name, total=total, completed=done, rate="", note="")

    def advance(self, note: str = "", items: int = 1) -> None:
        self._count += items
        elapsed_s = time.monotonic() - self._begin_s
        rate = (self._count - self._first) / elapsed_s if elapsed_s > 0.0 else 0.0
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._count, rate=f"{rate:.1f}/s", note=note)
        elif self._count >= self._total or time.monotonic() - self._said_s > _LINE_EVERY_S:
            self._said_s = time.monotonic()
            left_s = (self._total - self._count) / rate if rate > 0.0 else float("inf")
            self.say(f"{self._name}: {self._count}/{self._total}, {rate:.1f}/s, {left_s:.0f} s left  {note}".rstrip())

    def on_trial(self, record: TrialRecord) -> None:
        """Counts a session's trial and shows its return."""
        self.advance(f"return {record.value:.2f} m" if record.value is not None else f"aborted: {record.reason}")
