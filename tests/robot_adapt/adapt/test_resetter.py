from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, ImuReading, JointCommand, RobotError, RobotFault, RobotState
from robot_adapt.adapt.resetter import EmulatedReset, OperatorReset, make_ready, stand_up
from robot_adapt.backends import MockRobotConfig
from robot_adapt.config import load, shipped
from tests.builders import SPEC

LIMITS = load(shipped("rigs", "mock.yaml"), MockRobotConfig).limits
RANDOMNESS = np.random.default_rng(0)


class Recording(MockRobot):
    """Remembers every position it was told; breaks, and lets itself be connected again or not, as it is told."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(SPEC, clock, lambda: self.broken)
        self.told: list[FloatArray] = []
        self.broken: str | None = None
        self.connections = 0
        self.roll_rad = 0.0

    def connect(self) -> None:
        if self.broken == "unplugged":
            raise RobotError("/dev/ttyUSB0: no such device")
        self.connections += 1
        if self.broken == "needs a new port":
            self.broken = None
        super().connect()

    def read(self) -> RobotState:
        half_rad = 0.5 * self.roll_rad
        leaning = ImuReading(np.array([math.cos(half_rad), math.sin(half_rad), 0.0, 0.0]), np.zeros(3))
        return replace(super().read(), imu=leaning)

    def write(self, command: JointCommand) -> JointCommand:
        self.told.append(command.positions_rad)
        return super().write(command)


def crouched() -> tuple[Recording, FakeClock]:
    clock = FakeClock()
    robot = Recording(clock)
    robot.connect()
    robot._positions = SPEC.stance_rad - 0.6
    return robot, clock


def supervised() -> tuple[SafetySupervisor, Recording, FakeClock]:
    clock = FakeClock()
    robot = Recording(clock)
    supervisor = SafetySupervisor(robot, LIMITS, clock, EventLog())
    supervisor.connect()
    return supervisor, robot, clock


def broken_down(supervisor: SafetySupervisor, robot: Recording, why: str) -> None:
    robot.broken = why
    with pytest.raises(RobotFault):
        supervisor.read()


def test_standing_up_starts_from_the_measured_pose_and_never_jumps() -> None:
    robot, clock = crouched()
    stand_up(robot, clock)
    told = np.array([SPEC.stance_rad - 0.6, *robot.told])
    assert np.abs(np.diff(told, axis=0)).max() < 0.01
    np.testing.assert_allclose(robot.read().positions_rad, SPEC.stance_rad, atol=0.02)


def test_the_robot_gets_up_only_when_the_operator_says_go() -> None:
    supervisor, robot, clock = supervised()
    asked: list[tuple[str, int]] = []
    OperatorReset(supervisor, clock, lambda why: asked.append((why, len(robot.told))))(RANDOMNESS)
    assert asked == [("", 0)]
    assert len(robot.told) > 50


def test_after_a_safety_stop_the_operator_is_told_why_before_anything_is_armed_again() -> None:
    supervisor, robot, clock = supervised()
    broken_down(supervisor, robot, "a leg is caught")
    asked: list[str] = []

    def free_the_leg(why: str) -> None:
        asked.append(why)
        with pytest.raises(RobotFault):
            supervisor.read()
        robot.broken = None

    OperatorReset(supervisor, clock, free_the_leg)(RANDOMNESS)
    assert len(asked) == 1
    assert "a leg is caught" in asked[0]
    assert supervisor.stopped_because is None
    assert robot.connections == 1


def test_the_operator_is_asked_again_while_something_is_still_wrong() -> None:
    supervisor, robot, clock = supervised()
    broken_down(supervisor, robot, "unplugged")
    asked: list[str] = []

    def answer(why: str) -> None:
        asked.append(why)
        if len(asked) == 3:
            robot.broken = None

    OperatorReset(supervisor, clock, answer)(RANDOMNESS)
    assert "unplugged" in asked[0]
    assert asked[1:] == ["/dev/ttyUSB0: no such device"] * 2
    assert robot.connections == 2


def test_a_robot_that_cannot_be_armed_as_it_is_gets_its_ports_opened_anew() -> None:
    supervisor, robot, _ = supervised()
    broken_down(supervisor, robot, "cable out")
    with pytest.raises(RobotError):
        make_ready(supervisor)
    robot.broken = None
    make_ready(supervisor)
    assert supervisor.read() is not None
    assert robot.connections == 3


def test_a_cable_that_came_out_while_the_robot_was_carried_is_found_again() -> None:
    supervisor, robot, clock = supervised()

    def carried(why: str) -> None:
        assert why == ""
        robot.broken = "needs a new port"

    OperatorReset(supervisor, clock, carried)(RANDOMNESS)
    assert robot.connections == 2
    assert len(robot.told) > 50


def test_a_robot_that_fell_does_not_get_up_as_it_lies() -> None:
    supervisor, robot, clock = supervised()
    robot.roll_rad = 0.7  # past the end of a trial, not a fault yet
    asked: list[tuple[str, int]] = []

    def answer(why: str) -> None:
        asked.append((why, len(robot.told)))
        if len(asked) == 2:
            robot.roll_rad = 0.0

    OperatorReset(supervisor, clock, answer)(RANDOMNESS)
    assert asked == [("", 0), (f"{SPEC.name} leans 40 degrees: put it upright", 0)]
    assert len(robot.told) > 50


def test_an_emulated_robot_is_put_back_then_armed_then_stands_without_being_asked() -> None:
    supervisor, robot, clock = supervised()
    broken_down(supervisor, robot, "a leg is caught")
    seeds: list[int] = []

    def put_back(seed: int) -> None:
        seeds.append(seed)
        robot.broken = None

    EmulatedReset(supervisor, clock, put_back)(np.random.default_rng(3))
    assert seeds == [int(np.random.default_rng(3).integers(2**32))]
    np.testing.assert_allclose(robot.read().positions_rad, SPEC.stance_rad, atol=0.02)


def test_an_emulated_robot_that_stays_broken_is_a_fault_of_this_trial_only() -> None:
    supervisor, robot, clock = supervised()
    broken_down(supervisor, robot, "unplugged")
    reset = EmulatedReset(supervisor, clock, lambda _: None)
    with pytest.raises(RobotFault, match="no such device"):
        reset(RANDOMNESS)
    robot.broken = None
    reset(RANDOMNESS)
    assert supervisor.read() is not None
