"""The config of a robot on wires: one YAML, from configs/hardware/ or the robot's own, and the robot that it describes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from hardware.calibration import Calibration
from hardware.clock import Clock, MonotonicClock
from hardware.composed import UNTURNED_WXYZ, ComposedRobot
from hardware.emulators.emulator import Device
from hardware.emulators.faults import ImuFaults
from hardware.events import Event, EventLog
from hardware.imu import bno08x, vectornav
from hardware.imu.device import Imu
from hardware.limits import SafetyLimits
from hardware.safety import SafetySupervisor
from hardware.spec import JointSpec, RobotSpec
from hardware.types import ImuReading
from robot_adapt import calibration_file
from robot_adapt.config import FROZEN, Finite, NonNegative, Port, Positive
from robot_adapt.errors import UserError
from robot_adapt.motors_config import Motors
from robot_adapt.robot_model import NamedRobot
from robot_adapt.safety_config import SafetyConfig
from sim.robots.body import Body

Quaternion = tuple[Finite, Finite, Finite, Finite]


class _Unit(BaseModel):
    """`mounting_wxyz` is how the unit is turned on the robot: unit quaternion from its frame to the base frame."""

    model_config = FROZEN
    port: Port
    mounting_wxyz: Quaternion = UNTURNED_WXYZ

    @model_validator(mode="after")
    def _is_a_rotation(self) -> _Unit:
        if abs(math.hypot(*self.mounting_wxyz) - 1.0) > 1e-3:
            raise ValueError("mounting_wxyz: should have the length 1")
        return self


class VectorNav(_Unit):
    """See hardware.imu.vectornav."""

    family: Literal["vectornav"]
    baud: int = 115_200
    rate_hz: int = 200
    stale_s: Positive = 0.05

    @property
    def config(self) -> vectornav.VectorNavConfig:
        return vectornav.VectorNavConfig(self.port, self.baud, self.rate_hz, self.stale_s)

    @model_validator(mode="after")
    def _is_possible(self) -> VectorNav:
        _ = self.config
        return self

    def imu(self, log: EventLog, clock: Clock) -> Imu:
        return vectornav.Vn100(self.config, log, clock)

    def emulated(self, reading: Callable[[], ImuReading], faults: ImuFaults) -> Device:
        from hardware.emulators.vectornav import EmulatedVn100

        return EmulatedVn100(reading, faults, self.baud)


class Bno08x(_Unit):
    """See hardware.imu.bno08x."""

    family: Literal["bno08x"]
    baud: int = 115_200
    stale_s: Positive = 0.1

    @property
    def config(self) -> bno08x.Bno08xConfig:
        return bno08x.Bno08xConfig(self.port, self.baud, self.stale_s)

    @model_validator(mode="after")
    def _is_possible(self) -> Bno08x:
        _ = self.config
        return self

    def imu(self, log: EventLog, clock: Clock) -> Imu:
        return bno08x.Bno08x(self.config, log, clock)

    def emulated(self, reading: Callable[[], ImuReading], faults: ImuFaults) -> Device:
        from hardware.emulators.bno08x import EmulatedBno08x

        return EmulatedBno08x(reading, faults)


class Joint(BaseModel):
    """A joint of a robot without a model; its sign and zero are its motor's, in `motors`."""

    model_config = FROZEN
    lower_rad: Finite
    upper_rad: Finite
    stance_rad: Finite
    kp_nm_per_rad: NonNegative
    kd_nm_s_per_rad: NonNegative

    @model_validator(mode="after")
    def _stance_is_possible(self) -> Joint:
        if not self.lower_rad <= self.stance_rad <= self.upper_rad:
            raise ValueError(f"stance_rad {self.stance_rad} is outside {self.lower_rad} to {self.upper_rad}")
        return self


class Spec(BaseModel):
    """A robot without a model: nothing is simulated or trained for it, yet check, calibrate and monitor it as any other."""

    model_config = FROZEN
    name: str
    max_tilt_rad: Annotated[float, Field(gt=0.0, lt=math.pi)]
    joints: Annotated[dict[str, Joint], Field(min_length=1)]


class HardwareConfig(BaseModel):
    """A robot on wires: what it is, and how it is reached.

    Attributes:
        robot, spec: its model, a name in configs/robots/ or a YAML file; or, for a robot without one, what it is made of.
        control_hz: how often `monitor` reads it, and what `check` measures its bus against; a policy has its own.
        calibration: the file that `calibrate` writes, relative to this YAML; by default beside it, X.calibration.yaml.

    """

    model_config = FROZEN
    backend: Literal["hardware"]
    robot: NamedRobot | None = None
    spec: Spec | None = None
    motors: Motors
    imu: Annotated[VectorNav | Bno08x, Field(discriminator="family")]
    safety: SafetyConfig = SafetyConfig()
    control_hz: Annotated[float, Field(ge=10.0, le=1000.0)] = 50.0
    calibration: str | None = None

    @property
    def _body(self) -> Body | Spec:
        if self.spec is not None:
            return self.spec
        if self.robot is not None:
            return self.robot.body
        raise ValueError("robot: either this or spec should be there")

    @property
    def wired_spec(self) -> RobotSpec:
        """The robot's spec with the signs and zeros of this config, before any calibration."""
        body = self._body
        joints = []
        for name, part in body.joints.items():
            wired = self.motors.joints[name]
            values = part.model_dump(exclude={"leg", "sign", "offset_rad"})
            joints.append(JointSpec(name=name, sign=wired.sign, offset_rad=wired.offset_rad, **values))
        return RobotSpec(body.name, tuple(joints), body.max_tilt_rad)

    @property
    def motor_torque_nm(self) -> float | None:
        """The most that the robot's model knows of its motors."""
        return None if self.robot is None else max(self.robot.body.motor.table_nm)

    @property
    def limits(self) -> SafetyLimits:
        return self.safety.limits(self.wired_spec, self.motor_torque_nm)

    @model_validator(mode="after")
    def _fits_together(self) -> HardwareConfig:
        if self.robot is not None and self.spec is not None:
            raise ValueError("spec: should not be there beside robot")
        ours = self._body.joints
        if (extra := next((name for name in self.motors.joints if name not in ours), None)) is not None:
            raise ValueError(f"motors.joints.{extra}: the robot has no such joint; it has {', '.join(ours)}")
        if (missing := next((name for name in ours if name not in self.motors.joints), None)) is not None:
            raise ValueError(f"motors.joints.{missing}: is missing")
        ids = Counter(wired.id for wired in self.motors.joints.values())
        for name, wired in self.motors.joints.items():
            if ids[wired.id] > 1:
                raise ValueError(f"motors.joints.{name}.id: {wired.id} stands twice")
        if self.motors.port == self.imu.port:
            raise ValueError("imu.port: the motors are on this port")
        if (wrong := self.safety.misfit(self.wired_spec, self.motor_torque_nm)) is not None:
            raise ValueError(f"safety.{wrong}")
        return self

    def calibration_path(self, file: Path) -> Path:
        """Where the calibration of the robot in this config's file is, or will be."""
        return calibration_file.path_beside(file) if self.calibration is None else file.parent / self.calibration


@dataclass(frozen=True)
class WiredRobot:
    """A robot on wires, not opened yet. The supervisor is what to drive; `robot` is bare, for looking."""

    robot: ComposedRobot
    supervisor: SafetySupervisor
    log: EventLog
    clock: Clock
    calibration: Calibration | None


def wired_robot(config: HardwareConfig, file: Path | None, on_event: Callable[[Event], None] = lambda _: None) -> WiredRobot:
    """The robot a config describes; no port is opened.

    Args:
        config: the robot's.
        file: the config's; its calibration is applied where there is one. None: the config's own signs and zeros, as they are.
        on_event: told every event at once, by the control loop: it must not take long.

    Raises:
        UserError: the calibration is damaged, another robot's, or named in the config and not there.

    """
    log, clock, spec, calibration = EventLog(on_event), MonotonicClock(), config.wired_spec, None
    if file is not None:
        path = config.calibration_path(file)
        if config.calibration is not None or path.is_file():
            calibration = calibration_file.read(path, spec)
            spec = calibration.applied(spec)
    bus, imu = config.motors.bus(spec, log, clock), config.imu.imu(log, clock)
    robot = ComposedRobot(spec, bus, imu, clock, config.imu.mounting_wxyz, calibration)
    try:
        supervisor = SafetySupervisor(robot, config.limits, clock, log)
    except ValueError as error:  # limits that were right before calibration
        raise UserError(f"{file}: safety: {error}") from None
    return WiredRobot(robot, supervisor, log, clock, calibration)
