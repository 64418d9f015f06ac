"""The journal: a session's trials on disk, a file each, before anything is sent; and which of them an aggregator has."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from robot_adapt.array_file import write_atomically
from robot_adapt.errors import UserError
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial

_SHA_BYTES = 32


class Journal:
    """A folder of sealed trials (SHA-256, then the wire message), written atomically and synced.

    Raises UserError naming the file when a trial is damaged. `append` may be called while another thread marks or lists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sent_file = folder / "sent"
        folder.mkdir(parents=True, exist_ok=True)
        self._answered = set(self._sent_file.read_text().split()) if self._sent_file.exists() else set()

    def append(self, trial: SealedTrial) -> None:
        data = trial.message().SerializeToString(deterministic=True)
        write_atomically(self._folder / f"{trial.number:06d}.trial", hashlib.sha256(data).digest() + data)

    def trials(self) -> list[SealedTrial]:
        """All trials, by number."""
        return [self._read(path) for path in self._files()]

    def read(self, number: int) -> SealedTrial:
        """One trial."""
        return self._read(self._folder / f"{number:06d}.trial")

    def unsent(self) -> list[int]:
        """Numbers of the trials that no aggregator has answered for, in order; nothing is read."""
        return [int(path.stem) for path in self._files() if path.stem not in self._answered]

    def mark_answered(self, number: int) -> None:
        """The aggregator has it, or has refused it for good. Losing a mark is harmless: the trial is sent again."""
        name = f"{number:06d}"
        with self._sent_file.open("a") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._answered.add(name)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.trial"))

    @staticmethod
    def _read(path: Path) -> SealedTrial:
        content = path.read_bytes()
        sha, data = content[:_SHA_BYTES], content[_SHA_BYTES:]
        try:
            if hashlib.sha256(data).digest() != sha:
                raise InvalidTrialError("its SHA-256 does not match")
            trial = SealedTrial.parse(data)
            _ = trial.record
        except InvalidTrialError as error:
            raise UserError(f"{path}: damaged trial: {error}") from None
        return trial
