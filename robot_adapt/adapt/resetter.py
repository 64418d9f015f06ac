"""Getting a robot back to its start between trials: a snapshot in simulation, an operator and standing up on a robot."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hardware.clock import Clock
from hardware.parking import PERIOD_S, ramp
from hardware.robot import Robot
from hardware.safety import SafetySupervisor
from hardware.types import RobotError, RobotFault

_RAMP_S = 1.5
_SETTLE_S = 0.3


def stand_up(robot: Robot, clock: Clock, ramp_s: float = _RAMP_S) -> None:
    """Moves every joint to the stance in a straight line from where it is *measured* to be; no jump, whatever the pose."""
    start_rad, start_s = robot.read().positions_rad, clock.now()
    for step, goal_rad in enumerate(ramp(start_rad, robot.spec.stance_rad, ramp_s), 1):
        robot.write(robot.spec.position_command(goal_rad))
        clock.sleep_until(start_s + step * PERIOD_S)
        robot.read()


def make_ready(robot: SafetySupervisor) -> None:
    """Arms a robot again that was stopped, with its ports opened anew if need be.

    Raises RobotError saying what is wrong: also one that fell without being stopped is not to get up as it lies.
    """
    try:
        robot.connect()
        robot.rearm()
        state = robot.look()  # a cable may have come out while the robot was carried, and is in again
    except RobotError:
        robot.close()
        robot.connect()
        state = robot.look()
    if (tilt_rad := state.imu.tilt_rad) > robot.spec.max_tilt_rad:
        raise RobotFault(f"{robot.spec.name} leans {math.degrees(tilt_rad):.0f} degrees: put it upright")


class OperatorReset:
    """A person puts the robot at its start, damped as it is meanwhile, and says so; then it gets up by itself.

    After a safety stop the person is told why, and asked again for as long as something is still wrong.

    Args:
        confirm: is given why the robot was stopped, or nothing, and returns when the person says go.

    """

    def __init__(self, robot: SafetySupervisor, clock: Clock, confirm: Callable[[str], None]) -> None:
        self._robot = robot
        self._clock = clock
        self._confirm = confirm

    def __call__(self, generator: np.random.Generator) -> None:
        why, ready = self._robot.stopped_because or "", False
        if not why:
            self._robot.stop()  # before the first trial it still holds the pose in which it was armed
        while not ready:
            self._confirm(why)
            try:
                make_ready(self._robot)
                ready = True
            except RobotError as error:
                why = str(error)
        stand_up(self._robot, self._clock)


class EmulatedReset:
    """Physics behind emulated devices is put back; the robot, armed again if need be, takes its stance. Nobody is asked.

    Args:
        put_back: is given a seed, and returns when the physics stands at its start.

    """

    def __init__(self, robot: SafetySupervisor, clock: Clock, put_back: Callable[[int], None]) -> None:
        self._robot = robot
        self._clock = clock
        self._put_back = put_back

    def __call__(self, generator: np.random.Generator) -> None:
        self._put_back(int(generator.integers(2**32)))
        try:
            make_ready(self._robot)
        except RobotError as error:
            raise RobotFault(str(error)) from None  # this trial is aborted; the next one may find it healed
        stand_up(self._robot, self._clock, _SETTLE_S)
