"""Hobbles: named changes of Dynamics (a payload, a dead motor), composable in order; before a trial or in the middle of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sim.dynamics import Dynamics
from sim.ground import Ground, Rough, Slope, Steps
from sim.robots.body import Body
from sim.values import Finite, Frozen, NonNegative, PointM, Positive, Share


class Payload(BaseModel):
    """A mass fastened to the base; position in the base frame (x forward, y left)."""

    model_config = Frozen
    kind: Literal["payload"]
    mass_kg: Positive
    position_m: PointM

    def apply(self, dynamics: Dynamics) -> Dynamics:
        """A payload that is there already and this one become one, at their common centre of mass."""
        total_kg = dynamics.payload_kg + self.mass_kg
        share = self.mass_kg / total_kg
        both = zip(dynamics.payload_position_m, self.position_m, strict=True)
        position_m = tuple((1.0 - share) * before + share * added for before, added in both)
        return dynamics.with_changes(payload_kg=total_kg, payload_position_m=position_m)

    def __str__(self) -> str:
        x, y, z = self.position_m
        return f"{self.mass_kg:g} kg at x {x:g}, y {y:g}, z {z:g} m"


class LowBattery(BaseModel):
    """The battery's voltage, and the resistance that makes it sag under load."""

    model_config = Frozen
    kind: Literal["low_battery"]
    battery_v: Positive
    battery_ohm: NonNegative = 0.0

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(battery_v=self.battery_v, battery_ohm=dynamics.battery_ohm + self.battery_ohm)

    def __str__(self) -> str:
        sag = f", {self.battery_ohm:g} ohm more" if self.battery_ohm else ""
        return f"battery at {self.battery_v:g} V{sag}"


class WeakLeg(BaseModel):
    """All motors of one leg give only this share of their torque."""

    model_config = Frozen
    kind: Literal["weak_leg"]
    leg: str
    strength: Share

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(strength=_with(dynamics.strength, self.leg, self.strength, lambda a, b: a * b))

    def __str__(self) -> str:
        return f"{_words(self.leg)} leg at {self.strength:.0%} strength"


class DeadMotor(BaseModel):
    """A motor that gives nothing; its joint swings freely."""

    model_config = Frozen
    kind: Literal["dead_motor"]
    joint: str

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(strength={**dynamics.strength, self.joint: 0.0})

    def __str__(self) -> str:
        return f"dead motor {_words(self.joint)}"


class LockedJoint(BaseModel):
    """A joint that is jammed, so far from its stance."""

    model_config = Frozen
    kind: Literal["locked_joint"]
    joint: str
    angle_rad: Finite = 0.0

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(locked_joints_rad={**dynamics.locked_joints_rad, self.joint: self.angle_rad})

    def __str__(self) -> str:
        return f"joint {_words(self.joint)} locked {math.degrees(self.angle_rad):+.0f} degrees from its stance"


class ShortLeg(BaseModel):
    """A lower leg broken off at this share of its length; 0 is a lost one."""

    model_config = Frozen
    kind: Literal["short_leg"]
    leg: str
    share: Share

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(shank_share=_with(dynamics.shank_share, self.leg, self.share, lambda a, b: a * b))

    def __str__(self) -> str:
        return f"{_words(self.leg)} lower leg " + (f"at {self.share:.0%} of its length" if self.share else "lost")


class SlipperyFeet(BaseModel):
    """The friction of all feet."""

    model_config = Frozen
    kind: Literal["slippery_feet"]
    friction: NonNegative

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(foot_friction=self.friction, foot_friction_of={})

    def __str__(self) -> str:
        return f"foot friction {self.friction:g}"


class SlipperyFoot(BaseModel):
    """The friction of one foot."""

    model_config = Frozen
    kind: Literal["slippery_foot"]
    leg: str
    friction: NonNegative

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(foot_friction_of={**dynamics.foot_friction_of, self.leg: self.friction})

    def __str__(self) -> str:
        return f"{_words(self.leg)} foot friction {self.friction:g}"


class WornJoint(BaseModel):
    """More Coulomb friction in a joint."""

    model_config = Frozen
    kind: Literal["worn_joint"]
    joint: str
    friction_nm: Positive

    def apply(self, dynamics: Dynamics) -> Dynamics:
        worn = _with(dynamics.worn_joints_nm, self.joint, self.friction_nm, lambda a, b: a + b)
        return dynamics.with_changes(worn_joints_nm=worn)

    def __str__(self) -> str:
        return f"{self.friction_nm:g} N m of friction in joint {_words(self.joint)}"


class EncoderOffset(BaseModel):
    """A miscalibrated zero: the encoder, and the motor's controller with it, is off by this angle."""

    model_config = Frozen
    kind: Literal["encoder_offset"]
    joint: str
    angle_rad: Finite

    def apply(self, dynamics: Dynamics) -> Dynamics:
        offsets = _with(dynamics.encoder_offset_rad, self.joint, self.angle_rad, lambda a, b: a + b)
        return dynamics.with_changes(encoder_offset_rad=offsets)

    def __str__(self) -> str:
        return f"encoder of {_words(self.joint)} off by {math.degrees(self.angle_rad):.0f} degrees"


class ImuTilt(BaseModel):
    """An IMU that was knocked out of place."""

    model_config = Frozen
    kind: Literal["imu_tilt"]
    roll_rad: Finite
    pitch_rad: Finite

    def apply(self, dynamics: Dynamics) -> Dynamics:
        roll, pitch = dynamics.imu_tilt_rad
        return dynamics.with_changes(imu_tilt_rad=(roll + self.roll_rad, pitch + self.pitch_rad))

    def __str__(self) -> str:
        return f"IMU tilted by {math.degrees(self.roll_rad):.0f} and {math.degrees(self.pitch_rad):.0f} degrees"


class ExtraLatency(BaseModel):
    """What the policy reads is older by this."""

    model_config = Frozen
    kind: Literal["extra_latency"]
    latency_s: Positive

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(control_latency_s=dynamics.control_latency_s + self.latency_s)

    def __str__(self) -> str:
        return f"{1000 * self.latency_s:.0f} ms more latency"


class OtherGround(BaseModel):
    """A slope, steps or rough ground in place of the level."""

    model_config = Frozen
    kind: Literal["ground"]
    ground: Ground

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(ground=self.ground)

    def __str__(self) -> str:
        match self.ground:
            case Slope() as slope:
                up, side = math.degrees(slope.pitch_rad), math.degrees(slope.roll_rad)
                return f"slope of {up:.0f} degrees up ahead, {side:.0f} to the side"
            case Steps() as steps:
                return f"steps of {1000 * steps.height_m:.0f} mm every {steps.length_m:g} m"
            case Rough() as rough:
                return f"rough ground of {1000 * rough.height_m:.0f} mm"


class Pull(BaseModel):
    """A steady force on the base, in the world's frame: side wind, a leash."""

    model_config = Frozen
    kind: Literal["pull"]
    force_n: PointM

    def apply(self, dynamics: Dynamics) -> Dynamics:
        force = tuple(a + b for a, b in zip(dynamics.pull_n, self.force_n, strict=True))
        return dynamics.with_changes(pull_n=force)

    def __str__(self) -> str:
        return "pulled with x {:g}, y {:g}, z {:g} N".format(*self.force_n)


Change = Annotated[
    Payload | LowBattery | WeakLeg | DeadMotor | LockedJoint | ShortLeg | SlipperyFeet | SlipperyFoot | WornJoint
    | EncoderOffset | ImuTilt | ExtraLatency | OtherGround | Pull,
    Field(discriminator="kind"),
]  # fmt: skip


def misfit(change: Change, body: Body) -> str | None:
    """Why this robot cannot have a change, with the change's key; None when it can."""
    match change:
        case WeakLeg(leg=leg) | ShortLeg(leg=leg) | SlipperyFoot(leg=leg) if leg not in body.legs:
            return f"leg: {body.name} has no leg {leg}; it has {', '.join(body.legs)}"
        case DeadMotor(joint=name) | LockedJoint(joint=name) | WornJoint(joint=name) | EncoderOffset(joint=name):
            joints = body.joints_called(name)
            if not joints:
                return f"joint: {body.name} has no joint {name}; it has {', '.join(body.joints)}"
            if len(joints) > 1:
                return f"joint: {name} is a leg; its joints are {name}.0 to {name}.{len(joints) - 1}"
            joint = body.joints[joints[0]]
            low, high = joint.lower_rad - joint.stance_rad, joint.upper_rad - joint.stance_rad
            if isinstance(change, LockedJoint) and not low <= change.angle_rad <= high:
                return f"angle_rad: {name} turns from {low:g} to {high:g} about its stance, not to {change.angle_rad:g}"
    return None


class Hobble(BaseModel):
    """A named list of changes, applied in order."""

    model_config = Frozen
    name: str
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]

    def apply(self, dynamics: Dynamics) -> Dynamics:
        for change in self.changes:
            dynamics = change.apply(dynamics)
        return dynamics

    def misfit(self, body: Body) -> str | None:
        """The first change that this robot cannot have, with its key; None when all fit."""
        for index, change in enumerate(self.changes):
            if (wrong := misfit(change, body)) is not None:
                return f"changes.{index}.{wrong}"
        return None

    def __str__(self) -> str:
        return ", ".join(str(change) for change in self.changes)


def _with(values: dict[str, float], name: str, value: float, both: Callable[[float, float], float]) -> dict[str, float]:
    """The mapping with a value more; one that is there already is joined with it."""
    return {**values, name: both(values[name], value) if name in values else value}


def _words(name: str) -> str:
    return name.replace("_", " ")
