"""Motors in a hardware config: one class a family, told apart by `family`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from hardware.clock import Clock
from hardware.emulators.emulator import Device
from hardware.emulators.faults import MotorFaults
from hardware.emulators.plant import Plant
from hardware.events import EventLog
from hardware.motors.bus import MotorBus
from hardware.motors.dynamixel import DynamixelConfig, DynamixelMode, DynamixelMotor
from hardware.motors.moteus_bus import MoteusConfig, MoteusMotor
from hardware.spec import RobotSpec
from robot_adapt.config import FROZEN, Finite, Port, Positive

Sign = Literal[-1, 1]
Baud = Annotated[int, Field(ge=9600, le=10_000_000)]


class Wired(BaseModel):
    """Where a joint is on the bus: spec angle = sign * (device angle - offset_rad)."""

    model_config = FROZEN
    id: Annotated[int, Field(ge=1, le=252)]
    sign: Sign
    offset_rad: Finite


class WiredDynamixel(Wired):
    """Attributes: `model` and `torque_limit_nm` stand in place of those of all motors."""

    model: str | None = None
    torque_limit_nm: Positive | None = None


class DynamixelMotors(BaseModel):
    """A bus of Dynamixels; see hardware.motors.dynamixel."""

    model_config = FROZEN
    family: Literal["dynamixel"]
    port: Port
    baud: Baud = 1_000_000
    model: str
    supply_v: Positive
    mode: DynamixelMode = "position"
    torque_limit_nm: Positive | None = None
    watchdog_s: Positive = 0.1
    silent_s: Positive = 0.2
    reply_timeout_s: Positive = 0.003
    fast_sync_read: bool = True
    joints: dict[str, WiredDynamixel]

    @model_validator(mode="after")
    def _somebody_keeps_the_torque_limit(self) -> DynamixelMotors:
        limited = [f"joints.{name}." for name, joint in self.joints.items() if joint.torque_limit_nm is not None]
        if self.mode == "position" and (limited or self.torque_limit_nm is not None):
            key = limited[0] if limited else ""
            raise ValueError(f"{key}torque_limit_nm: nobody keeps it in mode position: safety.every_joint.torque_nm does")
        return self

    def config(self, spec: RobotSpec) -> DynamixelConfig:
        motors = []
        for joint in spec.joints:
            wired = self.joints[joint.name]
            ends = sorted(joint.sign * angle + joint.offset_rad for angle in (joint.lower_rad, joint.upper_rad))
            motors.append(
                DynamixelMotor(
                    joint=joint.name,
                    device_id=wired.id,
                    model=wired.model or self.model,
                    kp_nm_per_rad=joint.kp_nm_per_rad,
                    kd_nm_s_per_rad=joint.kd_nm_s_per_rad,
                    torque_limit_nm=wired.torque_limit_nm or self.torque_limit_nm,
                    limits_rad=(ends[0], ends[1]),
                )
            )
        return DynamixelConfig(
            port=self.port,
            motors=tuple(motors),
            supply_v=self.supply_v,
            baud=self.baud,
            mode=self.mode,
            watchdog_s=self.watchdog_s,
            silent_s=self.silent_s,
            reply_timeout_s=self.reply_timeout_s,
            fast_sync_read=self.fast_sync_read,
        )

    def bus(self, spec: RobotSpec, log: EventLog, clock: Clock) -> MotorBus:
        from hardware.motors.dynamixel import DynamixelBus

        return DynamixelBus(self.config(spec), log, clock)

    def emulated(self, plant: Plant, faults: MotorFaults) -> Device:
        from hardware.emulators.dynamixel import ChainMotor, DynamixelChain

        motors = [ChainMotor(joint, wired.id, wired.model or self.model) for joint, wired in self.joints.items()]
        return DynamixelChain(motors, plant, self.supply_v, faults)

    @property
    def wire_baud(self) -> int | None:
        """How fast bytes go."""
        return self.baud


class WiredMoteus(Wired):
    """Attributes: all but the three of every joint stand in place of those of all servos."""

    servo_kp_nm_per_rev: Positive | None = None
    servo_kd_nm_s_per_rev: Positive | None = None
    max_torque_nm: Positive | None = None
    gear_ratio: Positive | None = None


class MoteusMotors(BaseModel):
    """A line of moteus servos; see hardware.motors.moteus_bus. Emulated ones report `supply_v`."""

    model_config = FROZEN
    family: Literal["moteus"]
    port: Port
    baud: Baud = 921_600
    checksums: bool | None = None
    supply_v: Positive = 24.0
    watchdog_s: Positive = 0.1
    silent_s: Positive = 0.2
    reply_timeout_s: Positive = 0.004
    servo_kp_nm_per_rev: Positive
    servo_kd_nm_s_per_rev: Positive
    max_torque_nm: Positive
    gear_ratio: Positive = 1.0
    joints: dict[str, WiredMoteus]

    def config(self, spec: RobotSpec) -> MoteusConfig:
        motors = []
        for joint in spec.joints:
            wired = self.joints[joint.name]
            motors.append(
                MoteusMotor(
                    joint=joint.name,
                    device_id=wired.id,
                    kp_nm_per_rad=joint.kp_nm_per_rad,
                    kd_nm_s_per_rad=joint.kd_nm_s_per_rad,
                    servo_kp_nm_per_rev=wired.servo_kp_nm_per_rev or self.servo_kp_nm_per_rev,
                    servo_kd_nm_s_per_rev=wired.servo_kd_nm_s_per_rev or self.servo_kd_nm_s_per_rev,
                    max_torque_nm=wired.max_torque_nm or self.max_torque_nm,
                    gear_ratio=wired.gear_ratio or self.gear_ratio,
                )
            )
        return MoteusConfig(
            self.port, tuple(motors), self.baud, self.checksums, self.watchdog_s, self.silent_s, self.reply_timeout_s
        )

    def bus(self, spec: RobotSpec, log: EventLog, clock: Clock) -> MotorBus:
        from hardware.motors.moteus_bus import MoteusBus

        return MoteusBus(self.config(spec), log, clock)

    def emulated(self, plant: Plant, faults: MotorFaults) -> Device:
        from hardware.emulators.moteus import MoteusChain

        return MoteusChain(plant, self.config(plant.spec).motors, faults, usb=self.checksums is not True)

    @property
    def wire_baud(self) -> int | None:
        """How fast bytes go; None behind a USB adapter, which does not look at the baud rate."""
        return self.baud if self.checksums else None


Motors = Annotated[DynamixelMotors | MoteusMotors, Field(discriminator="family")]
