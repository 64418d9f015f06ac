"""The calibration file: YAML beside the robot's own, versioned, strict; written whole or not at all, the one before kept."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pydantic.dataclasses
import yaml
from pydantic import BaseModel

from hardware.calibration import Calibration, JointCalibration
from hardware.spec import RobotSpec
from robot_adapt.array_file import write_atomically
from robot_adapt.config import FROZEN, load
from robot_adapt.errors import UserError

_HEADER = "# Written by `robot-adapt calibrate`. Angles in rad; spec angle = sign * (device angle - offset_rad).\n"

if TYPE_CHECKING:
    _Joint = JointCalibration
else:
    _Joint = pydantic.dataclasses.dataclass(JointCalibration, config=FROZEN)


class _File(BaseModel):
    model_config = FROZEN
    version: Literal[1]
    robot: str
    date: str
    pose: str
    joints: tuple[_Joint, ...]


class CalibrationStamp(BaseModel):
    """Which calibration a session ran with: name, date and SHA-256 of its file."""

    model_config = FROZEN
    file: str
    date: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.file} of {self.date} (SHA-256 {self.sha256[:12]})"


def stamp(path: Path, calibration: Calibration) -> CalibrationStamp:
    """Of a calibration and the file that it was read from."""
    return CalibrationStamp(file=path.name, date=calibration.date, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def path_beside(robot: Path) -> Path:
    """Where the calibration of a robot's YAML file is: lab/spot.yaml -> lab/spot.calibration.yaml."""
    return robot.with_name(f"{robot.stem}.calibration.yaml")


def read(path: Path, spec: RobotSpec) -> Calibration:
    """Raises UserError naming the file: not there, another version, damaged, of another robot."""
    file = load(path, _File)
    joints = tuple(JointCalibration(**asdict(joint)) for joint in file.joints)
    calibration = Calibration(file.robot, file.date, file.pose, joints)
    if (wrong := calibration.misfit(spec)) is not None:
        raise UserError(f"{path}: {wrong}")
    return calibration


def write(path: Path, calibration: Calibration) -> Path | None:
    """Writes atomically; returns where the calibration that was there before is kept now."""
    values = {"version": 1, **asdict(calibration), "joints": [asdict(joint) for joint in calibration.joints]}
    before = path.with_name(f"{path.stem}.before{path.suffix}") if path.exists() else None
    if before is not None:
        write_atomically(before, path.read_bytes())
    write_atomically(path, (_HEADER + yaml.safe_dump(values, sort_keys=False)).encode())
    return before
