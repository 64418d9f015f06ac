"""Dynamics: every physical parameter in which two worlds can differ."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from sim.ground import Ground, Slope
from sim.robots.body import Body
from sim.values import Finite, Frozen, NonNegative, PointM, Positive, Share


class Dynamics(BaseModel):
    """One world's physics. The defaults: the robot as its body describes it, on level ground, without noise or latency.

    Contact with the ground has the friction of the foot: the ground's own is 1. Mappings name legs of the robot, or joints as
    Body.joints_called understands them (a joint, a leg, a leg's k-th joint); what they do not name is as it should be.

    Attributes:
        payload_position_m: in the base's frame (x forward, y left, z up).
        shank_share: where along the lower leg the foot is; 0 is a lost lower leg: the knee stands on the ground.
        restitution: how much of its speed a foot keeps when it bounces; 0 leaves the contact as the URDF has it.
        pull_n: a constant force on the base, in the world's frame: wind, a leash.
        battery_v: None is the motors' nominal voltage.
        battery_ohm: what makes the voltage sag under load.
        strength: share of a healthy motor's torque; what two names say of one joint multiplies.
        joint_friction_nm, joint_viscosity_nm_s: Coulomb and viscous, of every joint; `worn_joints_nm` adds Coulomb friction.
        locked_joints_rad: jammed joints, each at so much from its stance.
        encoder_offset_rad: what an encoder reads too much, its motor's controller included.
        encoder_step_rad: quantization of the joint angles that are read; the motors' controllers see finer.
        imu_tilt_rad: roll and pitch by which the IMU is mounted wrong.
        dropout: how often a reading does not arrive, so that the one before is read again.
        control_latency_s: age of joints and IMU as the policy reads them; `pd_latency_s`: as the motors' controllers see them.
        start_push_m_s: standard deviation of the velocity (x and y) that every trial begins with.

    """

    model_config = Frozen

    mass_ratio: Positive = 1.0
    payload_kg: NonNegative = 0.0
    payload_position_m: PointM = (0.0, 0.0, 0.0)
    shank_share: dict[str, Share] = {}

    ground: Ground = Slope()
    foot_friction: NonNegative = 1.0
    foot_friction_of: dict[str, NonNegative] = {}
    restitution: Share = 0.0
    pull_n: PointM = (0.0, 0.0, 0.0)

    battery_v: Positive | None = None
    battery_ohm: NonNegative = 0.0
    strength: dict[str, NonNegative] = {}
    joint_friction_nm: NonNegative = 0.0
    joint_viscosity_nm_s: NonNegative = 0.0
    worn_joints_nm: dict[str, NonNegative] = {}
    locked_joints_rad: dict[str, Finite] = {}

    encoder_offset_rad: dict[str, Finite] = {}
    encoder_step_rad: NonNegative = 0.0
    joint_noise_rad: NonNegative = 0.0
    joint_velocity_noise_rad_s: NonNegative = 0.0
    imu_tilt_rad: tuple[Finite, Finite] = (0.0, 0.0)
    orientation_noise_rad: NonNegative = 0.0
    gyro_noise_rad_s: NonNegative = 0.0
    gyro_bias_rad_s: PointM = (0.0, 0.0, 0.0)
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    control_latency_s: NonNegative = 0.0
    pd_latency_s: NonNegative = 0.0
    start_push_m_s: NonNegative = 0.0

    def with_changes(self, **changes: object) -> Dynamics:
        """A copy with some parameters replaced, validated again."""
        return Dynamics.model_validate({**self.model_dump(), **changes})

    def misfit(self, body: Body) -> str | None:
        """The first name in here that the robot does not have, in words with its key; None when all fit."""
        for key in ("shank_share", "foot_friction_of"):
            for leg in getattr(self, key):
                if leg not in body.feet:
                    return f"{key}: {body.name} has no leg {leg}; it has {', '.join(body.feet)}"
        for key in ("strength", "worn_joints_nm", "locked_joints_rad", "encoder_offset_rad"):
            for name in getattr(self, key):
                if not body.joints_called(name):
                    return f"{key}: {body.name} has no joint or leg {name}; it has {', '.join((*body.feet, *body.joints))}"
        return None
