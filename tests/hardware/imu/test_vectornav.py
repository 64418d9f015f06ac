from __future__ import annotations

import contextlib
import math
import struct
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.clock import MonotonicClock
from hardware.emulators.emulator import Emulator
from hardware.emulators.faults import ImuFaults
from hardware.emulators.line import Line
from hardware.emulators.vectornav import EmulatedVn100
from hardware.events import EventLog
from hardware.imu.vectornav import BinaryOutput, VectorNavConfig, Vn100
from hardware.imu.vectornav_text import crc16, sentence
from hardware.serial_port import open_exclusive
from hardware.types import ImuReading, RobotError, RobotFault
from tests.hardware.imu.orientations import (
    COSINE,
    HALF,
    LEVEL,
    NOSE_UP,
    RIGHT_SIDE_DOWN,
    TURNED_LEFT,
    angle_between,
    reading,
    rotate,
)

STALE_S = 2.0  # generous: the machine that tests may be busy


def packet(*floats: float) -> bytes:
    body = bytes.fromhex("013001") + struct.pack("<10f", *floats)
    return b"\xfa" + body + struct.pack(">H", crc16(body))


def decoded(*floats: float) -> tuple[list[float], list[float]]:
    sample = BinaryOutput().feed(packet(*floats, *[0.0] * (10 - len(floats))))
    assert sample is not None
    return sample[0].tolist(), sample[1].tolist()


# What the unit says is by hand from its manual: vector part first; x forward, y right, z down; in north, east, down.


def test_level_and_north_is_no_turn() -> None:
    assert decoded(0.0, 0.0, 0.0, 1.0) == ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0])


def test_nose_up_is_nose_up() -> None:
    """To the unit, nose up is pitch up: with its y axis, which is to the right."""
    orientation, rates = decoded(0.0, HALF, 0.0, COSINE, 0.0, 0.5, 0.0)
    np.testing.assert_allclose(orientation, NOSE_UP, atol=1e-6)
    assert rotate(np.array(orientation), (1.0, 0.0, 0.0))[2] == pytest.approx(0.5)  # sine of thirty degrees: x points up
    np.testing.assert_allclose(rates, [0.0, -0.5, 0.0])


def test_right_side_down_is_right_side_down() -> None:
    orientation, rates = decoded(HALF, 0.0, 0.0, COSINE, 0.5)
    np.testing.assert_allclose(orientation, RIGHT_SIDE_DOWN, atol=1e-6)
    assert rotate(np.array(orientation), (0.0, -1.0, 0.0))[2] == pytest.approx(-0.5)
    np.testing.assert_allclose(rates, [0.5, 0.0, 0.0])


def test_turned_to_the_east_is_turned_right_and_to_the_west_left() -> None:
    """To the unit, yaw grows from north to east, about down."""
    orientation, rates = decoded(0.0, 0.0, -HALF, COSINE, 0.0, 0.0, -0.5)
    np.testing.assert_allclose(orientation, TURNED_LEFT, atol=1e-6)
    assert rotate(np.array(orientation), (1.0, 0.0, 0.0))[1] == pytest.approx(0.5)
    np.testing.assert_allclose(rates, [0.0, 0.0, 0.5])


def test_the_readings_sense_of_roll_and_pitch_is_ours() -> None:
    assert ImuReading(NOSE_UP, np.zeros(3)).pitch_rad == pytest.approx(math.radians(-30.0))
    assert ImuReading(RIGHT_SIDE_DOWN, np.zeros(3)).roll_rad == pytest.approx(math.radians(30.0))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", range(7))
def test_a_value_that_is_no_number_is_a_bad_packet(bad: float, at: int) -> None:
    values = [0.0, 0.0, 0.0, 1.0, 0.1, 0.2, 0.3, 0.0, 0.0, 9.8]
    decoder = BinaryOutput()
    assert decoder.feed(packet(*[bad if i == at else v for i, v in enumerate(values)])) is None
    assert decoder.damaged == 1


def test_infinities_of_both_signs_in_one_packet_are_a_bad_packet() -> None:
    """What the fuzzer found: their sum raises."""
    decoder = BinaryOutput()
    assert decoder.feed(packet(0.0, 0.0, 0.0, 1.0, math.inf, -math.inf, 0.0, 0.0, 0.0, 9.8)) is None
    assert decoder.damaged == 1


def test_a_quaternion_that_is_no_rotation_is_a_bad_packet_and_a_rounded_one_is_made_exact() -> None:
    decoder = BinaryOutput()
    assert decoder.feed(packet(*[0.0] * 10)) is None
    assert decoder.feed(packet(0.0, 0.0, 0.0, 0.5, *[0.0] * 6)) is None
    assert decoder.damaged == 2
    assert np.linalg.norm(decoded(0.0, 0.0, 0.6001, 0.8)[0]) == pytest.approx(1.0, abs=1e-12)


directions = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: math.hypot(*q) > 0.1)
rates = st.tuples(*[st.floats(-30.0, 30.0)] * 3)


@settings(deadline=None)
@given(directions, rates)
def test_any_reading_comes_back_through_the_emulated_unit(
    direction: tuple[float, ...], rate: tuple[float, float, float]
) -> None:
    said = reading(np.array(direction) / math.hypot(*direction), rate)
    unit = EmulatedVn100(lambda: said)
    unit.receive(sentence("VNWRG,06,0") + sentence("VNWRG,75,1,4,01,0130"))
    sample = BinaryOutput().feed(b"".join(unit.unasked(0.0)))
    assert sample is not None
    assert angle_between(sample[0], said.orientation_wxyz) < 1e-3
    np.testing.assert_allclose(sample[1], rate, rtol=1e-6, atol=1e-30)


@contextlib.contextmanager
def plugged(
    say: Callable[[], ImuReading] = lambda: reading(LEVEL), baud: int | None = 115200, told: bytes = b"", **config: float
) -> Iterator[tuple[Vn100, EmulatedVn100, Emulator, EventLog]]:
    """A driver for an emulated unit that somebody has told something before."""
    unit = EmulatedVn100(say, baud=baud or 115200)
    unit.unasked(time.monotonic())
    assert not any(b"VNERR" in answer for answer in unit.receive(told))
    emulator = Emulator(unit, Line(baud))
    log = EventLog()
    imu = Vn100(VectorNavConfig(emulator.path, **{"stale_s": STALE_S, **config}), log, MonotonicClock())  # type: ignore[arg-type]
    try:
        yield imu, unit, emulator, log
    finally:
        imu.close()
        emulator.close()


@pytest.mark.parametrize(
    "told",
    [
        b"",  # as from the factory: ASCII output on
        sentence("VNASY,0"),
        sentence("VNWRG,06,0") + sentence("VNWRG,75,1,4,01,0130"),
        sentence("VNWRG,06,0") + sentence("VNWRG,75,3,8,01,0138") + sentence("VNWRG,76,1,20,01,0101"),
        sentence("VNWRG,06,2") + sentence("VNWRG,07,100") + sentence("VNWRG,77,1,40,01,0001"),
        b"$VNWRG,75,1,4,0",  # half a command of a host that died
    ],
)
def test_whatever_it_was_told_before_it_opens_and_reads(told: bytes) -> None:
    with plugged(lambda: reading(NOSE_UP, (0.1, 0.2, 0.3)), told=told) as (imu, _, _, _):
        assert imu.open() == "VN-100T-CR, hardware 8, firmware 2.1.0.0, serial number 0100045678"
        got = imu.read()
        assert angle_between(got.orientation_wxyz, NOSE_UP) < 1e-3
        np.testing.assert_allclose(got.angular_velocity_rad_s, [0.1, 0.2, 0.3], rtol=1e-6)
        assert got.time_s is not None
        assert not got.rates_derived


def test_it_is_made_to_send_at_the_rate_asked_for_and_nothing_else() -> None:
    with plugged(told=sentence("VNWRG,76,1,20,01,0101"), rate_hz=100) as (imu, unit, _, _):
        imu.open()
        asked = [unit.receive(sentence(f"VNRRG,{register}"))[0][:-5] for register in ("06", "75", "76", "77")]
        assert asked == [b"$VNRRG,06,0", b"$VNRRG,75,1,8,01,0130", b"$VNRRG,76,0,1,00", b"$VNRRG,77,0,1,00"]


def test_it_may_be_closed_and_opened_again() -> None:
    with plugged() as (imu, _, _, _):
        for _ in range(2):
            imu.open()
            imu.read()
            imu.close()
        imu.close()
        with pytest.raises(RobotError, match="not open"):
            imu.read()


def test_the_baud_rate_that_it_answers_at_is_named() -> None:
    with plugged(baud=921600) as (imu, _, emulator, _), pytest.raises(RobotError) as caught:
        imu.open()
    assert str(caught.value) == f"{emulator.path}: the VN-100 answers at 921600 baud, not 115200: set baud to 921600"


def test_a_silent_port_is_named_and_free_again() -> None:
    line = Line(None)
    imu = Vn100(VectorNavConfig(line.path), EventLog(), MonotonicClock())
    with pytest.raises(RobotError, match=rf"^{line.path}: no VN-100 answers, at any baud rate: is it powered"):
        imu.open()
    open_exclusive(line.path, 115200).close()
    line.close()


def test_an_error_of_the_unit_is_told_in_words() -> None:
    with plugged(baud=None) as (imu, unit, emulator, _):
        unit._baud = 57600  # has no room for what is asked
        with pytest.raises(RobotError) as caught:
            imu.open()
    assert str(caught.value) == (
        f"{emulator.path}: the VN-100 refuses $VNWRG,75,1,4,01,0130: the baud rate has no room for this much output"
    )


def test_it_opens_and_reads_over_a_line_that_loses_and_damages() -> None:
    with plugged(lambda: reading(TURNED_LEFT)) as (imu, _, emulator, log):
        emulator.line.faults.corrupt_byte = 0.001
        emulator.line.faults.drop = 0.01
        emulator.line.faults.merge = 0.1
        imu.open()
        until_s = time.monotonic() + 10.0
        while not log.counts["bad packet"] and time.monotonic() < until_s:
            assert angle_between(imu.read().orientation_wxyz, TURNED_LEFT) < 1e-3
            time.sleep(0.005)
        assert log.counts["bad packet"]


def test_a_pulled_cable_is_a_fault_and_plugged_in_again_it_opens() -> None:
    with plugged(baud=None) as (imu, _, emulator, _):
        imu.open()
        emulator.line.faults.unplugged = True
        with pytest.raises(RobotFault, match="port is gone"):
            _read_until_fault(imu)
        imu.close()
        with pytest.raises(RobotError, match="no such device"):
            imu.open()
        emulator.line.faults.unplugged = False
        time.sleep(0.2)
        imu.open()
        imu.read()


def test_a_unit_that_says_no_numbers_is_a_fault_once_that_is_all_it_says() -> None:
    with plugged(baud=None, stale_s=0.3) as (imu, unit, _, log):
        imu.open()
        unit.faults.nan = True
        with pytest.raises(RobotFault, match="the IMU has sent nothing"):
            _read_until_fault(imu)
        assert log.counts["bad packet"] > 0
        unit.faults.nan = False
        time.sleep(0.1)
        imu.read()


def test_a_frozen_unit_says_the_same_for_ever() -> None:
    turning = iter(np.linspace(0.0, 1.0, 100_000))

    def say() -> ImuReading:
        angle = float(next(turning))
        return reading(np.array([math.cos(angle), 0.0, 0.0, math.sin(angle)]))

    unit = EmulatedVn100(say, ImuFaults())
    unit.receive(sentence("VNWRG,06,0") + sentence("VNWRG,75,1,4,01,0130"))
    first, second = unit.unasked(0.0), unit.unasked(0.1)
    assert first != second
    unit.faults.frozen = True
    assert unit.unasked(0.2) == unit.unasked(0.3) == second


def _read_until_fault(imu: Vn100) -> None:
    until_s = time.monotonic() + 10.0
    while time.monotonic() < until_s:
        imu.read()
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate_hz": 300}, "rate_hz 300: a VN-100 has divisors of 800 Hz"),
        ({"rate_hz": 0}, "rate_hz 0: a VN-100 has divisors"),
        ({"rate_hz": 400}, "rate_hz 400: 115200 baud has room for 250 readings a second"),
        ({"baud": 1_000_000}, "baud 1000000: a VN-100 has 9600"),
        ({"stale_s": 0.001}, "stale_s 0.001: shorter than two readings at 200 Hz"),
        ({"stale_s": math.nan}, "stale_s nan"),
    ],
)
def test_a_config_that_cannot_be_is_refused_in_a_line(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VectorNavConfig("/dev/ttyUSB0", **values)  # type: ignore[arg-type]
    VectorNavConfig("/dev/ttyUSB0", 921600, 800, 0.01)
