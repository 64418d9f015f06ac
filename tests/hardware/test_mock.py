from __future__ import annotations

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.mock import MockRobot
from hardware.types import RobotFault
from tests.builders import SPEC


def test_a_fault_on_command_is_a_robot_fault_that_names_the_robot() -> None:
    robot = MockRobot(SPEC, FakeClock(), fault=lambda: "cable unplugged")
    robot.connect()
    with pytest.raises(RobotFault, match="minitaur: cable unplugged"):
        robot.read()


def test_without_stiffness_joints_stay_where_they_are() -> None:
    clock = FakeClock()
    robot = MockRobot(SPEC, clock)
    robot.connect()
    robot.write(SPEC.position_command(SPEC.stance_rad + 0.5))
    clock.advance(0.02)
    moved = robot.read().positions_rad
    robot.stop()
    clock.advance(1.0)
    np.testing.assert_array_equal(robot.read().positions_rad, moved)
