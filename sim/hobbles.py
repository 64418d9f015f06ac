"""Hobbles: named changes of Dynamics (a payload, a low battery, a weak leg), composable in order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sim.dynamics import LEGS, Dynamics, Frozen, Leg, NonNegative, PointM, Positive


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
    """The battery's voltage."""

    model_config = Frozen
    kind: Literal["low_battery"]
    battery_v: Positive

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(battery_v=self.battery_v)

    def __str__(self) -> str:
        return f"battery at {self.battery_v:g} V"


class WeakLeg(BaseModel):
    """Both motors of one leg give only this share of their torque."""

    model_config = Frozen
    kind: Literal["weak_leg"]
    leg: Leg
    strength: Annotated[float, Field(ge=0.0, le=1.0)]

    def apply(self, dynamics: Dynamics) -> Dynamics:
        strengths = list(dynamics.motor_strength)
        strengths[LEGS.index(self.leg)] *= self.strength
        return dynamics.with_changes(motor_strength=tuple(strengths))

    def __str__(self) -> str:
        return f"{self.leg.replace('_', ' ')} leg at {self.strength:.0%} strength"


class SlipperyFeet(BaseModel):
    """The friction of all four feet; contact with the floor has half of it, see Dynamics."""

    model_config = Frozen
    kind: Literal["slippery_feet"]
    friction: NonNegative

    def apply(self, dynamics: Dynamics) -> Dynamics:
        return dynamics.with_changes(foot_friction=self.friction)

    def __str__(self) -> str:
        return f"foot friction {self.friction:g}"


Change = Annotated[Payload | LowBattery | WeakLeg | SlipperyFeet, Field(discriminator="kind")]


class Hobble(BaseModel):
    """A named list of changes, applied in order."""

    model_config = Frozen
    name: str
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]

    def apply(self, dynamics: Dynamics) -> Dynamics:
        for change in self.changes:
            dynamics = change.apply(dynamics)
        return dynamics

    def __str__(self) -> str:
        return ", ".join(str(change) for change in self.changes)
