from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hardware.emulators.faults import LineFaults
from hardware.emulators.line import Line
from hardware.serial_port import open_exclusive

WAIT_S = 5.0  # for what comes at once, also on a busy machine


@contextlib.contextmanager
def cable(baud: int | None = None, host_baud: int = 115200, **faults: float) -> Iterator[tuple[Line, serial.Serial]]:
    line = Line(baud, LineFaults(**faults), seed=1)  # type: ignore[arg-type]
    try:
        with open_exclusive(line.path, host_baud) as host:
            yield line, host
    finally:
        line.close()


def received(line: Line, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.receive(WAIT_S)
        assert more, "nothing came"
        data += more
    return data


def heard(line: Line, host: serial.Serial, size: int) -> bytes:
    """What has come to the host, up to a size, while the line goes on."""
    data, until_s = b"", time.monotonic() + WAIT_S
    while len(data) < size and time.monotonic() < until_s:
        line.receive(0.0)
        data += host.read(size - len(data))
    return data


def test_every_byte_goes_through_unchanged_both_ways() -> None:
    every = bytes(range(256))
    with cable() as (line, host):
        host.write(every)
        assert received(line, 256) == every
        line.send(every)
        assert heard(line, host, 256) == every


def test_bytes_take_their_time_and_are_not_there_before() -> None:
    with cable(baud=9600, host_baud=9600) as (line, host):  # 96 bytes: 0.1 s
        begin_s = time.monotonic()
        host.write(bytes(96))
        assert line.receive(0.05) == b""
        assert received(line, 96) == bytes(96)
        asked_s = time.monotonic() - begin_s
        line.send(bytes(96))
        assert host.read(96) == b""
        assert heard(line, host, 96) == bytes(96)
        assert asked_s >= 0.1
        assert time.monotonic() - begin_s >= 0.2


def test_packets_take_their_time_one_after_the_other() -> None:
    with cable(baud=9600, host_baud=9600) as (line, host):
        begin_s = time.monotonic()
        line.receive(0.0)
        line.send(b"a" * 48)  # 0.05 s
        line.send(b"b" * 48)
        assert heard(line, host, 96) == b"a" * 48 + b"b" * 48
        assert time.monotonic() - begin_s >= 0.1


def test_lateness_of_its_thread_is_no_time_on_the_wire() -> None:
    with cable(baud=115200) as (line, host):
        begin_s = time.monotonic()
        for _ in range(100):  # 1152 bytes: 0.1 s of wire, in a hundred pieces
            host.write(bytes(6))
            received(line, 6)
            line.send(bytes(6))
            heard(line, host, 6)
        assert 0.1 <= time.monotonic() - begin_s < WAIT_S


def test_a_packet_on_its_way_out_does_not_keep_one_from_coming_in() -> None:
    with cable(baud=9600, host_baud=9600) as (line, host):
        line.send(bytes(960))  # a second
        host.write(b"stop")
        begin_s = time.monotonic()
        assert received(line, 4) == b"stop"
        assert time.monotonic() - begin_s < 0.9


def test_a_host_at_another_baud_rate_hears_and_says_noise() -> None:
    with cable(baud=115200, host_baud=57600) as (line, host):
        host.write(b"hello")
        assert received(line, 5) != b"hello"
        line.send(b"hello")
        assert heard(line, host, 5) != b"hello"


def test_a_dropped_packet_never_comes() -> None:
    with cable(drop=1.0) as (line, host):
        line.send(b"lost")
        line.faults.drop = 0.0
        line.send(b"next")
        assert heard(line, host, 4) == b"next"


def test_merged_packets_come_together() -> None:
    with cable(merge=1.0) as (line, host):
        line.send(b"one")
        assert host.read(3) == b""
        line.faults.merge = 0.0
        line.send(b"two")
        assert heard(line, host, 6) == b"onetwo"


def test_a_late_packet_comes_later() -> None:
    with cable(late=1.0, late_s=0.1) as (line, host):
        begin_s = time.monotonic()
        line.receive(0.0)
        line.send(b"late")
        assert heard(line, host, 4) == b"late"
        assert time.monotonic() - begin_s >= 0.1


def test_corruption_turns_one_bit_of_a_byte_in_both_directions() -> None:
    with cable(corrupt_byte=1.0) as (line, host):
        host.write(bytes(50))
        assert [byte.bit_count() for byte in received(line, 50)] == [1] * 50
        line.send(bytes(50))
        assert [byte.bit_count() for byte in heard(line, host, 50)] == [1] * 50


def test_faults_by_rate_are_those_of_the_seed() -> None:
    def sent(seed: int) -> bytes:
        line = Line(None, LineFaults(drop=0.3, corrupt_byte=0.1, merge=0.2), seed)
        with open_exclusive(line.path, 115200) as host:
            for packet in range(50):
                line.send(bytes([packet] * 8))
            line.faults = LineFaults()
            line.send(b"the end")
            host.timeout = WAIT_S
            data: bytes = host.read_until(b"the end")
        line.close()
        return data

    assert sent(3) == sent(3)
    assert sent(3) != sent(4)


def test_a_pulled_cable_fails_the_host_and_a_new_one_is_at_the_same_path() -> None:
    with cable() as (line, host):
        path = line.path
        line.faults.unplugged = True
        assert line.receive(0.0) == b""
        with pytest.raises(OSError, match=r"."):
            host.read(1)
        with pytest.raises(OSError, match=r"."):
            host.write(b"x")
        assert not Path(path).exists()
        line.faults.unplugged = False
        line.receive(0.0)
        with open_exclusive(path, 115200) as again:
            line.send(b"back")
            assert heard(line, again, 4) == b"back"
            again.write(b"hello")
            assert received(line, 5) == b"hello"


def test_a_reader_that_does_not_read_stops_nobody() -> None:
    with cable() as (line, host):
        for _ in range(3000):
            line.send(bytes(46))
        host.timeout = WAIT_S
        assert len(host.read(46)) == 46


def test_a_link_can_be_where_the_user_wants_it(tmp_path: Path) -> None:
    wanted = tmp_path / "imu"
    line = Line(None, path=wanted)
    assert line.path == str(wanted)
    with open_exclusive(str(wanted), 115200):
        pass
    line.close()
    assert not wanted.is_symlink()


def test_closing_and_pulling_leave_no_descriptor_and_no_link_behind() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        line = Line(115200)
        line.faults.unplugged = True
        line.receive(0.0)
        line.faults.unplugged = False
        line.receive(0.0)
        line.close()
        line.close()
        assert not Path(line.path).parent.exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
