"""A trot in leg space: swing and extension of each leg from one phase. Robots differ only in how joints follow legs."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, model_validator

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Finite, NonNegative, Positive


class JointOfLeg(BaseModel):
    """How one joint follows its leg: angle = stance + swing * leg swing + extension * leg extension."""

    model_config = FROZEN
    leg: Annotated[int, Field(ge=0)]
    swing: Finite
    extension: Finite


class TrotConfig(BaseModel):
    """A trajectory generator for a robot.

    Attributes:
        phase_offset_cycles: one a leg.
        frequency_hz, amplitude_rad: of the generator unmodulated; a policy moves them by up to the ranges.
        lift_rad: how far a leg shortens in the middle of its swing.
        residual_rad: how far a policy may move any leg's swing and extension.
        joints: in the order of the robot's spec.

    """

    model_config = FROZEN
    phase_offset_cycles: tuple[Finite, ...]
    frequency_hz: Positive
    frequency_range_hz: NonNegative
    amplitude_rad: NonNegative
    amplitude_range_rad: NonNegative
    lift_rad: NonNegative
    residual_rad: NonNegative
    joints: dict[str, JointOfLeg]

    @model_validator(mode="after")
    def _legs_are_there(self) -> TrotConfig:
        for name, joint in self.joints.items():
            if joint.leg >= self.legs:
                raise ValueError(f"joint {name} is of leg {joint.leg}, but there are {self.legs} phase offsets, from 0")
        return self

    @property
    def legs(self) -> int:
        return len(self.phase_offset_cycles)


class TrotGenerator:
    """Runs a TrotConfig: holds the phase (rad), turns modulation into joint offsets from the stance."""

    def __init__(self, config: TrotConfig) -> None:
        self._config = config
        self._offsets_rad = [2.0 * math.pi * cycles for cycles in config.phase_offset_cycles]
        # From swings, then extensions, of all legs to joints.
        self._to_joints = np.zeros((len(config.joints), 2 * config.legs))
        for row, joint in zip(self._to_joints, config.joints.values(), strict=True):
            row[joint.leg], row[config.legs + joint.leg] = joint.swing, joint.extension
        self._gait = np.empty(2 * config.legs)
        self.phase_rad = 0.0

    def step(self, period_s: float, modulation: FloatArray) -> FloatArray:
        """Advances one control period; returns joint offsets from the stance (n,).

        Args:
            period_s: time since the last step.
            modulation: in -1..1: frequency, amplitude, then swing and extension residuals of each leg (2 + 2 legs,).

        """
        c, gait = self._config, self._gait
        frequency, amplitude, *residuals = modulation.tolist()
        frequency_hz = c.frequency_hz + c.frequency_range_hz * frequency
        amplitude_rad = c.amplitude_rad + c.amplitude_range_rad * amplitude
        self.phase_rad = (self.phase_rad + 2.0 * math.pi * frequency_hz * period_s) % (2.0 * math.pi)
        legs = len(self._offsets_rad)
        for leg, offset_rad in enumerate(self._offsets_rad):
            # The first half of a cycle swings forward in the air, the second pushes on the ground.
            phase_rad = self.phase_rad + offset_rad
            swing, extension = -amplitude_rad * math.cos(phase_rad), -c.lift_rad * max(math.sin(phase_rad), 0.0)
            gait[leg] = c.residual_rad * residuals[leg] + swing
            gait[legs + leg] = c.residual_rad * residuals[legs + leg] + extension
        joints: FloatArray = self._to_joints @ gait
        return joints
