"""The journal: a session's trials on disk, a file each, before anything is sent."""

from __future__ import annotations

import hashlib
from pathlib import Path

from robot_adapt.array_file import write_atomically
from robot_adapt.errors import UserError
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial

_SHA_BYTES = 32


class Journal:
    """A folder of sealed trials (SHA-256, then the wire message), written atomically and synced.

    Raises UserError naming the file when a trial is damaged. `append` may be called while another thread reads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, trial: SealedTrial) -> None:
        data = trial.message().SerializeToString(deterministic=True)
        write_atomically(self._folder / _name(trial.number), hashlib.sha256(data).digest() + data)

    def numbers(self) -> list[int]:
        """The numbers of all trials, in order; nothing is read. What a person put beside them is none."""
        names = (path.name for path in self._folder.glob("*.trial"))
        return sorted(number for name in names if (number := _number(name)) is not None)

    def read(self, number: int) -> SealedTrial:
        """One trial."""
        return self._read(self._folder / _name(number))

    def trials(self) -> list[SealedTrial]:
        """All trials, by number."""
        return [self.read(number) for number in self.numbers()]

    def readable(self) -> tuple[list[SealedTrial], list[str]]:
        """All trials that are whole, by number, and a sentence for each that is not."""
        whole, damaged = [], []
        for number in self.numbers():
            try:
                whole.append(self.read(number))
            except UserError as error:
                damaged.append(str(error))
        return whole, damaged

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


def _name(number: int) -> str:
    return f"{number:06d}.trial"


def _number(name: str) -> int | None:
    stem = name.removesuffix(".trial")
    return int(stem) if stem.isdecimal() and name == _name(int(stem)) else None
