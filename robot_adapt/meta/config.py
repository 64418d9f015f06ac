"""The meta-training config: one YAML in configs/meta_train/ as one frozen object."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from robot_adapt.backends import NamedRig
from robot_adapt.config import FROZEN, Positive, Seed
from robot_adapt.meta.neutral import without_defaults
from robot_adapt.meta.plan import DivergenceConfig, HeldOutConfig, Plan, Stage
from sim.sampler import DynamicsSampler


class MetaTrainConfig(BaseModel):
    """Everything that decides a policy's bytes, the seed included.

    Attributes:
        robot: the simulated robot that is trained on, by its name in configs/rigs/; worlds vary around its dynamics.
        period_s: of the policy's control.
        start: the policy that training begins with, zero when not given: the name of a shipped one, or a .safetensors file.

    """

    model_config = FROZEN
    robot: NamedRig
    seed: Seed
    trial_s: Positive
    period_s: Positive
    tasks: DynamicsSampler
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    held_out: HeldOutConfig
    divergence: DivergenceConfig | None = None
    start: str | None = None

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return without_defaults(self, handler(self), since="divergence")

    @model_validator(mode="after")
    def _a_trial_has_a_tick(self) -> MetaTrainConfig:
        if self.trial_s < self.period_s:
            raise ValueError(f"trial_s {self.trial_s} is shorter than period_s {self.period_s}")
        if self.period_s < (step_s := (self.robot.simulation or self.robot.robot.simulation).time_step_s):
            raise ValueError(f"period_s {self.period_s} is shorter than the physics' step of {step_s}")
        if (later := self.robot.later) is not None and later.after_s >= self.trial_s:
            raise ValueError(f"robot.later.after_s {later.after_s} is no earlier than a trial's end, trial_s {self.trial_s}")
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
    def plan(self) -> Plan:
        """What of it is not about robots."""
        return Plan(seed=self.seed, stages=self.stages, held_out=self.held_out, divergence=self.divergence)
