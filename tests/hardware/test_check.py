from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hardware import check
from hardware.clock import FakeClock
from hardware.composed import ComposedRobot
from hardware.events import EventLog
from hardware.limits import BatteryTiers, JointLimits, SafetyLimits
from hardware.motors.bus import MotorReadings
from hardware.safety import SafetySupervisor
from hardware.types import ImuReading
from tests.builders import SPEC
from tests.hardware.fake_bus import FakeBus, FakeImu

N = len(SPEC.joints)
LIMITS = SafetyLimits(tuple(JointLimits(10.0, 0.2, 5.0, 100.0, 10.0, 50.0) for _ in SPEC.joints), 1000.0)
DEVICE_RAD = np.array([j.sign * j.stance_rad + j.offset_rad for j in SPEC.joints])


@dataclass
class Bench:
    """A fake robot in its stance; every reading takes `read_s`."""

    clock: FakeClock
    bus: FakeBus
    imu: FakeImu
    robot: ComposedRobot
    supervisor: SafetySupervisor
    read_s: float = 0.001


@pytest.fixture
def bench() -> Bench:
    clock, bus, imu = FakeClock(), FakeBus(SPEC.joint_names), FakeImu()
    bus.positions_rad = DEVICE_RAD.copy()
    robot = ComposedRobot(SPEC, bus, imu, clock)
    made = Bench(clock, bus, imu, robot, SafetySupervisor(robot, LIMITS, clock, EventLog()))
    plain = bus.read

    def timed() -> MotorReadings:
        clock.advance(made.read_s)
        return plain()

    bus.read = timed  # type: ignore[method-assign]
    return made


def test_a_sound_bus_tells_its_latency_its_rate_and_that_nothing_was_lost(bench: Bench) -> None:
    finding = check.bus_finding(check.read_often(bench.bus, bench.clock, 300), N, 50.0)
    assert finding.fine
    assert finding.seen == "300 reads: 1.00 ms (p99 1.00 ms), at most 1000 Hz, 0 of 2400 replies lost"


def test_a_slow_bus_and_a_lossy_one_are_told_apart(bench: Bench) -> None:
    bench.read_s = 0.012
    slow = check.bus_finding(check.read_often(bench.bus, bench.clock, 50), N, 50.0)
    assert slow.advice.startswith("too slow for 50 Hz: raise the baud rate")
    bench.bus.silent = [k % 10 == 0 for k in range(50)]
    lossy = check.bus_finding(check.read_often(bench.bus, bench.clock, 50), N, 50.0)
    assert "40 of 400 replies lost" in lossy.seen
    assert "cables" in lossy.advice


def findings(bench: Bench, limits: SafetyLimits = LIMITS) -> list[check.Finding]:
    return check.motor_findings(SPEC, bench.bus.open(), bench.bus.read(), limits)


def test_every_motor_has_a_row_with_what_it_is_and_where(bench: Bench) -> None:
    rows = findings(bench)
    assert [row.what for row in rows] == list(SPEC.joint_names)
    assert all(row.fine for row in rows)
    assert rows[1].seen == "id 2, XM430-W350, firmware 47: 12.0 V, 30 degC, +1.57 rad"


def test_an_error_heat_a_low_battery_and_a_joint_outside_its_limits_are_each_advised(bench: Bench) -> None:
    bench.bus.readings.errors[SPEC.joint_names[0]] = "overload"
    bench.bus.readings.temperatures_c[1] = 60.0
    bench.bus.positions_rad[2] += 4.0
    rows = findings(bench)
    assert rows[0].seen.endswith("overload")
    assert [row.advice.split()[0] if row.advice else "" for row in rows[:4]] == ["clear", "let", "outside", ""]
    low = findings(bench, replace(LIMITS, battery=BatteryTiers(13.0, 12.5, 11.0)))
    assert low[3].advice == "charge the battery: no trial begins at 12.5 V or less"


def test_an_imu_tells_its_rate_by_new_readings(bench: Bench) -> None:
    read = bench.imu.read

    def streaming() -> ImuReading:
        return replace(read(), time_s=math.floor(bench.clock.now() * 200.0 + 1e-9) / 200.0)

    bench.imu.read = streaming  # type: ignore[method-assign]
    finding = check.imu_finding("VN-100", bench.imu, bench.clock)
    assert finding.fine
    assert float(finding.seen.split()[1]) == pytest.approx(200.0, abs=3.0)


def test_a_frozen_imu_one_without_numbers_and_a_tilted_robot_are_told(bench: Bench) -> None:
    assert "says the same for ever" in check.imu_finding("VN-100", bench.imu, bench.clock).advice
    bench.imu.reading = ImuReading(np.full(4, math.nan), np.zeros(3))
    assert "not a number" in check.imu_finding("VN-100", bench.imu, bench.clock).seen
    leaning = ImuReading(np.array([math.cos(0.2), math.sin(0.2), 0.0, 0.0]), np.zeros(3))
    assert check.upright_finding(leaning) == check.Finding(
        "upright", "roll +23, pitch +0 degrees", "put the robot level; if it is, correct imu.mounting_wxyz"
    )
    assert check.upright_finding(ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))).fine


def moved(bench: Bench, joint: int) -> check.Finding:
    bench.supervisor.connect()
    hold = bench.supervisor.read().positions_rad
    shares = check.small_motion(bench.supervisor, bench.clock, joint, hold, 0.09, 2.0, 0.02)
    return check.motion_finding(SPEC, joint, shares)


@pytest.mark.parametrize("joint", range(N))
def test_each_joint_is_moved_alone_and_found_to_have_moved(bench: Bench, joint: int) -> None:
    seen: list[float] = []
    write = bench.bus.write

    def watched(command: object) -> object:
        sent = write(command)  # type: ignore[arg-type]
        seen.append(float(np.abs(np.delete(bench.bus.positions_rad - DEVICE_RAD, joint)).max()))
        return sent

    bench.bus.write = watched  # type: ignore[method-assign, assignment]
    finding = moved(bench, joint)
    assert finding.fine, finding
    assert finding.what == SPEC.joint_names[joint]
    assert max(seen) < 1e-6


def test_the_motion_is_small_both_ways_and_ends_where_it_began(bench: Bench) -> None:
    places: list[float] = []
    write = bench.bus.write

    def watched(command: object) -> object:
        sent = write(command)  # type: ignore[arg-type]
        places.append(float(bench.bus.positions_rad[2] - DEVICE_RAD[2]))
        return sent

    bench.bus.write = watched  # type: ignore[method-assign, assignment]
    moved(bench, 2)
    assert max(places) == pytest.approx(0.09, abs=0.005)
    assert min(places) == pytest.approx(-0.09, abs=0.005)
    assert places[-1] == pytest.approx(0.0, abs=0.005)
    assert np.abs(np.diff(places)).max() < 0.01


def test_at_a_limit_the_motion_is_shifted_inside(bench: Bench) -> None:
    joint = SPEC.joints[0]
    bench.bus.positions_rad[0] = joint.sign * joint.upper_rad + joint.offset_rad
    assert moved(bench, 0).fine


def test_a_jammed_joint_and_another_one_moving_are_told(bench: Bench) -> None:
    bench.bus.follows[3] = 0.0
    assert "jammed" in moved(bench, 3).advice
    bench.bus.mirror[4], bench.bus.mirror[5] = 5, 4
    wrong = moved(bench, 4)
    assert wrong.seen == f"{SPEC.joint_names[5]} moved instead"


def test_a_stopped_robot_refuses_commands_and_gives_way_to_a_hand(bench: Bench) -> None:
    def hand(meanwhile: Callable[[], None]) -> None:
        bench.bus.positions_rad[0] += 0.2
        meanwhile()

    bench.supervisor.connect()
    finding = check.stop_finding(bench.supervisor, 0, hand)
    assert (finding.fine, finding.seen) == (True, f"commands refused, {SPEC.joint_names[0]} gave way by 0.20 rad")
    assert bench.bus.told[-1] == "damp"
    bench.supervisor.rearm()
    assert moved(bench, 0).fine


def test_a_stop_that_leaves_the_joints_stiff_is_told(bench: Bench) -> None:
    bench.supervisor.connect()
    stiff = check.stop_finding(bench.supervisor, 0, lambda meanwhile: meanwhile())
    assert "do not use this robot" in stiff.advice


def test_a_supervisor_that_takes_commands_when_stopped_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.supervisor.connect()
    monkeypatch.setattr(bench.supervisor, "halt", lambda _: None)
    assert check.stop_finding(bench.supervisor, 0, lambda _: None).seen == "a stopped robot took a command"
