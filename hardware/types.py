"""What crosses the seam between a robot and its controller: states read, commands written. SI units, joints in spec order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class RobotError(Exception):
    """A robot cannot be used as asked; the message names the robot, joint or device and what to do."""


class RobotFault(RobotError):
    """The robot stopped itself (safety, lost device, bad data): the running trial is aborted, never scored."""


@dataclass(frozen=True, slots=True)
class ImuReading:
    """One sample of an inertial measurement unit.

    Attributes:
        orientation_wxyz: unit quaternion (4,) from the base frame (x forward, y left, z up) to the world.
        angular_velocity_rad_s: (3,) in the base frame.
        time_s: when it was taken, by the robot's clock; None where that is when the state was read.
        rates_derived: the rates are differences of orientations (a unit without gyro output), noisier and later than measured.

    """

    orientation_wxyz: FloatArray
    angular_velocity_rad_s: FloatArray
    time_s: float | None = None
    rates_derived: bool = False

    @property
    def roll_rad(self) -> float:
        w, x, y, z = self.orientation_wxyz.tolist()
        return math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))

    @property
    def pitch_rad(self) -> float:
        w, x, y, z = self.orientation_wxyz.tolist()
        return math.asin(max(-1.0, min(1.0, 2.0 * (w * y - z * x))))

    @property
    def yaw_rad(self) -> float:
        """About the vertical, from an origin that a unit without a compass chooses itself and may drift from."""
        w, x, y, z = self.orientation_wxyz.tolist()
        return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))

    @property
    def tilt_rad(self) -> float:
        """Angle between the body's and the world's z axis, 0 to pi."""
        _, x, y, _ = self.orientation_wxyz.tolist()
        return math.acos(max(-1.0, min(1.0, 1.0 - 2.0 * (x * x + y * y))))


@dataclass(frozen=True, slots=True)
class RobotState:
    """One reading of the whole robot; arrays (n,) in the order of the robot's spec.

    Attributes:
        temperatures_c: of the motors, None where nobody measures them, NaN for one not heard of yet.
        errors: what motors report of themselves, in words, by joint name; None or empty for health.

    """

    time_s: float
    positions_rad: FloatArray
    velocities_rad_s: FloatArray
    torques_nm: FloatArray
    imu: ImuReading
    battery_v: float
    temperatures_c: FloatArray | None = None
    errors: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class JointCommand:
    """Torque asked of each joint: kp (q* - q) + kd (dq* - dq) + tau; arrays (n,) in spec order."""

    positions_rad: FloatArray
    velocities_rad_s: FloatArray
    torques_nm: FloatArray
    kp_nm_per_rad: FloatArray
    kd_nm_s_per_rad: FloatArray

    @property
    def rows(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """All five, in the order above."""
        return self.positions_rad, self.velocities_rad_s, self.torques_nm, self.kp_nm_per_rad, self.kd_nm_s_per_rad

    def bad_entry(self, joint_names: tuple[str, ...]) -> str | None:
        """Says in words what makes this command unfit for a robot with these joints, or None when it is fit."""
        size = (len(joint_names),)
        q, dq, tau, kp, kd = self.rows
        if q.shape == dq.shape == tau.shape == kp.shape == kd.shape == size:
            every = np.concatenate(self.rows)
            if math.isfinite(every.dot(every)):
                return None  # as nearly always: at one look
        for field in fields(self):
            values: FloatArray = getattr(self, field.name)
            if values.shape != (len(joint_names),):
                return f"{field.name} has shape {values.shape}, the robot has {len(joint_names)} joints"
            if not np.isfinite(values).all():
                return f"{field.name} of joint {joint_names[int(np.argmin(np.isfinite(values)))]} is not finite"
        return None
