"""What a person did or gave that cannot work. The command line prints the message as one line and exits with status 2."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class UserError(Exception):
    """Bad input; the message says what was wrong, where (file and key, joint, device), and what to do."""


class Absent(UserError):
    """A file that nobody has made yet, or an extra that is not installed: what needs neither can go on without."""


@contextlib.contextmanager
def named_by(where: str) -> Iterator[None]:
    """Says where a mistake is (a file, a key): it begins the message of every UserError from within."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"{where}: {error}") from None
