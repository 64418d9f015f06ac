"""A robot's YAML -> a robot with its clock, resetter and return source. The one place that knows drivers and simulators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, RootModel, model_validator

from hardware.clock import Clock, MonotonicClock
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.robot import Robot
from robot_adapt.adapt.resetter import OperatorReset
from robot_adapt.adapt.return_source import (
    MeasuredProgress,
    OperatorMeasurement,
    Progress,
    ReturnSource,
)
from robot_adapt.config import FROZEN, Positive, load, named, shipped_or_file
from robot_adapt.errors import UserError
from robot_adapt.robot_model import NamedRobot, SimulationConfig
from sim.dynamics import Dynamics
from sim.hobbles import Hobble
from sim.physics import Engine
from sim.robots.body import Body

if TYPE_CHECKING:
    from sim.simulated_robot import SimulatedRobot


if TYPE_CHECKING:
    NamedHobble = Hobble
else:
    NamedHobble = Annotated[Hobble | str, AfterValidator(named("hobbles", Hobble))]
"""A hobble in a config: its name in configs/hobbles/, a YAML file, or the hobble itself."""


class LaterHobble(BaseModel):
    """What happens to the robot in the middle of every trial."""

    model_config = FROZEN
    after_s: Positive
    hobble: NamedHobble


class SimulatedRobotConfig(BaseModel):
    """A simulated robot; see SimulatedRobot. `simulation` stands in place of the robot model's own."""

    model_config = FROZEN
    backend: Literal["simulated"]
    robot: NamedRobot
    engine: Engine = "pybullet"
    simulation: SimulationConfig | None = None
    dynamics: Dynamics = Dynamics()
    later: LaterHobble | None = None

    @model_validator(mode="after")
    def _fits_the_body(self) -> SimulatedRobotConfig:
        body = self.robot.body
        if self.simulation is not None and (wrong := self.simulation.misfit(body)) is not None:
            raise ValueError(f"simulation.{wrong}")
        if (wrong := self.dynamics.misfit(body)) is not None:
            raise ValueError(f"dynamics.{wrong}")
        if self.later is not None and (wrong := self.later.hobble.misfit(body)) is not None:
            raise ValueError(f"later.hobble.{wrong}")
        return self

    def hobbled(self, hobble: Hobble, after_s: float = 0.0) -> SimulatedRobotConfig:
        """This robot with a hobble, from a trial's start or from later on. Raises UserError when the robot cannot have it."""
        if (wrong := hobble.misfit(self.robot.body)) is not None:
            raise UserError(f"hobble {hobble.name}: {wrong}")
        if after_s > 0.0:
            return self.model_copy(update={"later": LaterHobble(after_s=after_s, hobble=hobble)})
        return self.model_copy(update={"dynamics": hobble.apply(self.dynamics)})


def load_hobble(name: str, body: Body) -> Hobble:
    """A YAML file, or a name from configs/hobbles/. Raises UserError naming file and key when this robot cannot have it."""
    path = shipped_or_file("hobbles", name)
    hobble = load(path, Hobble)
    if (wrong := hobble.misfit(body)) is not None:
        raise UserError(f"{path}: {wrong}")
    return hobble


class MockRobotConfig(BaseModel):
    """No physics and no device: to rehearse a session. The operator types the returns."""

    model_config = FROZEN
    backend: Literal["mock"]
    robot: NamedRobot


if TYPE_CHECKING:
    NamedRig = SimulatedRobotConfig
else:
    NamedRig = Annotated[SimulatedRobotConfig | str, AfterValidator(named("rigs", SimulatedRobotConfig))]
"""A simulated robot in a config: its name in configs/rigs/, a YAML file, or the rig itself."""


class RobotConfig(RootModel[Annotated[SimulatedRobotConfig | MockRobotConfig, Field(discriminator="backend")]]):
    """One YAML in configs/rigs/."""


@dataclass(frozen=True)
class Rig:
    """A robot ready for trials: how time passes, how it gets back to its start, and where its return comes from.

    `reset` gets the generator of the trial about to begin; a real robot has no use for it. An attended rig asks its operator
    between trials. `log` has what drivers and the supervisor did on their own; empty for ever where there are none.
    """

    robot: Robot
    clock: Clock
    reset: Callable[[np.random.Generator], None]
    returns: ReturnSource
    attended: bool = False
    log: EventLog = field(default_factory=EventLog)


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
        case MockRobotConfig() as mock:
            clock = MonotonicClock()
            robot = MockRobot(mock.robot.body.spec, clock)
            reset = OperatorReset(robot, clock, operator.confirm_start)
            return Rig(robot, clock, reset, OperatorMeasurement(operator.ask_return), attended=True)


def simulated_rig(config: SimulatedRobotConfig, visuals: bool = False) -> tuple[Rig, SimulatedRobot]:
    """A rig around a simulated robot, and the robot itself for those who need more than a robot (pictures).

    Raises RobotError where the physics engine is not installed.
    """
    from sim.simulated_robot import Change, SimulatedRobot

    later, simulation = config.later, config.simulation or config.robot.simulation
    robot = SimulatedRobot(
        config.robot.body,
        config.dynamics,
        legs=simulation.legs,
        time_step_s=simulation.time_step_s,
        iterations=simulation.iterations,
        engine=config.engine,
        visuals=visuals,
        later=None if later is None else Change(later.after_s, later.hobble.apply(config.dynamics)),
    )

    def measure() -> Progress:
        truth = robot.truth()
        return Progress(truth.x_m, truth.y_m, truth.energy_j)

    return Rig(robot, robot, robot.reset, MeasuredProgress("simulation truth", measure, config.robot.returns)), robot
