from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.clock import MonotonicClock
from hardware.emulators.bno08x import EmulatedBno08x
from hardware.emulators.emulator import Emulator
from hardware.emulators.line import Line
from hardware.events import EventLog
from hardware.imu.bno08x import Bno08x, Bno08xConfig, RvcFrames
from hardware.imu.stream import Sample
from hardware.types import FloatArray, ImuReading, RobotError, RobotFault
from tests.hardware.imu.orientations import (
    LEVEL,
    NOSE_UP,
    RIGHT_SIDE_DOWN,
    TURNED_LEFT,
    angle_between,
    product,
    reading,
    rotate,
)

DATASHEET_EXAMPLE = bytes.fromhex("AAAA DE 0100 92FF 2508 8DFE ECFF D103 000000 E7")
QUANTUM_RAD = math.radians(0.01)


def frame(index: int, yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> bytes:
    angles = (round(100.0 * angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    counted = struct.pack("<B6h3x", index, *angles, 0, 0, 1000)
    return b"\xaa\xaa" + counted + bytes([sum(counted) & 0xFF])


def sample(decoder: RvcFrames, data: bytes) -> Sample:
    got = decoder.feed(data)
    assert got is not None
    return got


def oriented(yaw_deg: float, pitch_deg: float, roll_deg: float) -> FloatArray:
    decoder = RvcFrames()
    return sample(decoder, frame(0, yaw_deg, pitch_deg, roll_deg) + frame(1, yaw_deg, pitch_deg, roll_deg))[0]


def test_the_datasheets_example_feels_gravity_where_it_says_it_does() -> None:
    decoder = RvcFrames()
    assert decoder.feed(DATASHEET_EXAMPLE) is None  # no rates yet
    second = bytearray(DATASHEET_EXAMPLE)
    second[2] += 1
    second[-1] += 1
    orientation, rates = sample(decoder, bytes(second))
    w, x, y, z = orientation
    up = rotate(np.array([w, -x, -y, -z]), (0.0, 0.0, 1.0))
    felt = np.array([-371.0, -20.0, 977.0])  # mg, of the same message
    np.testing.assert_allclose(up, felt / np.linalg.norm(felt), atol=2e-3)
    np.testing.assert_allclose(rates, 0.0, atol=1e-12)


def test_what_it_calls_roll_turns_about_y_so_that_minus_is_nose_up() -> None:
    np.testing.assert_allclose(oriented(0.0, 0.0, -30.0), NOSE_UP, atol=1e-9)


def test_what_it_calls_pitch_turns_about_x_so_that_plus_is_right_side_down() -> None:
    np.testing.assert_allclose(oriented(0.0, 30.0, 0.0), RIGHT_SIDE_DOWN, atol=1e-9)


def test_its_yaw_grows_to_the_left() -> None:
    np.testing.assert_allclose(oriented(30.0, 0.0, 0.0), TURNED_LEFT, atol=1e-9)


@pytest.mark.parametrize(("axis", "angles"), [(0, (0.0, 0.5, 0.0)), (1, (0.0, 0.0, 0.5)), (2, (0.5, 0.0, 0.0))])
def test_rates_are_turns_a_frame_about_the_axis_turned_about(axis: int, angles: tuple[float, float, float]) -> None:
    expected = np.zeros(3)
    expected[axis] = math.radians(50.0)  # half a degree in a hundredth of a second
    np.testing.assert_allclose(sample(RvcFrames(), frame(0) + frame(1, *angles))[1], expected, atol=1e-9)


def test_rates_go_by_the_devices_count_and_lost_frames_are_counted() -> None:
    decoder = RvcFrames()
    _, rates = sample(decoder, frame(254) + frame(2, yaw_deg=4.0))  # four frames on, over the end of the count
    assert rates[2] == pytest.approx(math.radians(100.0))
    assert decoder.missing == 3


def test_frames_that_come_in_lumps_have_the_same_rates() -> None:
    stream = b"".join(frame(i, yaw_deg=0.3 * i) for i in range(20))
    lump = sample(RvcFrames(), stream)
    pieces = RvcFrames()
    got = [pieces.feed(stream[at : at + 7]) for at in range(0, len(stream), 7)]
    last = [each for each in got if each is not None][-1]
    np.testing.assert_array_equal(last[1], lump[1])


def test_the_shortest_way_over_half_a_turn_of_yaw_is_taken() -> None:
    _, rates = sample(RvcFrames(), frame(0, yaw_deg=179.9) + frame(1, yaw_deg=-179.9))
    assert rates[2] == pytest.approx(math.radians(20.0), rel=1e-6)


@pytest.mark.parametrize("angles", [(180.01, 0.0, 0.0), (0.0, -90.01, 0.0), (0.0, 0.0, 200.0)])
def test_angles_out_of_range_are_a_bad_packet_though_the_sum_fits(angles: tuple[float, float, float]) -> None:
    decoder = RvcFrames()
    assert decoder.feed(frame(0) + frame(1, *angles)) is None
    assert decoder.damaged == 1


def test_after_a_restart_there_is_nothing_to_differ_from() -> None:
    decoder = RvcFrames()
    decoder.feed(frame(0))
    decoder.restart()
    assert decoder.feed(frame(100, yaw_deg=90.0)) is None
    assert decoder.missing == 0


directions = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: math.hypot(*q) > 0.1)


def emulated(*orientations: FloatArray) -> bytes:
    said = iter(orientations)
    unit = EmulatedBno08x(lambda: reading(next(said)))
    return b"".join(packet for tick in range(len(orientations)) for packet in unit.unasked(0.01 * tick + 0.001))


@settings(deadline=None)
@given(directions)
@example((0.7, 0.7007704325198807, 0.7007704325198807, 0.7))  # its Y axis is nearly upright: yaw and roll are nearly one
def test_any_orientation_comes_back_through_the_emulated_unit(direction: tuple[float, ...]) -> None:
    said = np.array(direction) / math.hypot(*direction)
    orientation, rates = sample(RvcFrames(), emulated(said, said))
    assert angle_between(orientation, said) < 2.0 * QUANTUM_RAD
    np.testing.assert_allclose(rates, 0.0, atol=1e-9)


@settings(deadline=None)
@given(directions, st.tuples(*[st.floats(-20.0, 20.0)] * 3))
def test_any_rate_comes_back_within_what_a_hundredth_degree_allows(
    direction: tuple[float, ...], rate: tuple[float, float, float]
) -> None:
    before = np.array(direction) / math.hypot(*direction)
    turn = np.array(rate) * 0.01
    angle = float(np.linalg.norm(turn))
    after = product(before, np.array([math.cos(angle / 2.0), *(turn * (0.5 * np.sinc(angle / (2.0 * math.pi))))]))
    _, rates = sample(RvcFrames(), emulated(before, after))
    np.testing.assert_allclose(rates, rate, atol=2.0 * QUANTUM_RAD * 100.0)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator(EmulatedBno08x(lambda: reading(NOSE_UP)), Line(115200))
    yield made
    made.close()


def imu(emulator: Emulator, log: EventLog | None = None, stale_s: float = 2.0) -> Bno08x:
    return Bno08x(Bno08xConfig(emulator.path, stale_s=stale_s), log or EventLog(), MonotonicClock())


def test_it_opens_in_the_middle_of_the_stream_and_reads(emulator: Emulator) -> None:
    time.sleep(0.015)
    log = EventLog()
    unit = imu(emulator, log)
    for _ in range(2):
        assert "UART-RVC" in unit.open()
        got: ImuReading = unit.read()
        assert angle_between(got.orientation_wxyz, NOSE_UP) < 1e-3
        assert got.rates_derived
        unit.close()
    assert not log.counts["bad packet"]


def test_a_silent_port_is_named() -> None:
    line = Line(None)
    unit = Bno08x(Bno08xConfig(line.path), EventLog(), MonotonicClock())
    with pytest.raises(RobotError, match=rf"^{line.path}: no UART-RVC frames come"):
        unit.open()
    line.close()


def test_a_unit_that_falls_silent_is_a_fault_and_one_that_speaks_again_is_none(emulator: Emulator) -> None:
    unit = imu(emulator, stale_s=0.3)
    unit.open()
    emulator.line.faults.drop = 1.0
    with pytest.raises(RobotFault, match=rf"^{emulator.path}: the IMU has sent nothing for 0.3 s"):
        _read_for(unit, 10.0)
    emulator.line.faults.drop = 0.0
    time.sleep(0.1)
    np.testing.assert_allclose(unit.read().angular_velocity_rad_s, 0.0)
    unit.close()


def _read_for(unit: Bno08x, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        unit.read()
        time.sleep(0.005)


@pytest.mark.parametrize(("values", "message"), [({"baud": 9600}, "baud 9600: UART-RVC"), ({"stale_s": 0.01}, "stale_s 0.01")])
def test_a_config_that_cannot_be_is_refused_in_a_line(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Bno08xConfig("/dev/ttyUSB0", **values)  # type: ignore[arg-type]


def test_level_is_level() -> None:
    np.testing.assert_allclose(oriented(0.0, 0.0, 0.0), LEVEL)
