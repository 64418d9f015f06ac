"""The multiplex protocol as a servo answers it: subframes of a CAN-FD frame in, those of its answer out. Nothing raises.

Sources: docs/protocol/can.md of the moteus repository; what a broken frame leads to is as in micro_server.cc of mjlib.
"""

from __future__ import annotations

import math
import struct
from typing import Protocol

UNKNOWN_REGISTER, NOT_WRITABLE = 1, 2

_WRITE, _READ, _REPLY = 0x00, 0x10, 0x20
_WRITE_ERROR, _READ_ERROR = 0x30, 0x31
_CLIENT_TO_SERVER, _SERVER_TO_CLIENT, _CLIENT_POLL, _NOP = 0x40, 0x41, 0x42, 0x50
_MOST_REPLY = 64
_MOST_TEXT = 48
_FORMATS = (struct.Struct("<b"), struct.Struct("<h"), struct.Struct("<i"), struct.Struct("<f"))
INT32 = 2
_FLOAT = 3

Scale = tuple[float, float, float]
"""What one LSB of an int8, int16, int32 is worth."""


class Registers(Protocol):
    """What a frame is about."""

    def write(self, register: int, kind: int, raw: float) -> int:
        """0, or why not."""

    def read(self, register: int, kind: int) -> bytes | None:
        """The encoded value; None for a register that is unknown in this kind."""

    def hear(self, channel: int, text: bytes) -> bool:
        """Text for a console; False when there is no such channel."""

    def say(self, channel: int, most: int) -> bytes | None:
        """Text of a console, at most so long; None when there is no such channel."""


class _Broken(Exception):
    """The rest of the frame cannot be understood."""


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise _Broken
        self.at += size
        return taken

    def varuint(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _Broken


def scaled(raw: float, kind: int, scale: Scale) -> float:
    """A register's value; the most negative integer is NaN."""
    if kind == _FLOAT:
        return raw
    return math.nan if raw == -(1 << (8 * _FORMATS[kind].size - 1)) else raw * scale[kind]


def encoded(value: float, kind: int, scale: Scale) -> bytes:
    """The other way; too large ones are the largest, NaN is the most negative integer."""
    if kind == _FLOAT:
        return _FORMATS[kind].pack(max(min(value, 3.4e38), -3.4e38) if math.isfinite(value) else math.nan)
    highest = (1 << (8 * _FORMATS[kind].size - 1)) - 1
    raw = max(min(value / scale[kind], highest), -highest) if math.isfinite(value) else -highest - 1
    return _FORMATS[kind].pack(int(raw))


def answer(frame: bytes, registers: Registers) -> bytes:
    """Does what the frame says, and the answer to it, wanted or not; a subframe that cannot be understood ends it."""
    cursor, reply = _Cursor(frame), bytearray()
    try:
        while cursor.at < len(frame) and len(reply) < _MOST_REPLY:
            _subframe(cursor, reply, registers)
    except _Broken:
        pass
    return bytes(reply[:_MOST_REPLY])


def _subframe(cursor: _Cursor, reply: bytearray, registers: Registers) -> None:
    head = cursor.take(1)[0]
    kind = head >> 2 & 3
    if head & 0xF0 == _WRITE:
        count, first = head & 3 or cursor.varuint(), cursor.varuint()
        for register in range(first, first + count):
            (raw,) = _FORMATS[kind].unpack(cursor.take(_FORMATS[kind].size))
            if error := registers.write(register, kind, raw):
                reply += bytes((_WRITE_ERROR,)) + _varuint(register) + _varuint(error)
    elif head & 0xF0 == _READ:
        count, first = head & 3 or cursor.varuint(), cursor.varuint()
        values = bytearray(bytes((head ^ _READ ^ _REPLY,)) + (b"" if head & 3 else _varuint(count)) + _varuint(first))
        for register in range(first, first + count):  # up to one that is unknown
            if (value := registers.read(register, kind)) is None:
                reply += bytes((_READ_ERROR,)) + _varuint(register) + _varuint(UNKNOWN_REGISTER)
                raise _Broken
            values += value
        reply += values
    elif head in (_CLIENT_TO_SERVER, _CLIENT_POLL):
        channel, size = cursor.varuint(), cursor.varuint()
        if head == _CLIENT_TO_SERVER and not registers.hear(channel, cursor.take(size)):
            raise _Broken
        said = registers.say(channel, min(size, _MOST_TEXT) if head == _CLIENT_POLL else 0)
        if said is None:
            raise _Broken
        reply += bytes((_SERVER_TO_CLIENT,)) + _varuint(channel) + _varuint(len(said)) + said
    elif head != _NOP:
        raise _Broken


def _varuint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes((value,))
