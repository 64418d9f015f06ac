"""The benchmark's config: one YAML in configs/bench/ a kind of robot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from robot_adapt.adapt.config import AdaptConfig, PolicyOperatorConfig
from robot_adapt.backends import NamedRig
from robot_adapt.baselines.oracle import OracleConfig
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from sim.sampler import DynamicsSampler


class BenchHobble(BaseModel):
    """A kind of hobble, drawn anew for every seed: side, leg, severity.

    Attributes:
        family: what a repertoire that must not know this kind is deprived of.

    """

    model_config = FROZEN
    family: str
    draw: DynamicsSampler


class Method(BaseModel):
    """What adapts.

    Attributes:
        policy: where it begins, by its name in configs/policies/ or a file.
        knows_family: False takes the hobble's family out of the policy's repertoire.

    """

    model_config = FROZEN
    policy: str
    operator: PolicyOperatorConfig
    space: Literal["full", "learned"] = "full"
    knows_family: bool = True


class RecoveryBenchConfig(BaseModel):
    """What is run, and how it is measured.

    Attributes:
        rigs: the robots, by what the tables call them.
        start: the policy whose return is zero-shot, one of the methods'; an oracle begins from a member of its repertoire.
        budgets: after so many trials each method's best is measured afresh, in ascending order.
        return_noise_m: standard deviation of what is added to every return that a method is told.
        fresh_trials: a measurement's, without that noise; the same disturbances for every method.
        oracle: how the ceiling of each draw is found.
        hobbles, methods: by what the tables call them.

    """

    model_config = FROZEN
    rigs: Annotated[dict[str, NamedRig], Field(min_length=1)]
    start: str
    seeds: Count
    trial_s: Positive
    budgets: Annotated[tuple[Count, ...], Field(min_length=1)]
    return_noise_m: NonNegative
    fresh_trials: Annotated[int, Field(ge=2)]
    oracle: OracleConfig
    hobbles: Annotated[dict[str, BenchHobble], Field(min_length=1)]
    methods: Annotated[dict[str, Method], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> RecoveryBenchConfig:
        if list(self.budgets) != sorted(set(self.budgets)):
            raise ValueError("budgets: should ascend")
        if self.start not in {method.policy for method in self.methods.values()}:
            raise ValueError(f"start: no method begins from {self.start}, so nobody measures it")
        for rig in self.rigs.values():
            for name, hobble in self.hobbles.items():
                if (wrong := hobble.draw.misfit(rig.robot.body)) is not None:
                    raise ValueError(f"hobbles.{name}.draw.{wrong}")
        return self

    def settings(self, method: Method) -> AdaptConfig:
        """As a session would have them."""
        return AdaptConfig(trial_s=self.trial_s, operator=method.operator, fresh_trials=self.fresh_trials, space=method.space)

    def quick(self) -> RecoveryBenchConfig:
        """Everything once in seconds; the numbers mean nothing."""
        oracle = self.oracle.model_copy(update={"pairs": 2, "most": 1, "every": 1, "check": 2})
        some = {"hobbles": dict(list(self.hobbles.items())[:2]), "rigs": dict(list(self.rigs.items())[:1])}
        return self.model_copy(update={**some, "seeds": 2, "budgets": (1, 3), "fresh_trials": 2, "oracle": oracle})
