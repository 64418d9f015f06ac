"""The folder that a long command works in, and goes on in when it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from robot_adapt.errors import UserError


@contextmanager
def run_folder(folder: Path) -> Iterator[None]:
    """Makes the folder, and holds it as long as it is worked in: two runs would write over each other's checkpoints.

    Raises:
        UserError: another process holds it.

    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{folder}: another run works in it") from None
    try:
        yield
    finally:
        lock.release()
