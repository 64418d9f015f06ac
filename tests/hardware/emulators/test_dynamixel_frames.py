from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.emulators.dynamixel_frames import FrameReader, Instruction, crc16, frame, status, stuffed, unstuffed

BODIES = st.binary(min_size=1, max_size=40) | st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x55]), min_size=1, max_size=40).map(
    bytes
)
GARBAGE = st.binary(max_size=60) | st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x07]), max_size=60).map(bytes)


def test_the_checksum_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0xFEE8
    assert frame(1, b"\x01") == bytes.fromhex("fffffd00 01 0300 01 194e")  # ROBOTIS e-Manual: ping of id 1


def test_a_header_within_parameters_is_stuffed_before_length_and_checksum() -> None:
    packet = frame(1, b"\x03\xff\xff\xfd\x00")
    assert packet[5:7] == b"\x08\x00"
    assert packet[7:-2] == b"\x03\xff\xff\xfd\xfd\x00"


@given(BODIES)
def test_what_is_stuffed_has_no_header_in_it_and_comes_back(body: bytes) -> None:
    assert b"\xff\xff\xfd\x00" not in stuffed(body)
    assert unstuffed(stuffed(body)) == body


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_are_read_without_an_error_and_few_are_kept(pieces: list[bytes]) -> None:
    reader = FrameReader()
    for piece in pieces:
        reader.feed(piece)
        assert len(reader._bytes) < 1024 + 7


@given(st.lists(st.tuples(GARBAGE, st.integers(0, 252), BODIES), min_size=1, max_size=5))
def test_good_frames_survive_garbage_around_them_at_once(parts: list[tuple[bytes, int, bytes]]) -> None:
    reader, wanted, found = FrameReader(), [], []
    for garbage, device_id, body in parts:
        found += reader.feed(garbage + frame(device_id, body))
        wanted.append(Instruction(device_id, body[0], body[1:]))
    assert [instruction for instruction in found if instruction.intact] == wanted


@given(BODIES, st.integers(1, 60))
def test_a_frame_may_come_in_pieces(body: bytes, piece: int) -> None:
    packet, reader, found = frame(9, body), FrameReader(), []
    for at in range(0, len(packet), piece):
        found += reader.feed(packet[at : at + piece])
    assert found == [Instruction(9, body[0], body[1:])]


def test_a_damaged_frame_is_told_as_such() -> None:
    packet = bytearray(frame(5, b"\x03\x74\x00\x01\x02"))
    packet[9] ^= 0x10
    (instruction,) = FrameReader().feed(bytes(packet))
    assert not instruction.intact
    assert instruction.device_id == 5


def test_a_damaged_length_costs_no_frame_but_its_own() -> None:
    packet = bytearray(frame(5, b"\x01"))
    packet[6] = 0x02  # 515 bytes to come
    assert FrameReader().feed(bytes(packet) + frame(6, b"\x01")) == [Instruction(6, 1, b"")]
    packet[5:7] = b"\x07\x00"  # as if it ended in the middle of the next one
    found = FrameReader().feed(bytes(packet) + frame(6, b"\x01"))
    assert [instruction for instruction in found if instruction.intact] == [Instruction(6, 1, b"")]


def test_a_status_packet_has_its_error_before_its_parameters() -> None:
    assert status(1, 0, b"\xa6\x00\x00\x00") == bytes.fromhex("fffffd00 01 0800 55 00 a6000000 8cc0")  # e-Manual: Read
