"""A robot's YAML -> a robot with its clock, resetter and return source. The one place that knows drivers and simulators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, RootModel

from hardware.clock import Clock, MonotonicClock
from hardware.mock import MockRobot
from hardware.robot import Robot
from robot_adapt.adapt.resetter import OperatorReset
from robot_adapt.adapt.return_source import (
    MeasuredProgress,
    OperatorMeasurement,
    Progress,
    ReturnConfig,
    ReturnSource,
)
from robot_adapt.config import FROZEN, Count, Positive
from sim.dynamics import Dynamics
from sim.robots.minitaur import SPEC, LegModel

if TYPE_CHECKING:
    from sim.simulated_robot import SimulatedMinitaur


class SimulatedRobotConfig(BaseModel):
    """A robot in PyBullet; see SimulatedMinitaur."""

    model_config = FROZEN
    backend: Literal["simulated"]
    robot: Literal["minitaur"]
    leg_model: LegModel
    time_step_s: Positive
    iterations: Count
    dynamics: Dynamics
    returns: ReturnConfig


class MockRobotConfig(BaseModel):
    """No physics and no device: to rehearse a session. The operator types the returns."""

    model_config = FROZEN
    backend: Literal["mock"]
    robot: Literal["minitaur"]


class RobotConfig(RootModel[Annotated[SimulatedRobotConfig | MockRobotConfig, Field(discriminator="backend")]]):
    """One YAML in configs/robots/."""


@dataclass(frozen=True)
class Rig:
    """A robot ready for trials: how time passes, how it gets back to its start, and where its return comes from.

    `reset` gets the generator of the trial about to begin; a real robot has no use for it. An attended rig asks its operator
    between trials.
    """

    robot: Robot
    clock: Clock
    reset: Callable[[np.random.Generator], None]
    returns: ReturnSource
    attended: bool = False


@dataclass(frozen=True)
class Operator:
    """The person beside a robot: asked for a return (m), and to say that the robot is at its start."""

    ask_return: Callable[[], float]
    confirm_start: Callable[[], None]


def open_rig(config: RobotConfig, operator: Operator) -> Rig:
    """The rig a YAML describes, not connected yet."""
    match config.root:
        case SimulatedRobotConfig() as simulated:
            return simulated_rig(simulated)[0]
        case MockRobotConfig():
            clock = MonotonicClock()
            robot = MockRobot(SPEC, clock)
            reset = OperatorReset(robot, clock, operator.confirm_start)
            return Rig(robot, clock, reset, OperatorMeasurement(operator.ask_return), attended=True)


def simulated_rig(config: SimulatedRobotConfig, visuals: bool = False) -> tuple[Rig, SimulatedMinitaur]:
    """A rig around a PyBullet Minitaur, and the Minitaur itself for those who need more than a robot (pictures).

    Raises RobotError where PyBullet is not installed.
    """
    from sim.simulated_robot import SimulatedMinitaur

    robot = SimulatedMinitaur(
        config.dynamics,
        leg_model=config.leg_model,
        time_step_s=config.time_step_s,
        iterations=config.iterations,
        visuals=visuals,
    )

    def measure() -> Progress:
        truth = robot.truth()
        return Progress(truth.x_m, truth.y_m, truth.energy_j)

    return Rig(robot, robot, robot.reset, MeasuredProgress("simulation truth", measure, config.returns)), robot
