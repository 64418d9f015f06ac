from __future__ import annotations

import struct

import numpy as np
import pytest

from hardware.emulators.bno08x import EmulatedBno08x, frame
from hardware.emulators.faults import ImuFaults
from tests.hardware.imu.orientations import LEVEL, NOSE_UP, RIGHT_SIDE_DOWN, TURNED_LEFT, reading


def values(packet: bytes) -> tuple[int, ...]:
    """Index, yaw, pitch, roll (0.01 deg), acceleration (mg)."""
    return struct.unpack("<2xB6h4x", packet)


def test_the_sum_is_that_of_the_datasheets_example() -> None:
    example = bytes.fromhex("AAAA DE 0100 92FF 2508 8DFE ECFF D103 000000 E7")
    assert frame(0xDE, example[3:-1]) == example


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (LEVEL, (0, 0, 0, 0, 0, 1000)),
        (NOSE_UP, (0, 0, -3000, 500, 0, 866)),
        (RIGHT_SIDE_DOWN, (0, 3000, 0, 0, 500, 866)),
        (TURNED_LEFT, (3000, 0, 0, 0, 0, 1000)),
    ],
)
def test_what_it_says_of_a_turned_robot(orientation: np.typing.NDArray[np.float64], expected: tuple[int, ...]) -> None:
    """By hand; gravity has the signs of the datasheet's example: "roll" 20.85 deg, -371 mg along x."""
    [packet] = EmulatedBno08x(lambda: reading(orientation)).unasked(0.0)
    assert values(packet)[1:] == expected


def test_it_counts_at_100_hz_also_what_it_was_too_late_to_send() -> None:
    unit = EmulatedBno08x(lambda: reading(LEVEL))
    indices = [values(packet)[0] for tick in range(100) for packet in unit.unasked(0.005 * tick + 1.0)]
    assert indices == list(range(1, 51))
    [late] = unit.unasked(1.0 + 0.01 * 59.5)
    assert values(late)[0] == 60
    assert unit.next_s() == pytest.approx(1.6)


def test_it_hears_nothing() -> None:
    assert EmulatedBno08x(lambda: reading(LEVEL)).receive(b"reset") == []


def test_frozen_it_counts_on_and_says_the_same() -> None:
    said = iter([NOSE_UP, RIGHT_SIDE_DOWN, LEVEL])
    unit = EmulatedBno08x(lambda: reading(next(said)), ImuFaults())
    first = unit.unasked(0.0)[0]
    unit.faults.frozen = True
    second = unit.unasked(0.01)[0]
    assert values(second)[1:] == values(first)[1:]
    assert values(second)[0] == values(first)[0] + 1
    unit.faults.frozen = False
    assert values(unit.unasked(0.02)[0])[1:] != values(first)[1:]


def test_where_physics_have_no_number_it_says_what_it_said_before() -> None:
    said = iter([NOSE_UP, NOSE_UP * np.nan])
    unit = EmulatedBno08x(lambda: reading(next(said)))
    assert values(unit.unasked(0.0)[0])[1:] == values(unit.unasked(0.01)[0])[1:]
