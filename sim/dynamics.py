"""Dynamics: every physical parameter in which two worlds can differ, and how tasks are sampled."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Leg = Literal["front_left", "back_left", "front_right", "back_right"]
LEGS: tuple[Leg, ...] = get_args(Leg)

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
PointM = tuple[Finite, Finite, Finite]
Frozen = ConfigDict(frozen=True, strict=True, extra="forbid")


class Dynamics(BaseModel):
    """One world's physics. Defaults: the public Minitaur constants (bullet3, pybullet_envs/minitaur), no noise, no latency.

    `foot_friction` is the feet's own: contact with the floor has this times the floor's 0.5 (sim.world.FLOOR_FRICTION).
    """

    model_config = Frozen

    mass_ratio: Positive = 1.0
    payload_kg: NonNegative = 0.0
    payload_position_m: PointM = (0.0, 0.0, 0.0)
    battery_v: Positive = 16.0
    foot_friction: NonNegative = 1.0
    motor_strength: tuple[NonNegative, NonNegative, NonNegative, NonNegative] = (1.0, 1.0, 1.0, 1.0)
    joint_friction_nm: NonNegative = 0.0
    control_latency_s: NonNegative = 0.0
    pd_latency_s: NonNegative = 0.0
    joint_noise_rad: NonNegative = 0.0
    orientation_noise_rad: NonNegative = 0.0
    gyro_noise_rad_s: NonNegative = 0.0
    start_push_m_s: NonNegative = 0.0

    def with_changes(self, **changes: object) -> Dynamics:
        """A copy with some parameters replaced, validated again."""
        return Dynamics.model_validate({**self.model_dump(), **changes})


class Range(BaseModel):
    """Uniform between two values."""

    model_config = Frozen

    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        return self

    def sample(self, generator: np.random.Generator) -> float:
        return float(generator.uniform(self.low, self.high))


class DynamicsSampler(BaseModel):
    """A distribution over worlds: a nominal one, and what varies around it from task to task.

    With probability `weak_leg_probability` one leg, drawn evenly, has its strength drawn from `weak_leg_strength`;
    the other motors' strengths come from `motor_strength`.
    """

    model_config = Frozen

    nominal: Dynamics
    mass_ratio: Range
    payload_kg: Range
    payload_x_m: Range
    payload_y_m: Range
    battery_v: Range
    foot_friction: Range
    joint_friction_nm: Range
    control_latency_s: Range
    motor_strength: Range
    weak_leg_probability: Annotated[float, Field(ge=0.0, le=1.0)]
    weak_leg_strength: Range

    @model_validator(mode="after")
    def _ends_are_worlds(self) -> DynamicsSampler:
        for name in self.__class__.model_fields:
            span = getattr(self, name)
            changed = {"weak_leg_strength": "motor_strength"}.get(name, name)
            if isinstance(span, Range) and changed in Dynamics.model_fields:
                for end in (span.low, span.high):
                    value = (end,) * len(LEGS) if changed == "motor_strength" else end
                    try:
                        self.nominal.with_changes(**{changed: value})
                    except ValidationError as error:
                        raise ValueError(f"{name}: no world has {end}: {error.errors()[0]['msg']}") from None
        return self

    def sample(self, generator: np.random.Generator) -> Dynamics:
        """Draws one world."""
        strengths = [self.motor_strength.sample(generator) for _ in LEGS]
        weak_leg = int(generator.integers(len(LEGS)))
        weak_strength = self.weak_leg_strength.sample(generator)
        if generator.random() < self.weak_leg_probability:
            strengths[weak_leg] = weak_strength
        return self.nominal.with_changes(
            mass_ratio=self.mass_ratio.sample(generator),
            payload_kg=self.payload_kg.sample(generator),
            payload_position_m=(self.payload_x_m.sample(generator), self.payload_y_m.sample(generator), 0.0),
            battery_v=self.battery_v.sample(generator),
            foot_friction=self.foot_friction.sample(generator),
            joint_friction_nm=self.joint_friction_nm.sample(generator),
            control_latency_s=self.control_latency_s.sample(generator),
            motor_strength=tuple(strengths),
        )
