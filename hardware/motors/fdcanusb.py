"""The text lines of mjbots' fdcanusb, and of a moteus servo's UART: CAN-FD frames in hexadecimal, a CRC-8 where it is wanted.

No device and no clock enters: bytes in, frames out. What is damaged is counted and left out, whatever it is.
Sources: fdcanusb README ("USB CDC Protocol"), moteus docs/integration/uart.md (checksums).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

LONGEST_LINE = 512  # bytes; the longest line there is has 64 bytes in hexadecimal
NOP = 0x50
_CRC_POLYNOMIAL = 0x97
_CAN_FD_SIZES = (*range(9), 12, 16, 20, 24, 32, 48, 64)
_FLAG = rb"(?: (?:[EeBbFfRr]|t[0-9]+|[fx]-?[0-9A-Fa-f]+))"
_RCV = re.compile(rb"rcv ([0-9A-Fa-f]{1,8})(?: ((?:[0-9A-Fa-f]{2}){0,64})" + _FLAG + rb"*)?")


def _crc8_table() -> bytes:
    table = bytearray()
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1) ^ (0x100 | _CRC_POLYNOMIAL if byte & 0x80 else 0)
        table.append(byte)
    return bytes(table)


_CRC8 = _crc8_table()


@dataclass(frozen=True, slots=True)
class CanFrame:
    """One frame; the identifier's low byte is who it is for, the next one who sent it (bit 15: a reply is wanted)."""

    identifier: int
    data: bytes


def crc8(data: bytes) -> int:
    """Polynomial 0x97, from 0, not reflected."""
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def with_checksum(line: bytes) -> bytes:
    """The CRC goes over all that is before the star, the space included."""
    line += b" "
    return line + b"*%02X" % crc8(line)


def without_checksum(line: bytes) -> tuple[bytes, bool | None]:
    """The line's text, and whether its checksum is right; None where it has none."""
    if line[-3:-2] != b"*":
        return line, None
    try:
        claimed = bytes.fromhex(line[-2:].decode("ascii"))
    except ValueError:
        return line, None
    return line[:-3].rstrip(b" "), claimed == bytes((crc8(line[:-3]),))


def send_line(frame: CanFrame, checksum: bool) -> bytes:
    """Asks the adapter to send a frame, filled up to a size that CAN-FD has, at the fast bit rate."""
    size = next(size for size in _CAN_FD_SIZES if size >= len(frame.data))
    hexadecimal = frame.data.ljust(size, bytes((NOP,))).hex().encode()
    line = b"can send %04x %s BF" % (frame.identifier, hexadecimal)
    return (with_checksum(line) if checksum else line) + b"\n"


class LineSplitter:
    """Bytes to lines, without their ends. A line too long to be one is thrown away, up to its end."""

    def __init__(self) -> None:
        self._rest = b""
        self._too_long = False

    def receive(self, data: bytes) -> list[bytes]:
        """The lines ended by now; empty ones are left out."""
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if lines and self._too_long:
            lines, self._too_long = lines[1:], False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._too_long = b"", True
        return [line for line in lines if line and len(line) <= LONGEST_LINE]


class FdcanusbReader:
    """What comes from an adapter. Never raises; keeps a line at most.

    Attributes:
        checksums: lines without one are damaged too.
        damaged: how many lines were so far, those that the other side could not read included.
        answers: the newest acknowledgements, "OK" or "ERR ...", and whether they had a checksum.

    """

    def __init__(self) -> None:
        self.checksums = False
        self.damaged = 0
        self.answers: deque[tuple[bytes, bool]] = deque(maxlen=32)
        self._lines = LineSplitter()

    def receive(self, data: bytes) -> list[CanFrame]:
        """The frames received by now."""
        return [frame for line in self._lines.receive(data) if (frame := self._frame(line)) is not None]

    def _frame(self, line: bytes) -> CanFrame | None:
        text, right = without_checksum(line)
        if right is False or (self.checksums and right is None):
            self.damaged += 1
            return None
        if match := _RCV.fullmatch(text):
            return CanFrame(int(match[1], 16), bytes.fromhex((match[2] or b"").decode("ascii")))
        if text == b"OK" or text.startswith(b"ERR"):
            self.answers.append((text, right is not None))
        if text != b"OK":
            self.damaged += 1
        return None
