"""The benchmark's config: one YAML in configs/bench/ a kind of robot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from robot_adapt.adapt.config import PolicyOperatorConfig
from robot_adapt.backends import NamedRig
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndErrorConfig
from robot_adapt.baselines.oracle import OracleConfig
from robot_adapt.baselines.policy_gradient import PolicyGradientConfig
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from sim.sampler import DynamicsSampler


class BenchHobble(BaseModel):
    """A kind of hobble, drawn anew for every seed: side, leg, severity.

    Attributes:
        families: all in which a change of this kind occurs, alone or among others: what a repertoire that must not know this
            kind is deprived of; none where no family knows it. Its generalists stay: none met a hobble of the benchmark, though
            mild ones of some kinds (see configs/repertoire/).

    """

    model_config = FROZEN
    families: tuple[str, ...]
    draw: DynamicsSampler


class MapSearchConfig(TrialAndErrorConfig):
    """Intelligent trial and error.

    Attributes:
        map: what it searches, by its name in configs/behaviour_maps/ or a file.

    """

    map: str


def _rival(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in ("policy_gradient", "trial_and_error") else "of_a_session"


BenchOperatorConfig = Annotated[
    Annotated[PolicyOperatorConfig, Tag("of_a_session")]
    | Annotated[PolicyGradientConfig, Tag("policy_gradient")]
    | Annotated[MapSearchConfig, Tag("trial_and_error")],
    Discriminator(_rival),
]


class Method(BaseModel):
    """What adapts.

    Attributes:
        policy: where it begins, by its name in configs/policies/ or a file.
        operator: null keeps the policy as it is: zero-shot.
        knows_family: False takes the hobble's families out of the policy's repertoire.
        from_scratch: begins with all weights 0, the trajectory generator alone; of the policy it has the normalizer.

    """

    model_config = FROZEN
    policy: str
    operator: BenchOperatorConfig | None
    space: Literal["full", "learned"] = "full"
    knows_family: bool = True
    from_scratch: bool = False

    @model_validator(mode="after")
    def _has_a_space_if_it_names_one(self) -> Method:
        if self.space != "full" and isinstance(self.operator, MapSearchConfig | PolicyGradientConfig | None):
            raise ValueError("space: this operator searches none: leave it out")
        return self

    def quick(self) -> Method:
        """With a step up the policy gradient after two trials."""
        if not isinstance(self.operator, PolicyGradientConfig):
            return self
        return self.model_copy(update={"operator": self.operator.model_copy(update={"episodes": 2})})


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
        if not any(map(self.begins_from_start, self.methods)):
            raise ValueError(f"start: no method begins from {self.start}, so nobody measures it")
        for rig in self.rigs.values():
            for name, hobble in self.hobbles.items():
                if (wrong := hobble.draw.misfit(rig.robot.body)) is not None:
                    raise ValueError(f"hobbles.{name}.draw.{wrong}")
        return self

    def begins_from_start(self, label: str) -> bool:
        """Whether this method's return after 0 trials is zero-shot."""
        method = self.methods[label]
        return method.policy == self.start and not method.from_scratch

    def starting_from(self, policy: str) -> RecoveryBenchConfig:
        """With another policy in place of `start`, in all methods that begin from it."""
        methods = {
            label: method.model_copy(update={"policy": policy}) if method.policy == self.start else method
            for label, method in self.methods.items()
        }
        return self.model_copy(update={"start": policy, "methods": methods})

    def quick(self) -> RecoveryBenchConfig:
        """Everything once in seconds; the numbers mean nothing."""
        oracle = self.oracle.model_copy(update={"pairs": 2, "most": 1, "every": 1, "check": 2})
        methods = {label: method.quick() for label, method in self.methods.items()}
        some = {"methods": methods, "hobbles": dict(list(self.hobbles.items())[:1]), "rigs": dict(list(self.rigs.items())[:1])}
        return self.model_copy(update={**some, "seeds": 2, "budgets": (1, 3), "fresh_trials": 2, "oracle": oracle})
