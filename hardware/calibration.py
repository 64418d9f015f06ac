"""Calibration: what was measured on one robot, joint by joint: sign, zero, limits, and the pose it was left in.

The arithmetic is here, without a terminal and without a file; angles are rad, those of devices are named so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from hardware.motors.bus import MotorIdentity
from hardware.spec import RobotSpec
from hardware.types import FloatArray

# A pose made by hand is this good; a horn mounted one hole on, or a rotor one pole on, is farther off.
POSE_ALLOWED_RAD = 0.35
# Moved by hand on purpose, not by a breath; and what remains of a range when a mechanical end is not to be touched.
MOVED_RAD = 0.15
MARGIN_RAD = 0.05


@dataclass(frozen=True)
class JointCalibration:
    """One joint: spec angle = sign * (device angle - offset_rad); limits and reference in spec angles.

    Attributes:
        device_id, model: the motor that it was measured with.
        reference_rad: where the joint was in the reference pose at the end.

    """

    joint: str
    device_id: int
    model: str
    sign: int
    offset_rad: float
    lower_rad: float
    upper_rad: float
    reference_rad: float

    def __post_init__(self) -> None:
        if self.sign not in (-1, 1):
            raise ValueError(f"{self.joint}: the sign is {self.sign}, not 1 or -1")
        if not all(map(math.isfinite, (self.offset_rad, self.lower_rad, self.upper_rad, self.reference_rad))):
            raise ValueError(f"{self.joint}: an angle is not finite")
        if not self.lower_rad < self.upper_rad:
            raise ValueError(f"{self.joint}: the lower limit {self.lower_rad:.3f} rad is not below {self.upper_rad:.3f} rad")


@dataclass(frozen=True)
class Calibration:
    """One robot's calibration; joints in spec order.

    Attributes:
        date: when it was finished, ISO 8601.
        pose: the reference pose in words: where the robot is to be when it is armed.

    """

    robot: str
    date: str
    pose: str
    joints: tuple[JointCalibration, ...]

    def misfit(self, spec: RobotSpec) -> str | None:
        """Why a robot of this spec cannot have this calibration; None when it can."""
        if self.robot != spec.name:
            return f"this calibration is of the robot {self.robot}, not of {spec.name}"
        if (joints := tuple(joint.joint for joint in self.joints)) != spec.joint_names:
            return f"this calibration has the joints {', '.join(joints)}, {spec.name} has {', '.join(spec.joint_names)}"
        for ours, its in zip(self.joints, spec.joints, strict=True):
            if not ours.lower_rad <= its.stance_rad <= ours.upper_rad:
                limits = f"{ours.lower_rad:.3f} to {ours.upper_rad:.3f} rad"
                return f"{ours.joint} cannot stand: its stance is {its.stance_rad:.3f} rad, its calibrated limits {limits}"
        return None

    def applied(self, spec: RobotSpec) -> RobotSpec:
        """The spec with the measured signs, zeros and limits. Raises ValueError for a misfit."""
        if (wrong := self.misfit(spec)) is not None:
            raise ValueError(wrong)
        joints = (
            replace(its, sign=ours.sign, offset_rad=ours.offset_rad, lower_rad=ours.lower_rad, upper_rad=ours.upper_rad)
            for ours, its in zip(self.joints, spec.joints, strict=True)
        )
        return replace(spec, joints=tuple(joints))

    def motor_error(self, motors: Iterable[MotorIdentity]) -> str | None:
        """Which motor is not the one that was calibrated, and what to do; None when all are. Firmware may change."""
        heard = {motor.joint: motor for motor in motors}
        for joint in self.joints:
            motor = heard.get(joint.joint)
            if motor is None or (motor.device_id, motor.model) != (joint.device_id, joint.model):
                now = "nothing" if motor is None else f"id {motor.device_id}, {motor.model}"
                then = f"id {joint.device_id}, {joint.model}"
                return f"{joint.joint} was calibrated with {then}, now it is {now}: calibrate --joint {joint.joint}"
        return None

    def pose_error(self, positions_rad: FloatArray, allowed_rad: float = POSE_ALLOWED_RAD) -> str | None:
        """Which joint is farthest from the reference pose, and what to do; None when all (n,) are near it."""
        reference = np.array([joint.reference_rad for joint in self.joints])
        off = np.abs(positions_rad - reference)
        if (off <= allowed_rad).all():
            return None
        k = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
        return (
            f"{self.joints[k].joint} measures {positions_rad[k]:.3f} rad, calibrated {reference[k]:.3f} rad and at most "
            f"{allowed_rad:.2f} rad off: put the robot into its reference pose ({self.pose}), or calibrate --joint "
            f"{self.joints[k].joint}"
        )


def moved_joint(before_rad: FloatArray, after_rad: FloatArray) -> tuple[int | None, float]:
    """Which joint was moved by hand (None when none was far enough), and how far, by its device's angle."""
    change = after_rad - before_rad
    k = int(np.argmax(np.abs(change)))
    return (k if abs(change[k]) >= MOVED_RAD else None), float(change[k])


def zero_rad(device_rad: float, sign: int, pose_rad: float) -> float:
    """The device's angle where the joint's is zero, given both in one pose."""
    return device_rad - sign * pose_rad


def limits_rad(ends_device_rad: tuple[float, float], sign: int, offset_rad: float) -> tuple[float, float]:
    """Joint limits inside the two ends that a hand reached. Raises ValueError when little or nothing is left between them."""
    one, other = (sign * (end - offset_rad) for end in ends_device_rad)
    lower, upper = min(one, other) + MARGIN_RAD, max(one, other) - MARGIN_RAD
    if upper - lower < 2.0 * MARGIN_RAD:
        raise ValueError(f"it moved from {min(one, other):.3f} to {max(one, other):.3f} rad only")
    return lower, upper
