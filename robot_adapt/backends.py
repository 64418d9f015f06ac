"""A robot's YAML -> a robot with its clock, resetter and return source. The one place that knows drivers and simulators."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, RootModel, model_validator

from hardware.clock import Clock, MonotonicClock
from hardware.events import EventLog
from hardware.limits import SafetyLimits
from hardware.mock import MockRobot
from hardware.robot import Robot
from hardware.safety import SafetySupervisor
from hardware.spec import RobotSpec
from robot_adapt import calibration_file
from robot_adapt.adapt.resetter import EmulatedReset, OperatorReset
from robot_adapt.adapt.return_source import (
    MeasuredProgress,
    OperatorMeasurement,
    Progress,
    ReturnSource,
)
from robot_adapt.calibration_file import CalibrationStamp
from robot_adapt.config import FROZEN, Positive, Seed, Share, load, named, shipped_or_file
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig, wired_robot
from robot_adapt.robot_model import NamedRobot, SimulationConfig
from robot_adapt.safety_config import SafetyConfig
from sim.dynamics import Dynamics
from sim.hobbles import Hobble
from sim.physics import Engine
from sim.robots.body import Body

if TYPE_CHECKING:
    from robot_adapt.emulator_process import EmulatorProcess
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
    """No physics and no device: to rehearse a session, supervised as a real one. The operator types the returns."""

    model_config = FROZEN
    backend: Literal["mock"]
    robot: NamedRobot
    safety: SafetyConfig = SafetyConfig()

    @property
    def limits(self) -> SafetyLimits:
        return self.safety.limits(self.robot.body.spec, max(self.robot.body.motor.table_nm))

    @model_validator(mode="after")
    def _limits_fit(self) -> MockRobotConfig:
        if (wrong := self.safety.misfit(self.robot.body.spec, max(self.robot.body.motor.table_nm))) is not None:
            raise ValueError(f"safety.{wrong}")
        return self


if TYPE_CHECKING:
    NamedRig = SimulatedRobotConfig
else:
    NamedRig = Annotated[SimulatedRobotConfig | str, AfterValidator(named("rigs", SimulatedRobotConfig))]
"""A simulated robot in a config: its name in configs/rigs/, a YAML file, or the rig itself."""


if TYPE_CHECKING:
    NamedHardware = HardwareConfig
else:
    NamedHardware = Annotated[HardwareConfig | str, AfterValidator(named("hardware", HardwareConfig))]
"""A robot on wires in a config: its name in configs/hardware/, a YAML file, or the config itself."""


class FaultRates(BaseModel):
    """See hardware.emulators.faults.LineFaults; on both lines, from the start."""

    model_config = FROZEN
    drop: Share = 0.0
    corrupt_byte: Share = 0.0
    merge: Share = 0.0
    late: Share = 0.0


class EmulatedRobotConfig(BaseModel):
    """A robot on wires whose devices are emulated, with physics behind them: real bytes in real time, and nobody needed.

    Attributes:
        physics: whose body moves; by default the shipped simulated rig of the same robot.
        faults, seed: what goes wrong on the lines, and what decides when.

    """

    model_config = FROZEN
    backend: Literal["emulated"]
    hardware: NamedHardware
    physics: NamedRig | None = None
    faults: FaultRates = FaultRates()
    seed: Seed = 0

    @model_validator(mode="after")
    def _has_a_body(self) -> EmulatedRobotConfig:
        if self.hardware.robot is None:
            raise ValueError(
                "hardware: it has a spec and no model, so nothing walks and nothing is measured: `emulate` it instead"
            )
        if self.physics is not None and len(self.physics.robot.body.joints) != len(self.hardware.robot.body.joints):
            raise ValueError("physics: it has another number of joints than the robot")
        return self


_AnyRobot = SimulatedRobotConfig | MockRobotConfig | HardwareConfig | EmulatedRobotConfig


class RobotConfig(RootModel[Annotated[_AnyRobot, Field(discriminator="backend")]]):
    """One YAML in configs/rigs/ or configs/hardware/."""

    @property
    def spec(self) -> RobotSpec:
        """The robot's, before any calibration; policies and adaptation configs are shipped by its name."""
        match self.root:
            case HardwareConfig() as wired:
                return wired.wired_spec
            case EmulatedRobotConfig() as emulated:
                return emulated.hardware.wired_spec
            case _ as modelled:
                return modelled.robot.body.spec


@dataclass(frozen=True)
class Rig:
    """A robot ready for trials: how time passes, how it gets back to its start, and where its return comes from.

    `reset` gets the generator of the trial about to begin; a real robot has no use for it. An attended rig asks its operator
    between trials. `log` has what drivers and the supervisor did on their own: nothing in simulation, which has neither.
    `calibration` is the one its angles are by; None for the signs and zeros of its YAML.
    """

    robot: Robot
    clock: Clock
    reset: Callable[[np.random.Generator], None]
    returns: ReturnSource
    attended: bool = False
    log: EventLog = field(default_factory=EventLog)
    calibration: CalibrationStamp | None = None
    devices: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def close(self) -> None:
        """The robot is parked and closed, then whatever was started for it; idempotent."""
        with self.devices:
            self.robot.close()


@dataclass(frozen=True)
class Operator:
    """The person beside a robot: asked for a return (m), and to say that the robot is at its start.

    Both are given what is wrong, or nothing: with the answer before, with the robot.
    """

    ask_return: Callable[[str], float]
    confirm_start: Callable[[str], None]


def open_rig(config: RobotConfig, operator: Operator, file: Path | None = None) -> Rig:
    """The rig a YAML describes, not connected yet.

    Robots on wires, emulated ones and mocks are supervised. Simulated ones are not: nothing of theirs can break, and training
    wants them fast and the same every time.

    Args:
        config: what is in the YAML.
        operator: for robots that need one.
        file: the YAML; beside it may be the robot's calibration.

    """
    match config.root:
        case SimulatedRobotConfig() as simulated:
            return simulated_rig(simulated)[0]
        case MockRobotConfig() as mock:
            log, clock = EventLog(), MonotonicClock()
            supervisor = SafetySupervisor(MockRobot(mock.robot.body.spec, clock), mock.limits, clock, log)
            return _attended(supervisor, clock, log, operator)
        case HardwareConfig() as hardware:
            wired = wired_robot(hardware, file)
            rig = _attended(wired.supervisor, wired.clock, wired.log, operator)
            if file is None or wired.calibration is None:
                return rig
            return replace(rig, calibration=calibration_file.stamp(hardware.calibration_path(file), wired.calibration))
        case EmulatedRobotConfig() as emulated:
            return emulated_rig(emulated)[0]


def _attended(robot: SafetySupervisor, clock: Clock, log: EventLog, operator: Operator) -> Rig:
    reset = OperatorReset(robot, clock, operator.confirm_start)
    return Rig(robot, clock, reset, OperatorMeasurement(operator.ask_return), attended=True, log=log)


def emulated_rig(config: EmulatedRobotConfig) -> tuple[Rig, EmulatorProcess]:
    """A rig around a robot on emulated devices, and these, for those who want to break something."""
    from robot_adapt.emulator_process import EmulatorProcess

    if config.hardware.robot is None:
        raise UserError("hardware: it has no model")
    devices = contextlib.ExitStack()
    emulators = EmulatorProcess(config)
    devices.callback(emulators.close)
    wired = wired_robot(emulators.reachable, None)

    def put_back(seed: int) -> None:
        emulators.command(f"reset {seed}")

    reset = EmulatedReset(wired.supervisor, wired.clock, put_back)
    returns = MeasuredProgress("emulated: simulation truth", lambda: emulators.progress, config.hardware.robot.returns)
    return Rig(wired.supervisor, wired.clock, reset, returns, log=wired.log, devices=devices), emulators


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
