"""The plan of a meta-training: stages, tests, and when to give up; nothing of it is about robots."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Discriminator, Field, SerializerFunctionWrapHandler, Tag, model_serializer

from robot_adapt.baselines.policy_gradient_maml import PolicyGradientStageConfig
from robot_adapt.config import FROZEN, Count, Positive, Seed
from robot_adapt.meta.first_order import FirstOrderStageConfig
from robot_adapt.meta.neutral import without_defaults
from robot_adapt.meta.subspace import SubspaceStageConfig
from robot_adapt.meta.zero_order import StageConfig
from robot_adapt.optim.operators import OperatorConfig

_KINDS = ("first_order", "policy_gradient_maml", "subspace", "zero_order")


def _kind(value: Any) -> str | None:
    """What names no kind is zero order."""
    kind = value.get("kind", "zero_order") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in _KINDS else None


Stage = Annotated[
    Annotated[StageConfig, Tag("zero_order")]
    | Annotated[FirstOrderStageConfig, Tag("first_order")]
    | Annotated[PolicyGradientStageConfig, Tag("policy_gradient_maml")]
    | Annotated[SubspaceStageConfig, Tag("subspace")],
    Discriminator(_kind, "stage_kind", f"kind should be one of {', '.join(_KINDS)}"),
]


class HeldOutConfig(BaseModel):
    """The learning curve's test: every so many iterations, before and after adaptation on tasks never trained on.

    Attributes:
        common_noise: fresh trials before and after, and under any operator, meet the same noise.

    """

    model_config = FROZEN
    every: Count
    tasks: Annotated[int, Field(ge=2)]
    fresh_trials: Count
    adaptation: OperatorConfig
    common_noise: bool = False

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return without_defaults(self, handler(self), since="common_noise")

    @property
    def trials(self) -> int:
        return self.tasks * (2 * self.fresh_trials + self.adaptation.trials)


class DivergenceConfig(BaseModel):
    """Training stops when the mean return of the last `window` iterations is `drop` below that of the best such window."""

    model_config = FROZEN
    window: Count
    drop: Positive


class Plan(BaseModel):
    """Everything that decides the bytes of a meta-training, but for where it happens."""

    model_config = FROZEN
    seed: Seed
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    held_out: HeldOutConfig | None = None
    divergence: DivergenceConfig | None = None

    @property
    def iterations(self) -> int:
        return sum(stage.iterations for stage in self.stages)

    def stage_at(self, iteration: int) -> tuple[Stage, int]:
        """The stage that iteration (from 0) falls in, and how far into it."""
        for stage in self.stages:
            if iteration < stage.iterations:
                return stage, iteration
            iteration -= stage.iterations
        raise IndexError("past the last stage")

    def test_after(self, iterations: int) -> HeldOutConfig | None:
        """The test that follows so many iterations, if any does."""
        due = self.held_out is not None and (iterations % self.held_out.every == 0 or iterations == self.iterations)
        return self.held_out if due else None

    def trials_in(self, iteration: int) -> int:
        """How many trials that iteration (from 0) runs, its held-out test included; for progress."""
        test = self.test_after(iteration + 1)
        return self.stage_at(iteration)[0].trials + (0 if test is None else test.trials)
