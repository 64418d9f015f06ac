from __future__ import annotations

import numpy as np

from hardware.clock import FakeClock
from hardware.mock import MockRobot
from hardware.types import FloatArray, JointCommand
from robot_adapt.adapt.resetter import OperatorReset, stand_up
from tests.builders import SPEC


class Recording(MockRobot):
    """Remembers every position it was told."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(SPEC, clock)
        self.told: list[FloatArray] = []

    def write(self, command: JointCommand) -> JointCommand:
        self.told.append(command.positions_rad)
        return super().write(command)


def crouched() -> tuple[Recording, FakeClock]:
    clock = FakeClock()
    robot = Recording(clock)
    robot.connect()
    robot._positions = SPEC.stance_rad - 0.6
    return robot, clock


def test_standing_up_starts_from_the_measured_pose_and_never_jumps() -> None:
    robot, clock = crouched()
    stand_up(robot, clock)
    told = np.array([SPEC.stance_rad - 0.6, *robot.told])
    assert np.abs(np.diff(told, axis=0)).max() < 0.01
    np.testing.assert_allclose(robot.read().positions_rad, SPEC.stance_rad, atol=0.02)


def test_the_operator_confirms_once_the_robot_stands() -> None:
    robot, clock = crouched()
    confirmed: list[float] = []
    OperatorReset(robot, clock, lambda: confirmed.append(clock.now()))(np.random.default_rng(0))
    assert len(confirmed) == 1
    assert confirmed[0] >= 1.5
