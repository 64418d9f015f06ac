"""The meta-training config: one YAML in configs/meta_train/ as one frozen object."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from robot_adapt.adapt.return_source import ReturnConfig
from robot_adapt.config import FROZEN, Count, NonNegative, Positive, Seed
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.policy.trajectory_generator import TrotConfig
from sim.dynamics import DynamicsSampler
from sim.robots.minitaur import LegModel


class SimulationConfig(BaseModel):
    """Which physics, how fine; see SimulatedMinitaur."""

    model_config = FROZEN
    leg_model: LegModel
    time_step_s: Positive
    iterations: Count


class StageConfig(BaseModel):
    """Some iterations of the outer loop with one setting; stages run in order, each from where the last one ended.

    Without `adaptation` the operator is the identity, and ES-MAML is evolution strategies under domain randomization.

    Attributes:
        pairs: mirrored pairs an iteration, each on a task of its own.
        sigma, step: of the outer perturbations and the outer ascent.
        final_step: the step shrinks evenly to this at the stage's end.

    """

    model_config = FROZEN
    name: str
    iterations: Count
    pairs: Count
    sigma: Positive
    step: Positive
    final_step: NonNegative
    adaptation: BatchHillClimbingConfig | None = None


class HeldOutConfig(BaseModel):
    """The learning curve's test: every so many iterations, before and after adaptation on tasks never trained on."""

    model_config = FROZEN
    every: Count
    tasks: Annotated[int, Field(ge=2)]
    fresh_trials: Count
    adaptation: BatchHillClimbingConfig


class PolicyConfig(BaseModel):
    """What is trained: a linear policy on this trajectory generator."""

    model_config = FROZEN
    period_s: Positive
    trot: TrotConfig


class MetaTrainConfig(BaseModel):
    """Everything that decides a policy's bytes, the seed included."""

    model_config = FROZEN
    robot: Literal["minitaur"]
    seed: Seed
    trial_s: Positive
    simulation: SimulationConfig
    returns: ReturnConfig
    policy: PolicyConfig
    tasks: DynamicsSampler
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1)]
    held_out: HeldOutConfig

    @model_validator(mode="after")
    def _a_trial_has_a_tick(self) -> MetaTrainConfig:
        if self.trial_s < self.policy.period_s:
            raise ValueError(f"trial_s {self.trial_s} is shorter than policy.period_s {self.policy.period_s}")
        return self

    @property
    def iterations(self) -> int:
        return sum(stage.iterations for stage in self.stages)

    def stage_at(self, iteration: int) -> tuple[StageConfig, int]:
        """The stage that iteration (from 0) falls in, and how far into it."""
        for stage in self.stages:
            if iteration < stage.iterations:
                return stage, iteration
            iteration -= stage.iterations
        raise IndexError("past the last stage")
