"""Safety in a robot's YAML: what is written there, and what stands for what is not."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, Field

from hardware.limits import BatteryTiers, JointLimits, SafetyLimits
from hardware.spec import JointSpec, RobotSpec
from robot_adapt.config import FROZEN, Finite, NonNegative, Positive


class JointSafety(BaseModel):
    """See hardware.limits.JointLimits; what is not given of one joint is that of every joint, and there the following.

    Attributes:
        velocity_rad_s: 10.
        slew_rad: 0.2 (Unitree A1).
        torque_nm: the highest that the robot's model knows of its motors; without a model it must be given.
        kp_nm_per_rad, kd_nm_s_per_rad: the joint's own gains.
        overspeed_rad_s: twice `velocity_rad_s`.

    """

    model_config = FROZEN
    velocity_rad_s: Positive | None = None
    slew_rad: Positive | None = None
    torque_nm: Positive | None = None
    kp_nm_per_rad: NonNegative | None = None
    kd_nm_s_per_rad: NonNegative | None = None
    overspeed_rad_s: Positive | None = None

    def limits(self, every: JointSafety, joint: JointSpec, torque_nm: float) -> JointLimits:
        def first(*values: float | None) -> float:
            return next(value for value in values if value is not None)

        velocity_rad_s = first(self.velocity_rad_s, every.velocity_rad_s, 10.0)
        return JointLimits(
            velocity_rad_s,
            first(self.slew_rad, every.slew_rad, 0.2),
            first(self.torque_nm, every.torque_nm, torque_nm),
            first(self.kp_nm_per_rad, every.kp_nm_per_rad, joint.kp_nm_per_rad),
            first(self.kd_nm_s_per_rad, every.kd_nm_s_per_rad, joint.kd_nm_s_per_rad),
            first(self.overspeed_rad_s, every.overspeed_rad_s, 2.0 * velocity_rad_s),
        )


class Battery(BaseModel):
    """See hardware.limits.BatteryTiers."""

    model_config = FROZEN
    warn_v: Positive
    finish_v: Positive
    refuse_v: Positive
    filter_s: Positive = 1.0


class SafetyConfig(BaseModel):
    """See hardware.limits.SafetyLimits.

    Attributes:
        every_joint, joints: of all, and by name of those that differ.
        power_w: without it, a third of what all joints would do at their torque and velocity limits together.
        sit_rad: by joint; all of them or none.

    """

    model_config = FROZEN
    every_joint: JointSafety = JointSafety()
    joints: dict[str, JointSafety] = {}
    power_w: Positive | None = None
    tilt_rad: Annotated[float, Field(gt=0.0, lt=math.pi)] = math.radians(45.0)
    tilt_s: Positive = 0.3
    warn_c: Positive = 50.0
    stop_c: Positive = 75.0
    battery: Battery | None = None
    stall_torque: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    stall_error_rad: Positive = 0.2
    stall_s: Positive = 0.5
    stale_command_s: Positive = 0.05
    stale_reading_s: Positive = 0.05
    frozen_imu_s: Positive | None = None
    frozen_joint_s: Positive = 0.5
    frozen_joint_rad: Positive = 0.1
    late_s: Positive = 0.03
    late_a_second: Annotated[int, Field(ge=0)] = 5
    sit_rad: dict[str, Finite] | None = None
    sit_s: Positive = 2.0

    def misfit(self, spec: RobotSpec, torque_nm: float | None) -> str | None:
        """Why a robot of this spec cannot have these limits, with the key; None when it can."""
        for name in self.joints:
            if name not in spec.joint_names:
                return f"joints.{name}: the robot has no such joint"
        if torque_nm is None and self.every_joint.torque_nm is None:
            missing = next((n for n in spec.joint_names if n not in self.joints or self.joints[n].torque_nm is None), None)
            if missing is not None:
                return f"every_joint.torque_nm: is missing, and so is that of {missing}; no model of the robot knows it"
        if self.sit_rad is not None:
            if (missing := next((n for n in spec.joint_names if n not in self.sit_rad), None)) is not None:
                return f"sit_rad.{missing}: is missing"
            for joint in spec.joints:
                if not joint.lower_rad <= self.sit_rad[joint.name] <= joint.upper_rad:
                    return f"sit_rad.{joint.name}: should be within the limits {joint.lower_rad} to {joint.upper_rad}"
            if (extra := next((n for n in self.sit_rad if n not in spec.joint_names), None)) is not None:
                return f"sit_rad.{extra}: the robot has no such joint"
        try:
            self.limits(spec, torque_nm)
        except ValueError as error:
            return str(error)
        return None

    def limits(self, spec: RobotSpec, torque_nm: float | None) -> SafetyLimits:
        """The limits of a robot.

        Args:
            spec: the robot's.
            torque_nm: what its model knows of its motors, if there is one.

        """
        joints = tuple(
            self.joints.get(joint.name, JointSafety()).limits(self.every_joint, joint, torque_nm or math.nan)
            for joint in spec.joints
        )
        power_w = self.power_w or sum(joint.torque_nm * joint.velocity_rad_s for joint in joints) / 3.0
        battery = None if self.battery is None else BatteryTiers(**self.battery.model_dump())
        sit_rad = None if self.sit_rad is None else tuple(self.sit_rad[name] for name in spec.joint_names)
        own = self.model_dump(exclude={"every_joint", "joints", "power_w", "battery", "sit_rad"})
        return SafetyLimits(joints=joints, power_w=power_w, battery=battery, sit_rad=sit_rad, **own)
