from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from hardware.emulators.faults import ImuFaults
from hardware.emulators.vectornav import EmulatedVn100
from hardware.imu.vectornav_text import crc16, sentence
from tests.hardware.imu.orientations import COSINE, HALF, LEVEL, NOSE_UP, RIGHT_SIDE_DOWN, TURNED_LEFT, reading


def unit(**changes: object) -> EmulatedVn100:
    made = EmulatedVn100(lambda: reading(LEVEL), **changes)  # type: ignore[arg-type]
    made.unasked(0.0)
    return made


def said(made: EmulatedVn100, command: str) -> str:
    """The answer to a command, without `$` and checksum."""
    [answer] = made.receive(sentence(command))
    assert answer == sentence(answer[1:-5].decode())
    return answer[1:-5].decode()


def refusal(command: str, **changes: object) -> int:
    code = said(unit(**changes), command).split(",")
    assert code[0] == "VNERR"
    return int(code[1], 16)


def test_it_says_who_it_is() -> None:
    assert said(unit(), "VNRRG,01") == "VNRRG,01,VN-100T-CR"
    assert said(unit(), "VNRRG,5") == "VNRRG,05,115200"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("VNXYZ", 4),
        ("GPGGA,1,2", 4),
        ("VNRRG", 5),
        ("VNWRG,06", 5),
        ("VNWRG,75,1,4", 5),
        ("VNWRG,75,1,4,01", 5),
        ("VNRRG,1,2", 6),
        ("VNRST,1", 6),
        ("VNWRG,75,1,4,01,0130,0001", 6),
        ("VNASY,2", 7),
        ("VNRRG,one", 7),
        ("VNWRG,06,99", 7),
        ("VNWRG,07,33", 7),
        ("VNWRG,75,1,0,01,0130", 7),
        ("VNWRG,75,1,4,04,0001", 7),
        ("VNWRG,75,1,4,01,8000", 7),
        ("VNWRG,05,9600", 7),
        ("VNRRG,200", 8),
        ("VNWRG,200,1", 8),
        ("VNWRG,01,VN-200", 9),
    ],
)
def test_what_it_cannot_do_it_refuses_with_the_manuals_code(command: str, code: int) -> None:
    assert refusal(command) == code


def test_output_that_the_baud_rate_has_no_room_for_is_refused_and_changes_nothing() -> None:
    made = unit(baud=57600)
    assert said(made, "VNWRG,75,1,4,01,0130") == "VNERR,0C"
    assert said(made, "VNRRG,75") == "VNRRG,75,0,1,00"
    assert said(unit(), "VNWRG,75,1,3,01,0130") == "VNERR,0C"  # 46 bytes and the factory's ASCII output


def test_a_wrong_checksum_is_refused() -> None:
    assert unit().receive(b"$VNRRG,01*00\r\n") == [sentence("VNERR,03")]


def test_a_command_may_come_in_pieces_and_several_at_once() -> None:
    made = unit()
    commands = sentence("VNRRG,01") + sentence("VNASY,0")
    assert made.receive(commands[:5]) == []
    assert len(made.receive(commands[5:])) == 2


def test_from_the_factory_it_sends_ascii_at_40_hz() -> None:
    made = EmulatedVn100(lambda: reading(LEVEL))
    lines = [line for tick in range(1000) for line in made.unasked(0.001 * tick)]
    assert len(lines) == 40
    assert lines[0].startswith(b"$VNYMR,")
    assert {len(line) for line in lines} == {122}
    assert made.next_s() == pytest.approx(1.0)


def test_paused_it_sends_nothing_and_resumed_it_goes_on() -> None:
    made = unit()
    said(made, "VNASY,0")
    assert made.unasked(1.0) == []
    said(made, "VNASY,1")
    assert len(made.unasked(2.0)) == 1


def test_what_is_written_is_lost_with_a_reset_unless_saved_and_with_a_restore_always() -> None:
    made = unit()
    said(made, "VNWRG,06,0")
    said(made, "VNRST")
    assert said(made, "VNRRG,06") == "VNRRG,06,14"
    said(made, "VNWRG,06,0")
    said(made, "VNWNV")
    said(made, "VNRST")
    assert said(made, "VNRRG,06") == "VNRRG,06,0"
    said(made, "VNRFS")
    assert said(made, "VNRRG,06") == "VNRRG,06,14"


def test_a_binary_packet_has_what_its_mask_says_in_the_order_of_the_bits() -> None:
    made = unit()
    said(made, "VNWRG,06,0")
    said(made, "VNWRG,75,1,8,01,0139")
    [packet] = made.unasked(0.5)
    assert packet[:4] == bytes.fromhex("FA013901")
    assert crc16(packet[1:]) == 0
    nanoseconds, *floats = struct.unpack("<Q13f", packet[4:-2])
    assert nanoseconds == 500_000_000
    np.testing.assert_allclose(floats, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, -9.80665], atol=1e-6)


@pytest.mark.parametrize(
    ("orientation", "quaternion_xyzw", "yaw_pitch_roll", "acceleration"),
    [
        (NOSE_UP, (0.0, HALF, 0.0, COSINE), (0.0, 30.0, 0.0), (4.903, 0.0, -8.493)),
        (RIGHT_SIDE_DOWN, (HALF, 0.0, 0.0, COSINE), (0.0, 0.0, 30.0), (0.0, -4.903, -8.493)),
        (TURNED_LEFT, (0.0, 0.0, -HALF, COSINE), (-30.0, 0.0, 0.0), (0.0, 0.0, -9.807)),
    ],
)
def test_what_it_says_of_a_turned_robot_is_what_the_manual_means(
    orientation: np.typing.NDArray[np.float64],
    quaternion_xyzw: tuple[float, ...],
    yaw_pitch_roll: tuple[float, ...],
    acceleration: tuple[float, ...],
) -> None:
    """By hand: z down, y right. A real unit's nose-down example in the manual feels its gravity with the same signs."""
    made = EmulatedVn100(lambda: reading(orientation, (0.1, 0.2, 0.3)))
    made.unasked(0.0)
    said(made, "VNWRG,06,0")
    said(made, "VNWRG,75,1,8,01,0138")
    floats = struct.unpack("<13f", made.unasked(1.0)[0][4:-2])
    np.testing.assert_allclose(floats[:3], yaw_pitch_roll, atol=1e-4)
    np.testing.assert_allclose(floats[3:7], quaternion_xyzw, atol=1e-6)
    np.testing.assert_allclose(floats[7:10], (0.1, -0.2, -0.3), atol=1e-6)
    np.testing.assert_allclose(floats[10:], acceleration, atol=1e-3)


def test_without_numbers_its_packets_are_good_ones_of_no_numbers() -> None:
    made = unit(faults=ImuFaults(nan=True))
    said(made, "VNWRG,06,0")
    said(made, "VNWRG,75,1,8,01,0130")
    [packet] = made.unasked(1.0)
    assert crc16(packet[1:]) == 0
    assert all(math.isnan(value) for value in struct.unpack("<10f", packet[4:-2]))


def test_late_it_skips_packets_and_sends_no_burst() -> None:
    made = unit()
    assert len(made.unasked(10.0)) == 1


def test_slow_lines_and_physics_that_exploded_raise_nothing() -> None:
    made = EmulatedVn100(lambda: reading(LEVEL * np.nan, (1e300, -math.inf, math.nan)), baud=9600)
    assert len(made.unasked(0.0)) == 1
    said(made, "VNWRG,06,0")
    said(made, "VNWRG,75,1,800,01,0139")
    assert len(made.unasked(1.0)) == 1
