"""Every parser of bytes from a wire, by name, and what it is fuzzed with. A new one is a line in PARSERS and a file in corpus/.

A corpus file has one input a line, in hex; the first one is intact, and after any garbage the parser must hear it again. An
input that once broke a parser is added to its file.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable

from hardware.clock import FakeClock
from hardware.emulators import bno08x as emulated_bno08x
from hardware.emulators import dynamixel_frames
from hardware.emulators.moteus import MoteusChain
from hardware.emulators.vectornav import EmulatedVn100
from hardware.imu.bno08x import RvcFrames
from hardware.imu.vectornav import HEADER, BinaryOutput
from hardware.imu.vectornav_text import Sentences, crc16, sentence
from hardware.motors.dynamixel_link import DynamixelLink
from hardware.motors.fdcanusb import FdcanusbReader, with_checksum
from hardware.motors.moteus_frames import MoteusFrames
from tests.hardware import moteus_rig
from tests.hardware.fuzzer import Feed, Parser
from tests.hardware.imu.orientations import LEVEL, reading
from tests.hardware.motors import dynamixel_bench


def _answers(receive: Callable[[bytes], Iterable[bytes]]) -> Feed:
    return lambda data: list(receive(data))


def _vectornav_packet(data: bytes) -> bytes:
    body = HEADER[1:] + data[4:44].ljust(40, b"\x00")
    return HEADER[:1] + body + crc16(body).to_bytes(2, "big")


def _vectornav_sentence(data: bytes) -> bytes:
    return sentence(data.partition(b"*")[0].lstrip(b"$").decode("latin-1"))


def _bno08x_frame(data: bytes) -> bytes:
    whole = data.ljust(18, b"\x00")
    return emulated_bno08x.frame(whole[2], whole[3:18])


def _fdcanusb_line(data: bytes) -> bytes:
    return with_checksum(data.partition(b" *")[0].strip()) + b"\n"


def _dynamixel_frame(data: bytes) -> bytes:
    return dynamixel_frames.frame(data.ljust(5, b"\x01")[4], data[7:-2])


def _emulated_vectornav() -> Feed:
    unit = EmulatedVn100(lambda: reading(LEVEL))
    return lambda data: [*unit.receive(data), *unit.unasked(0.0)]


def _emulated_moteus() -> Feed:
    return _answers(MoteusChain(moteus_rig.plant(), moteus_rig.MOTORS, clock=FakeClock()).receive)


def _emulated_dynamixel() -> Feed:
    return _answers(dynamixel_bench.chain(FakeClock()).receive)


class _Answers:
    """A port for DynamixelLink: what is set comes after whatever is sent, then nothing."""

    is_using = False

    def __init__(self) -> None:
        self.answer = b""
        self._received = b""

    def set_baud(self, baud: int) -> None:
        pass

    def close(self) -> None:
        pass

    def clearPort(self) -> None:  # noqa: N802
        self._received = b""

    def writePort(self, packet: Iterable[int]) -> int:  # noqa: N802
        self._received = self.answer
        return len(list(packet))

    def readPort(self, length: int) -> bytes:  # noqa: N802
        taken, self._received = self._received[: max(length, 0)], self._received[max(length, 0) :]
        return taken

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return not self._received

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        pass

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        pass

    def getBaudRate(self) -> int:  # noqa: N802
        return 1_000_000


def _dynamixel_replies(fast: bool) -> Feed:
    port = _Answers()
    link = DynamixelLink("fuzz", 1_000_000, 0.001, FakeClock(), lambda *_: port)

    def feed(data: bytes) -> object:
        port.answer = data
        return link.sync_read((1, 2, 3), 126, 10, fast)

    return feed


def _moteus_replies() -> Feed:
    frames = MoteusFrames(1)
    parsers = frames.parse_status, frames.parse_identity, frames.parse_text
    return lambda data: [parsed for parse in parsers if (parsed := parse(data)) is not None]


PARSERS: dict[str, Parser] = {
    "vectornav binary output": Parser(lambda: BinaryOutput().feed, "vectornav_binary", _vectornav_packet),
    "vectornav sentences": Parser(lambda: Sentences().feed, "vectornav_text", _vectornav_sentence),
    "emulated vectornav": Parser(_emulated_vectornav, "vectornav_commands", _vectornav_sentence),
    "bno08x frames": Parser(lambda: RvcFrames().feed, "bno08x", _bno08x_frame),
    "fdcanusb lines": Parser(lambda: FdcanusbReader().receive, "fdcanusb", _fdcanusb_line),
    "emulated moteus": Parser(_emulated_moteus, "moteus_commands", _fdcanusb_line),
    "moteus replies": Parser(_moteus_replies, "moteus_replies", lambda data: data, extra="moteus"),
    "emulated dynamixel": Parser(_emulated_dynamixel, "dynamixel_commands", _dynamixel_frame),
    "dynamixel replies": Parser(lambda: _dynamixel_replies(fast=False), "dynamixel_replies", _dynamixel_frame),
    "dynamixel fast reply": Parser(lambda: _dynamixel_replies(fast=True), "dynamixel_fast_reply", _dynamixel_frame),
}
"""Without those whose extra is not installed."""
PARSERS = {name: parser for name, parser in PARSERS.items() if parser.extra is None or importlib.util.find_spec(parser.extra)}
