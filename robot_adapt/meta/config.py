"""The meta-training config: one YAML in configs/meta_train/ as one frozen object."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from robot_adapt.backends import NamedRig
from robot_adapt.config import FROZEN, Count, NonNegative, Positive, Seed
from robot_adapt.optim.operators import OperatorConfig
from sim.sampler import DynamicsSampler


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
    adaptation: OperatorConfig | None = None


class HeldOutConfig(BaseModel):
    """The learning curve's test: every so many iterations, before and after adaptation on tasks never trained on."""

    model_config = FROZEN
    every: Count
    tasks: Annotated[int, Field(ge=2)]
    fresh_trials: Count
    adaptation: OperatorConfig


class MetaTrainConfig(BaseModel):
    """Everything that decides a policy's bytes, the seed included.

    Attributes:
        robot: the simulated robot that is trained on, by its name in configs/rigs/; worlds vary around its dynamics.
        period_s: of the policy's control.

    """

    model_config = FROZEN
    robot: NamedRig
    seed: Seed
    trial_s: Positive
    period_s: Positive
    tasks: DynamicsSampler
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1)]
    held_out: HeldOutConfig

    @model_validator(mode="after")
    def _a_trial_has_a_tick(self) -> MetaTrainConfig:
        if self.trial_s < self.period_s:
            raise ValueError(f"trial_s {self.trial_s} is shorter than period_s {self.period_s}")
        return self

    @model_validator(mode="after")
    def _reality_is_not_trained_on(self) -> MetaTrainConfig:
        if self.robot.engine == "mujoco":
            raise ValueError("robot: engine mujoco stands for reality: nothing is trained on it")
        return self

    @model_validator(mode="after")
    def _tasks_are_of_this_robot(self) -> MetaTrainConfig:
        if (wrong := self.tasks.misfit(self.robot.robot.body)) is not None:
            raise ValueError(f"tasks.{wrong}")
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
