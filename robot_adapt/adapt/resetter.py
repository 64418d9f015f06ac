"""Getting a robot back to its start between trials: a snapshot in simulation, standing up and an operator on a robot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardware.clock import Clock
from hardware.robot import Robot

_RAMP_S = 1.5
_PERIOD_S = 0.02


def stand_up(robot: Robot, clock: Clock) -> None:
    """Moves every joint to the stance in a straight line from where it is *measured* to be; no jump, whatever the pose."""
    start_rad, start_s = robot.read().positions_rad, clock.now()
    steps = round(_RAMP_S / _PERIOD_S)
    for step in range(1, steps + 1):
        share = step / steps
        goal_rad = (1.0 - share) * start_rad + share * robot.spec.stance_rad
        robot.write(robot.spec.position_command(goal_rad))
        clock.sleep_until(start_s + step * _PERIOD_S)
        robot.read()


class OperatorReset:
    """Stands the robot up, then waits until a person says that it is at its start."""

    def __init__(self, robot: Robot, clock: Clock, confirm: Callable[[], None]) -> None:
        self._robot = robot
        self._clock = clock
        self._confirm = confirm

    def __call__(self, generator: np.random.Generator) -> None:
        stand_up(self._robot, self._clock)
        self._confirm()
