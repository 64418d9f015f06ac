from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.emulators.line import Line
from hardware.events import EventLog
from hardware.imu.stream import Frames, ImuStream, Sample
from hardware.serial_port import open_exclusive
from hardware.types import RobotError, RobotFault


def frames() -> Frames:
    """Five bytes: AB CD, two values, their sum."""
    return Frames(b"\xab\xcd", 5, lambda frame: frame[4] == (frame[2] + frame[3]) & 0xFF)


def frame(first: int, second: int = 0) -> bytes:
    return bytes([0xAB, 0xCD, first, second, (first + second) & 0xFF])


def test_frames_come_whole_however_they_are_cut() -> None:
    stream = frame(1) + frame(2) + frame(3)
    for size in range(1, 16):
        made = frames()
        got = [f for at in range(0, 15, size) for f in made.feed(stream[at : at + size])]
        assert got == [frame(1), frame(2), frame(3)]
        assert made.damaged == 0


def test_the_half_frame_that_a_port_opens_in_is_no_damage() -> None:
    made = frames()
    assert made.feed(frame(1)[2:] + frame(2)) == [frame(2)]
    assert made.damaged == 0


@pytest.mark.parametrize("at", range(5))
def test_a_damaged_frame_is_counted_and_the_next_one_comes(at: int) -> None:
    damaged = bytearray(frame(7, 9))
    damaged[at] ^= 0x10
    made = frames()
    assert made.feed(frame(1) + damaged + frame(2)) == [frame(1), frame(2)]
    assert made.damaged == 1


def test_a_frame_cut_short_does_not_swallow_the_next_one() -> None:
    made = frames()
    assert made.feed(frame(1) + frame(2)[:3] + frame(3) + frame(4)) == [frame(1), frame(3), frame(4)]
    assert made.damaged == 1


def test_a_header_inside_a_frame_is_no_beginning() -> None:
    made = frames()
    assert made.feed(frame(0xAB, 0xCD) + frame(2)) == [frame(0xAB, 0xCD), frame(2)]


def test_each_frames_length_of_noise_is_one_bad_frame() -> None:
    made = frames()
    made.feed(frame(1))
    for _ in range(100):
        made.feed(b"\x00" * 5)
    made.feed(frame(2))
    assert 99 <= made.damaged <= 101


def test_no_more_than_a_frame_is_kept() -> None:
    made = frames()
    for _ in range(1000):
        made.feed(b"\xab\xab\xcd\x01")
        assert len(vars(made)["_kept"]) < 5


class OneByte:
    """Every byte is a sample, turned by so many degrees about z; 0xFF is damage."""

    rates_derived = False

    def __init__(self) -> None:
        self.damaged = 0
        self.missing = 0

    def feed(self, data: bytes) -> Sample | None:
        self.damaged += data.count(0xFF)
        good = data.replace(b"\xff", b"")
        return (np.array([1.0, 0.0, 0.0, float(good[-1])]), np.zeros(3)) if good else None

    def restart(self) -> None:
        pass


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line(None)
    yield made
    made.close()


def started(line: Line, clock: FakeClock, log: EventLog | None = None) -> ImuStream:
    stream = ImuStream(line.path, OneByte(), log or EventLog(), clock, 0.05)
    assert not stream.start(open_exclusive(line.path, 115200), 0.01)
    return stream


def test_the_newest_wins_and_has_the_time_it_came(line: Line) -> None:
    clock = FakeClock()
    stream = started(line, clock)
    clock.advance(0.02)
    line.send(b"\x01\x02\x03")
    reading = stream.read()
    assert (reading.orientation_wxyz[3], reading.time_s) == (3.0, 0.02)
    clock.advance(0.02)
    assert stream.read() is reading


def test_without_a_reading_for_too_long_it_is_a_fault_that_names_the_port_and_it_recovers(line: Line) -> None:
    clock = FakeClock()
    stream = started(line, clock)
    line.send(b"\x01")
    stream.read()
    clock.advance(0.04)
    stream.read()
    clock.advance(0.02)
    with pytest.raises(RobotFault, match=rf"^{line.path}: the IMU has sent nothing for 0.05 s"):
        stream.read()
    line.send(b"\x02")
    assert stream.read().orientation_wxyz[3] == 2.0


def test_what_waited_while_nobody_read_is_thrown_away(line: Line) -> None:
    clock = FakeClock()
    stream = started(line, clock)
    line.send(b"\x01")
    stream.read()
    line.send(b"\x02" * 4000)
    clock.advance(60.0)
    with pytest.raises(RobotFault):
        stream.read()  # nothing new came while it waited
    line.send(b"\x03")
    assert stream.read().orientation_wxyz[3] == 3.0


def test_damage_is_an_event_and_no_fault(line: Line) -> None:
    log = EventLog()
    stream = started(line, FakeClock(), log)
    line.send(b"\x01\xff\xff\xff")
    stream.read()
    [event] = log.newest
    assert (event.reason, event.where, event.value) == ("bad packet", line.path, 3)


def test_a_read_takes_no_time_when_nothing_came(line: Line) -> None:
    clock = FakeClock()
    stream = started(line, clock)
    line.send(b"\x01")
    stream.read()
    begin_s = time.monotonic()
    for _ in range(100):
        stream.read()
    assert time.monotonic() - begin_s < 1.0  # a hundred waits would be five


def test_a_pulled_cable_is_a_fault_that_names_the_port(line: Line) -> None:
    stream = started(line, FakeClock())
    line.faults.unplugged = True
    line.receive(0.0)
    with pytest.raises(RobotFault, match=rf"^{line.path}: the IMU's port is gone"):
        stream.read()


def test_reading_what_is_not_open_is_an_error_and_closing_twice_is_none(line: Line) -> None:
    stream = started(line, FakeClock())
    stream.close()
    stream.close()
    with pytest.raises(RobotError, match="not open"):
        stream.read()
