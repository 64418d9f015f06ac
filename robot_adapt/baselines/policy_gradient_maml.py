"""Policy-gradient MAML (arXiv 1703.03400) for linear-Gaussian policies: the rival of ES-MAML that differentiates.

    U(W, T) = W + alpha grad J_T(W)                                   (steps of it, one after another)
    meta-gradient = (I + alpha Hess J_T(W)) grad J_T(U(W, T)),        first-order MAML: without the Hessian
Gradient and Hessian are those of `policy_gradient`, in closed form: the meta-gradient is exactly the derivative of the sampled
objective of the last episodes at U, the earlier ones' actions given. (Like MAML's own it leaves out how W decides what the
earlier episodes see.) On a robot the same adaptation runs trial by trial: `exploration.adapt_on_robot`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, cast

import numpy as np
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient import Episode, Estimate, PolicyGradientConfig, adapt
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.errors import UserError
from robot_adapt.meta.arena import Arena, OpenWorld, World
from robot_adapt.meta.state import MetaState
from robot_adapt.optim.ascent import AscentConfig, SgdConfig
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator


class PolicyGradientStageConfig(BaseModel):
    """A stage, `tasks` an iteration; the step shrinks evenly to `final_step` and multiplies the ascent's own.

    Attributes:
        second_order: False is first-order MAML.

    """

    model_config = FROZEN
    kind: Literal["policy_gradient_maml"]
    name: str
    iterations: Count
    tasks: Count
    step: Positive
    final_step: NonNegative
    adaptation: PolicyGradientConfig
    second_order: bool = True
    ascent: AscentConfig = SgdConfig(step=1.0)

    @property
    def trials(self) -> int:
        """An iteration's."""
        return self.tasks * (self.adaptation.trials + self.adaptation.episodes)


class ExplorableWorld(OpenWorld, Protocol):
    """An open world that gives episodes too."""

    def explore(self, theta: FloatArray, std: float, noise: np.random.Generator) -> Episode:
        """An episode of theta (d,), with exploration of that standard deviation in its actions. Raises when it is aborted."""


@dataclass(frozen=True, eq=False)
class PolicyGradientItem:
    """Theta (d,) on one world; seed and index decide every random number."""

    world: World
    theta: FloatArray
    config: PolicyGradientConfig
    second_order: bool
    seed: int
    index: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PolicyMetaGradient:
    """The estimate (d,), and the mean return of exploring with the adapted parameters."""

    gradient: FloatArray
    value: float
    trials: int
    moments: Moments


def policy_meta_gradient(item: PolicyGradientItem) -> PolicyMetaGradient:
    """Opens the world and estimates. Raises when a trial is aborted."""
    config, world = item.config, _opened(item.world)
    try:
        explore = _exploring(world, config, item.seed, item.index)
        adapted, estimates = adapt(explore, item.theta, config)
        episodes = [explore(adapted, config.steps, i) for i in range(config.episodes)]
        gradient = Estimate(episodes, config.std, config.standardize).gradient
        for estimate in reversed(estimates if item.second_order else []):
            gradient = gradient + config.alpha * estimate.hessian_times(gradient)
        value = float(np.mean([one.rewards.sum() for one in episodes]))
        return PolicyMetaGradient(gradient, value, config.trials + config.episodes, world.moments)
    finally:
        world.close()


def adapt_in(
    world: World, theta: FloatArray, config: PolicyGradientConfig, seed: int, index: tuple[int, ...] = ()
) -> FloatArray:
    """Theta after adaptation in a world."""
    opened = _opened(world)
    try:
        return adapt(_exploring(opened, config, seed, index), theta, config)[0]
    finally:
        opened.close()


class PolicyGradientMaml:
    """One iteration of a stage, `done` of its iterations after its beginning."""

    run = staticmethod(policy_meta_gradient)

    def __init__(self, stage: PolicyGradientStageConfig, done: int, arena: Arena, seed: int, state: MetaState) -> None:
        self._stage, self._state = stage, state
        self._step = stage.step + (stage.final_step - stage.step) * (done / stage.iterations)
        k = state.iteration
        self.items = {
            task: PolicyGradientItem(
                arena.world(state.moments, generator(seed, "task", k, task)), state.theta, stage.adaptation,
                stage.second_order, seed, (k, task),
            )
            for task in range(stage.tasks)
        }  # fmt: skip

    def learn(self, results: Sequence[PolicyMetaGradient | None]) -> MetaState:
        """The state after the outer step; None stands for a failed item."""
        mean = np.mean([result.gradient for result in results if result is not None], axis=0)
        step, ascent = self._state.ascend(self._stage.ascent, mean)
        return replace(self._state, theta=self._state.theta + self._step * step, ascent=ascent)


def _opened(world: World) -> ExplorableWorld:
    opened = world.open()
    if not hasattr(opened, "explore"):
        raise UserError("policy gradients need worlds whose trials have steps")
    return cast("ExplorableWorld", opened)


def _exploring(
    world: ExplorableWorld, config: PolicyGradientConfig, seed: int, index: tuple[int, ...]
) -> Callable[[FloatArray, int, int], Episode]:
    """From theta, a step's number and an episode's to the episode."""
    return lambda theta, step, i: world.explore(theta, config.std, generator(seed, "policy gradient", *index, step, i))
