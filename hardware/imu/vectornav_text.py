"""VectorNav's ASCII protocol: sentences out of a stream that may hold binary packets too, checksums, errors in words.

Source: VN-100 user manual UM001 v2.22, section 3.
"""

from __future__ import annotations

import binascii
import functools
import operator
import re
from typing import NamedTuple

ERRORS = {
    1: "its firmware had a hard fault",
    2: "its input buffer overflowed",
    3: "wrong checksum",
    4: "it does not know this command",
    5: "too few parameters",
    6: "too many parameters",
    7: "a parameter it does not allow",
    8: "no such register",
    9: "a register that cannot be written",
    10: "its watchdog has restarted it",
    11: "its output buffer overflowed",
    12: "the baud rate has no room for this much output",
    255: "its error buffer overflowed",
}
"""What comes after `$VNERR,` (hexadecimal)."""

_LONGEST = 256
_SENTENCE = re.compile(rf"\$([ -#%-)+-~]{{1,{_LONGEST}}})\*([0-9A-Fa-fX]{{2,4}})\r?\n".encode())


class Sentence(NamedTuple):
    """`$a,b,c*XX`, its fields; `intact` says whether the checksum fits."""

    fields: tuple[str, ...]
    intact: bool


def checksum(body: bytes) -> int:
    """XOR of all between `$` and `*`."""
    return functools.reduce(operator.xor, body, 0)


def crc16(data: bytes) -> int:
    """CRC-16, polynomial 0x1021, from 0: of binary packets after their first byte, and of sentences in a unit so set."""
    return binascii.crc_hqx(data, 0)


def sentence(body: str) -> bytes:
    """A sentence ready to send."""
    return b"$%s*%02X\r\n" % (body.encode(), checksum(body.encode()))


class Sentences:
    """Collects bytes, gives whole sentences; anything else is skipped. Never raises; keeps one sentence's bytes at most."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[Sentence]:
        kept = self._kept + data
        found, end = [], 0
        for match in _SENTENCE.finditer(kept):
            body, digits = match.groups()
            found.append(Sentence(tuple(body.decode().split(",")), _fits(body, digits)))
            end = match.end()
        begin = kept.rfind(b"$", end)
        self._kept = kept[begin:] if begin >= 0 and len(kept) - begin <= _LONGEST + 8 else b""
        return found


def _fits(body: bytes, digits: bytes) -> bool:
    if digits in (b"XX", b"XXXX"):
        return True  # UM001 3.3: typed by hand, not to be checked
    try:
        value = int(digits, 16)
    except ValueError:
        return False
    return value == (checksum(body) if len(digits) == 2 else crc16(body))
