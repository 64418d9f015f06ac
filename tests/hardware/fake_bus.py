"""A MotorBus and an Imu without bytes: joints are where a test puts them, and follow commands at once where it lets them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware.motors.bus import MotorIdentity, MotorReadings
from hardware.types import FloatArray, ImuReading, JointCommand, RobotFault


class FakeBus:
    """`told`: what was asked of it. `follows`: how much of a commanded way each joint goes. `mirror`: whose motion it shows."""

    def __init__(self, joint_names: tuple[str, ...]) -> None:
        count = len(joint_names)
        self.joint_names = joint_names
        self.positions_rad: FloatArray = np.zeros(count)
        self.readings = MotorReadings(
            self.positions_rad, np.zeros(count), np.zeros(count), np.ones(count, dtype=np.bool_),
            np.full(count, 12.0), np.full(count, 30.0), {},
        )  # fmt: skip
        self.follows: FloatArray = np.ones(count)
        self.mirror = list(range(count))
        self.told: list[str] = []
        self.silent: list[bool] = []
        self.unplugged = False

    def open(self) -> tuple[MotorIdentity, ...]:
        self.told.append("open")
        return tuple(MotorIdentity(name, k + 1, "XM430-W350", "47") for k, name in enumerate(self.joint_names))

    def arm(self) -> None:
        self.told.append("arm")

    def read(self) -> MotorReadings:
        if self.unplugged:
            raise RobotFault("/dev/fake: unplugged")
        heard = self.readings.heard
        if self.silent and self.silent.pop(0):
            heard = np.zeros_like(heard)
        return replace(self.readings, positions_rad=self.positions_rad.copy(), heard=heard)

    def write(self, command: JointCommand) -> JointCommand:
        stiff = command.kp_nm_per_rad > 0.0
        goal = self.positions_rad + self.follows * stiff * (command.positions_rad - self.positions_rad)
        self.positions_rad = goal[self.mirror]
        self.told.append("write")
        return command

    def damp(self) -> tuple[str, ...]:
        self.told.append("damp")
        return ()

    def release(self) -> None:
        self.told.append("release")

    def close(self) -> None:
        self.told.append("close")


class FakeImu:
    """Level and at rest unless told otherwise."""

    def __init__(self) -> None:
        self.reading = ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
        self.unplugged = False

    def open(self) -> str:
        return "fake IMU 1.0"

    def read(self) -> ImuReading:
        if self.unplugged:
            raise RobotFault("/dev/imu: unplugged")
        return self.reading

    def close(self) -> None:
        pass
