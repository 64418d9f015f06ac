"""First-order ES-MAML (arXiv 1910.01215): adaptation is a step of ES gradient ascent, the meta-gradient goes through it.

    U(theta, T) = theta + alpha grad_ES f_T(theta)
    meta-gradient = (I + alpha Hess_ES f_T(theta)) grad_ES f_T(U(theta, T)),  or without the Hessian
all of the smoothed f_T. Each of the three estimates has perturbations of its own: for quadratics the product is then unbiased.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.meta.arena import Arena, World
from robot_adapt.meta.state import MetaState
from robot_adapt.optim.ascent import AscentConfig, SgdConfig
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.perturbations import GaussianConfig, PerturbationConfig, draw
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator


class MetaGradientConfig(BaseModel):
    """Of one task.

    Attributes:
        directions: perturbations an estimate, mirrored or, forward, single.
        sigma: of all perturbations.
        alpha: step of the adaptation.
        hessian: with the second-order term.
        common_noise: both sides of a pair meet the same noise.

    """

    model_config = FROZEN
    directions: Annotated[int, Field(ge=2)]
    sigma: Positive
    alpha: NonNegative
    hessian: bool = True
    antithetic: bool = True
    common_noise: bool = True
    perturbations: PerturbationConfig = GaussianConfig()

    @property
    def trials(self) -> int:
        return self.directions * (2 if self.antithetic else 1) * (3 if self.hessian else 2)


class FirstOrderStageConfig(BaseModel):
    """A stage, `tasks` an iteration; the step shrinks evenly to `final_step` and multiplies the ascent's own."""

    model_config = FROZEN
    kind: Literal["first_order"]
    name: str
    iterations: Count
    tasks: Count
    step: Positive
    final_step: NonNegative
    estimate: MetaGradientConfig
    ascent: AscentConfig = SgdConfig(step=1.0)

    @property
    def trials(self) -> int:
        """An iteration's."""
        return self.tasks * self.estimate.trials


@dataclass(frozen=True)
class MetaGradientItem:
    """Theta (d,) on one world; seed and index decide every random number."""

    world: World
    theta: FloatArray
    config: MetaGradientConfig
    seed: int
    index: tuple[int, ...]


@dataclass(frozen=True)
class MetaGradient:
    """The estimate (d,), and the mean return around the adapted parameters."""

    gradient: FloatArray
    value: float
    trials: int
    moments: Moments


def meta_gradient(item: MetaGradientItem) -> MetaGradient:
    """Opens the world and estimates. Raises when a trial is aborted."""
    opened, config = item.world.open(), item.config
    around = perturbed(opened.trial, config, item.seed, item.index)
    try:
        adapted = item.theta + config.alpha * gradient(GradientConfig(), *around(item.theta, 0), config.sigma)
        g, values = around(adapted, 1)
        estimate = gradient(GradientConfig(), g, values, config.sigma)
        if config.hessian:
            estimate = estimate + config.alpha * hessian_product(*around(item.theta, 2), config.sigma, estimate)
        return MetaGradient(estimate, float(values.mean()), config.trials, opened.moments)
    finally:
        opened.close()


def perturbed(
    trial: Callable[[FloatArray, np.random.Generator], float], config: MetaGradientConfig, seed: int, index: tuple[int, ...]
) -> Callable[[FloatArray, int], tuple[FloatArray, FloatArray]]:
    """From a point (d,) and the number of an estimate to g (n, d) and returns (n, 2) at point +- sigma g, or (n,) forward."""

    def around(point: FloatArray, which: int) -> tuple[FloatArray, FloatArray]:
        g = draw(config.perturbations, config.directions, point.size, generator(seed, "first order", *index, which))

        def returns(sign: float, side: int) -> list[float]:
            own = () if config.common_noise else (side,)
            noises = (generator(seed, "first-order trial", *index, which, i, *own) for i in range(len(g)))
            return [trial(point + sign * config.sigma * one, noise) for one, noise in zip(g, noises, strict=True)]

        return g, np.column_stack((returns(1.0, 0), returns(-1.0, 1))) if config.antithetic else np.array(returns(1.0, 0))

    return around


def hessian_product(g: FloatArray, values: FloatArray, sigma: float, v: FloatArray) -> FloatArray:
    """Hess_ES v = 1/sigma^2 (E[f(theta + sigma g) g g^T] - E[f] I) v, section 3.1 there, without forming (d, d).

    E[f] is, for each value, the mean of the others, which keeps the product unbiased; the term with I then sums to zero.

    Args:
        g: perturbations (n, d), n >= 2.
        values: (n,) at theta + sigma g, or mirrored (n, 2).
        sigma: of the perturbations.
        v: (d,).

    """
    level = values if values.ndim == 1 else values.mean(axis=1)
    centred = (level - level.mean()) / ((len(level) - 1) * sigma**2)
    product: FloatArray = (centred * (g @ v)) @ g
    return product


class FirstOrder:
    """One iteration of a stage, `done` of its iterations after its beginning."""

    run = staticmethod(meta_gradient)

    def __init__(self, stage: FirstOrderStageConfig, done: int, arena: Arena, seed: int, state: MetaState) -> None:
        self._stage, self._state = stage, state
        self._step = stage.step + (stage.final_step - stage.step) * (done / stage.iterations)
        k = state.iteration
        self.items = {
            task: MetaGradientItem(
                arena.world(state.moments, generator(seed, "task", k, task)), state.theta, stage.estimate, seed, (k, task)
            )
            for task in range(stage.tasks)
        }

    def learn(self, results: Sequence[MetaGradient | None]) -> MetaState:
        """The state after the outer step; None stands for a failed item."""
        mean = np.mean([result.gradient for result in results if result is not None], axis=0)
        step, ascent = self._state.ascend(self._stage.ascent, mean)
        return replace(self._state, theta=self._state.theta + self._step * step, ascent=ascent)
