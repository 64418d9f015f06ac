"""A run folder: the names of what a session leaves on disk."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from robot_adapt.errors import UserError


@dataclass(frozen=True)
class RunFolder:
    """Nothing in it is needed to read the rest: each file can be opened alone."""

    folder: Path

    @classmethod
    def new(cls, out: Path | None, kind: str) -> RunFolder:
        """An empty folder: the one asked for, or `runs/KIND-DATE-TIME`. Raises UserError when it holds something."""
        run = cls.planned(out, kind)
        run.make()
        return run

    @classmethod
    def planned(cls, out: Path | None, kind: str) -> RunFolder:
        """The same, not made yet: for work that may fail before there is anything to keep."""
        folder = out if out is not None else Path("runs") / f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
        with _usable(folder):
            if folder.exists() and any(folder.iterdir()):
                raise UserError(f"{folder}: holds files already: give --out another folder")
            there = next(parent for parent in (folder, *folder.parents) if parent.exists())
            if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
                raise UserError(f"{folder}: cannot be used: {there} is no folder that can be written to")
        return cls(folder)

    def make(self) -> None:
        """Raises UserError when it cannot be made."""
        with _usable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Around work that Ctrl-C may cut short: says where everything up to then is."""
        try:
            yield
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(f"{interrupt}; everything up to here is in {self.folder}") from None

    @property
    def database(self) -> Path:
        return self.folder / "trials.sqlite"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def policy(self) -> Path:
        """The policy the session began with."""
        return self.folder / "start_policy.safetensors"

    @property
    def adapted_policy(self) -> Path:
        return self.folder / "adapted_policy.safetensors"

    @property
    def session(self) -> Path:
        """What an `adapt` session was started with, for `--resume`."""
        return self.folder / "session.json"

    @property
    def recovery_json(self) -> Path:
        return self.folder / "recovery.json"

    @property
    def recovery_png(self) -> Path:
        return self.folder / "recovery.png"

    @property
    def report_html(self) -> Path:
        return self.folder / "report.html"

    @property
    def walk_gif(self) -> Path:
        return self.folder / "walk.gif"


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{folder}: cannot be used: {error.strerror}") from None
