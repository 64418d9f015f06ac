from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.motors.fdcanusb import (
    LONGEST_LINE,
    CanFrame,
    FdcanusbReader,
    LineSplitter,
    crc8,
    send_line,
    with_checksum,
    without_checksum,
)

FRAMES = st.builds(CanFrame, st.integers(0, 0x1FFFFFFF), st.binary(max_size=64))
GARBAGE = st.binary(max_size=200)


def rcv(frame: CanFrame, checksum: bool) -> bytes:
    line = b"rcv %x %s" % (frame.identifier, frame.data.hex().encode())
    return (with_checksum(line) if checksum else line) + b"\r\n"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_the_crc_is_the_makers(data: bytes) -> None:
    fdcanusb_device = pytest.importorskip("moteus.fdcanusb_device")
    assert crc8(data) == fdcanusb_device._compute_crc8(data)
    assert with_checksum(data) == fdcanusb_device._append_checksum(data)


def test_a_frame_is_sent_filled_up_to_a_size_that_can_fd_has() -> None:
    assert send_line(CanFrame(0x8001, bytes.fromhex("1100")), False) == b"can send 8001 1100 BF\n"
    assert send_line(CanFrame(3, bytes(9)), False) == b"can send 0003 000000000000000000505050 BF\n"
    assert send_line(CanFrame(0x8001, bytes.fromhex("1100")), True) == b"can send 8001 1100 BF *%02X\n" % crc8(
        b"can send 8001 1100 BF "
    )


@pytest.mark.parametrize(
    ("line", "text", "right"),
    [
        (b"OK", b"OK", None),
        (b"OK *%02X" % crc8(b"OK "), b"OK", True),
        (b"OK *%02x" % crc8(b"OK "), b"OK", True),
        (b"OK *00", b"OK", False),
        (b"OK *0", b"OK *0", None),
        (b"OK *0g", b"OK *0g", None),
        (b"OK *\xff\xff", b"OK *\xff\xff", None),
        (b"*00", b"", True),
        (b"", b"", None),
    ],
)
def test_a_checksum_is_told_from_the_text(line: bytes, text: bytes, right: bool | None) -> None:
    assert without_checksum(line) == (text, right)


@settings(deadline=None)
@given(FRAMES, st.booleans())
def test_a_frame_comes_back_as_it_was(frame: CanFrame, checksum: bool) -> None:
    reader = FdcanusbReader()
    reader.checksums = checksum
    assert reader.receive(rcv(frame, checksum)) == [frame]
    assert reader.damaged == 0


def test_an_adapters_flags_and_time_stamps_are_passed_over() -> None:
    frames = FdcanusbReader().receive(b"rcv 0100 2100 E B F r x-1\r\nrcv 100 210a E b f t123 f-1\r\nrcv 0100  e b F r xff\r\n")
    assert frames == [CanFrame(0x100, b"\x21\x00"), CanFrame(0x100, b"\x21\x0a"), CanFrame(0x100, b"")]


@pytest.mark.parametrize(
    "line",
    [
        b"rcv", b"rcv 100 2", b"rcv 100 2g", b"rcv 0x1 21", b"rcv 1_0 21", b"rcv +1 21", b"rcv 100 21\xff", b"rcv 123456789 21",
        b"rcv 100  21 00 \x00", b"ERR checksum", b"ok", b"rcv 100 " + b"00" * 65, b"hello", b"rcv 100 fa1", b"rcv 100 21 Q",
    ],
)  # fmt: skip
def test_a_damaged_line_is_counted_and_left_out(line: bytes) -> None:
    reader = FdcanusbReader()
    assert reader.receive(line + b"\n") == []
    assert reader.damaged == 1


def test_a_wrong_or_missing_checksum_is_damage() -> None:
    reader = FdcanusbReader()
    assert reader.receive(b"rcv 100 2100 *00\n") == []
    assert reader.damaged == 1
    reader.checksums = True
    assert reader.receive(b"rcv 100 2100\nOK\n") == []
    assert reader.damaged == 3


@settings(deadline=None)
@given(FRAMES, st.data())
def test_one_turned_bit_never_passes_with_a_checksum(frame: CanFrame, data: st.DataObject) -> None:
    line = bytearray(rcv(frame, True))
    at = data.draw(st.integers(0, len(line) - 3))
    line[at] ^= 1 << data.draw(st.integers(0, 7))
    reader = FdcanusbReader()
    reader.checksums = True
    received = reader.receive(bytes(line))
    assert received in ([], [frame])  # the case of a checksum's digit does not matter


def test_what_is_acknowledged_is_kept_for_whoever_asks_and_no_more_than_some() -> None:
    reader = FdcanusbReader()
    reader.receive(b"OK\r\n" + with_checksum(b"OK") + b"\r\nERR unknown flag\r\n")
    assert list(reader.answers) == [(b"OK", False), (b"OK", True), (b"ERR unknown flag", False)]
    reader.receive(b"OK\n" * 10_000)
    assert len(reader.answers) < 100


@settings(deadline=None)
@given(st.lists(st.one_of(GARBAGE.filter(lambda g: b"rcv" not in g), FRAMES)), st.data())
def test_frames_survive_garbage_between_them_however_it_is_cut(mixed: list[bytes | CanFrame], data: st.DataObject) -> None:
    stream = b"".join(b"\n" + (rcv(m, True) if isinstance(m, CanFrame) else m + b"\n") for m in mixed)
    reader = FdcanusbReader()
    reader.checksums = True
    received = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += reader.receive(stream[:size])
        stream = stream[size:]
    assert received == [m for m in mixed if isinstance(m, CanFrame)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=2000)))
def test_any_bytes_are_taken_and_no_more_than_a_line_is_kept(chunks: list[bytes]) -> None:
    reader = FdcanusbReader()
    for chunk in chunks:
        reader.receive(chunk)
        assert len(reader._lines._rest) <= LONGEST_LINE


def test_a_line_too_long_is_thrown_away_up_to_its_end() -> None:
    lines = LineSplitter()
    for _ in range(5):
        assert lines.receive(b"x" * 400) == []
        assert len(lines._rest) <= LONGEST_LINE
    assert lines.receive(b"tail\nOK\r\nr") == [b"OK"]
    assert lines.receive(b"cv\n") == [b"rcv"]
    assert lines.receive(b"y" * 600 + b"\nOK\n") == [b"OK"]
