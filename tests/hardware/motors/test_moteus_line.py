from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator

import pytest

from hardware.clock import FakeClock, MonotonicClock
from hardware.motors.moteus_line import MoteusLine
from hardware.types import RobotError, RobotFault

QUESTION = {1: b"\x11\x00"}


class Wire:
    """The other end of a line, in the hands of a test."""

    def __init__(self) -> None:
        self.end, self._host = pty.openpty()
        tty.setraw(self._host)
        self.path = os.ttyname(self._host)

    def say(self, text: bytes) -> None:
        os.write(self.end, text)

    def close(self) -> None:
        for descriptor in (self.end, self._host):
            if descriptor >= 0:
                os.close(descriptor)
        self.end = self._host = -1


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


@pytest.fixture
def line(wire: Wire) -> Iterator[MoteusLine]:
    made = MoteusLine(wire.path, 921_600, False, 0.02, MonotonicClock())
    made.open()
    yield made
    made.close()


def test_answers_are_told_apart_by_device_and_round(wire: Wire, line: MoteusLine) -> None:
    wire.say(b"OK\r\nrcv 201 21 e\r\nrcv 101 22\r\nrcv 701 23\r\nrcv 102 24\r\nrcv 10101 25\r\n")
    assert line.ask({1: b"\x11\x00", 2: b"\x11\x00", 3: b"\x11\x00"}) == {1: b"\x22", 2: b"\x21"}
    assert os.read(wire.end, 1000) == b"can send 8101 1100 BF\ncan send 8102 1100 BF\ncan send 8103 1100 BF\n"


def test_a_reply_that_comes_a_round_late_is_not_taken_for_a_new_one(wire: Wire) -> None:
    clock = FakeClock()
    line = MoteusLine(wire.path, 921_600, False, 0.02, clock)
    line.open()
    assert line.ask(QUESTION) == {}
    clock.advance(0.03)
    wire.say(b"rcv 101 2100\r\n")
    assert line.ask(QUESTION) == {}
    assert line.late == {1: b"\x21\x00"}
    wire.say(b"rcv 103 2105\r\n")
    assert line.ask(QUESTION) == {1: b"\x21\x05"}
    assert line.late == {}
    clock.advance(0.06)
    wire.say(b"rcv 103 2105\r\n")
    assert line.ask(QUESTION) == {}
    assert line.late == {}  # too late
    line.close()


def test_rounds_go_on_for_ever(wire: Wire, line: MoteusLine) -> None:
    for k in range(300):
        wire.say(b"rcv 1%02x 2100\r\n" % (k % 120 + 1))
        assert line.ask(QUESTION) == {1: b"\x21\x00"}
        os.read(wire.end, 1000)


def test_a_reply_said_twice_is_taken_once(wire: Wire, line: MoteusLine) -> None:
    wire.say(b"rcv 101 2100\r\nrcv 101 2105\r\n")
    assert line.ask(QUESTION) == {1: b"\x21\x00"}


def test_damage_is_counted_since_it_was_asked_for(wire: Wire, line: MoteusLine) -> None:
    wire.say(b"rubbish\r\nERR checksum\r\n")
    line.ask(QUESTION)
    assert line.newly_damaged() == 2
    assert line.newly_damaged() == 0


def test_a_stream_of_rubbish_does_not_hold_a_round_up(wire: Wire, line: MoteusLine) -> None:
    os.set_blocking(wire.end, False)
    wire.say(b"\xff" * 4000)
    assert line.ask(QUESTION) == {}


def test_a_line_that_broke_is_a_fault(wire: Wire, line: MoteusLine) -> None:
    wire.close()
    with pytest.raises(RobotFault, match="gone"):
        line.ask(QUESTION)


def test_a_closed_line_is_an_error(line: MoteusLine) -> None:
    line.close()
    line.close()
    with pytest.raises(RobotError, match="open"):
        line.send(QUESTION)


def test_an_adapter_that_takes_no_more_bytes_is_a_fault(line: MoteusLine) -> None:
    with pytest.raises(RobotFault, match="takes no more"):
        line.send(dict.fromkeys(range(1, 127), bytes(64)))
