"""Frames of Dynamixel Protocol 2.0 as a device sees them: checksum, stuffing, a reader that finds its way back after damage.

Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0". A frame is FF FF FD 00, id, length (2 bytes: all that follows), instruction,
parameters, CRC. FF FF FD inside of it gains an FD, so that FF FF FD 00 is a beginning wherever it is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEADER = b"\xff\xff\xfd\x00"
BROADCAST = 0xFE
STATUS = 0x55
_CRC_POLYNOMIAL = 0x8005
_BEFORE = 7  # bytes to the end of the length
_LEAST = 3  # a length: instruction and CRC
_MOST = 1024  # a length that a device has room for


def _crc_of_byte(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1) ^ (_CRC_POLYNOMIAL if crc & 0x8000 else 0)
    return crc & 0xFFFF


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16, polynomial 0x8005, start 0, not reflected; goes on from `crc`."""
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC_TABLE[crc >> 8 ^ byte]
    return crc


def stuffed(body: bytes) -> bytes:
    """Instruction and parameters as they go on the wire."""
    return body.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def unstuffed(body: bytes) -> bytes:
    """The inverse of `stuffed`."""
    return body.replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")


def frame(device_id: int, body: bytes) -> bytes:
    """A frame around instruction and parameters."""
    body = stuffed(body)
    packet = HEADER + bytes((device_id,)) + (len(body) + 2).to_bytes(2, "little") + body
    return packet + crc16(packet).to_bytes(2, "little")


def status(device_id: int, error: int, parameters: bytes = b"") -> bytes:
    """What a device answers."""
    return frame(device_id, bytes((STATUS, error)) + parameters)


def fast_status(parts: Sequence[tuple[int, int, bytes]], expected: int) -> bytes:
    """The one packet that devices make between them: error, id, data and a CRC of all so far from each; not stuffed.

    Args:
        parts: id, error and data of those who answer, in order.
        expected: how many were asked; the packet breaks off after the last who answers.

    """
    size = len(parts[0][2]) + 4 if parts else 0
    packet = HEADER + bytes((BROADCAST,)) + (1 + size * expected).to_bytes(2, "little") + bytes((STATUS,))
    for device_id, error, data in parts:
        packet += bytes((error, device_id)) + data
        packet += crc16(packet).to_bytes(2, "little")
    return packet if parts else b""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the host wants; `intact` is whether its CRC was right."""

    device_id: int
    code: int
    parameters: bytes
    intact: bool = True


class FrameReader:
    """Bytes in, instructions out. Never raises; keeps less than one frame of the greatest length."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Instruction]:
        self._bytes += data
        found = []
        while (instruction := self._next()) is not None:
            found.append(instruction)
        return found

    def _next(self) -> Instruction | None:
        """The next frame, damaged ones included; None when more bytes are needed."""
        received = self._bytes
        while True:
            self._drop_to_header()
            if len(received) < _BEFORE:
                return None
            length = int.from_bytes(received[5:7], "little")
            if not _LEAST <= length <= _MOST:
                del received[0]
                continue
            end = _BEFORE + length
            if len(received) < end:
                if (again := received.find(HEADER, 1)) < 0:
                    return None
                del received[:again]  # the length was damaged, or the rest of the frame was lost
                continue
            packet = bytes(received[:end])
            intact = crc16(packet[:-2]) == int.from_bytes(packet[-2:], "little")
            again = -1 if intact else received.find(HEADER, 1)
            del received[: end if intact or not 0 < again < end else again]
            body = unstuffed(packet[_BEFORE:-2])
            return Instruction(packet[4], body[0], body[1:], intact)

    def _drop_to_header(self) -> None:
        at = self._bytes.find(HEADER)
        if at < 0:  # perhaps its first bytes are the last we have
            at = max(len(self._bytes) - len(HEADER) + 1, 0)
        del self._bytes[:at]
