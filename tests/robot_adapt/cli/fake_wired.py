"""A robot on wires without wires, and a person who answers from a list: for the verbs that look after a robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.composed import ComposedRobot
from hardware.events import EventLog
from hardware.motors.bus import MotorReadings
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, ImuReading
from robot_adapt import calibration_file, hardware_config
from robot_adapt.config import load, shipped
from robot_adapt.hardware_config import HardwareConfig, WiredRobot
from tests.hardware.fake_bus import FakeBus, FakeImu

CONFIG_FILE = shipped("hardware", "minitaur_dynamixel.yaml")
CONFIG = load(CONFIG_FILE, HardwareConfig)
SPEC = CONFIG.wired_spec
READ_S = 0.001


@dataclass
class FakeWired:
    """Every robot on wires that a verb makes is on this bus and this IMU; a reading takes a millisecond of fake time."""

    bus: FakeBus = field(default_factory=lambda: FakeBus(SPEC.joint_names))
    imu: FakeImu = field(default_factory=FakeImu)
    clock: FakeClock = field(default_factory=FakeClock)
    log: EventLog = field(default_factory=EventLog)

    def __post_init__(self) -> None:
        self.bus.positions_rad = self.device_rad(SPEC.stance_rad)
        plain, level = self.bus.read, self.imu.read

        def timed() -> MotorReadings:
            self.clock.advance(READ_S)
            return plain()

        def streaming() -> ImuReading:
            reading = level()
            drift = 1e-9 * self.clock.now()  # a unit has noise
            return ImuReading(reading.orientation_wxyz, reading.angular_velocity_rad_s + drift, self.clock.now())

        self.bus.read = timed  # type: ignore[method-assign]
        self.imu.read = streaming  # type: ignore[method-assign]

    def device_rad(self, spec_rad: FloatArray) -> FloatArray:
        return np.array([j.sign * angle + j.offset_rad for j, angle in zip(SPEC.joints, spec_rad, strict=True)])

    def make(self, config: HardwareConfig, file: Path | None, *_: object) -> WiredRobot:
        spec, calibration = config.wired_spec, None
        if file is not None and (path := config.calibration_path(file)).is_file():
            calibration = calibration_file.read(path, spec)
            spec = calibration.applied(spec)
        robot = ComposedRobot(spec, self.bus, self.imu, self.clock, config.imu.mounting_wxyz, calibration)
        limits = config.safety.limits(spec, config.motor_torque_nm)
        supervisor = SafetySupervisor(robot, limits, self.clock, self.log)
        return WiredRobot(robot, supervisor, self.log, self.clock, calibration)


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> FakeWired:
    fake = FakeWired()
    monkeypatch.setattr(hardware_config, "wired_robot", fake.make)
    return fake


class Scripted:
    """A person: `answer` is given every question, and what to call meanwhile."""

    def __init__(self, answer: Callable[[str, Callable[[], None]], str], is_there: bool = True) -> None:
        self._answer = answer
        self.is_there = is_there
        self.asked: list[str] = []
        self.said: list[str] = []

    def __call__(self) -> Scripted:
        return self

    def say(self, line: str) -> None:
        self.said.append(line)

    def ask(self, question: str, meanwhile: Callable[[], None] | None = None) -> str:
        self.asked.append(question)
        return self._answer(question, meanwhile or (lambda: None))
