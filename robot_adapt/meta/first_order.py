"""First-order ES-MAML (arXiv 1910.01215): adaptation is a step of ES gradient ascent, the meta-gradient goes through it.

    U(theta, T) = theta + alpha grad_ES f_T(theta)
    meta-gradient = (I + alpha Hess_ES f_T(theta)) grad_ES f_T(U(theta, T)),  or without the Hessian
all of the smoothed f_T. Each of the three estimates has perturbations of its own: for quadratics the product is then unbiased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.meta.arena import Arena
from robot_adapt.meta.state import MetaState
from robot_adapt.meta.task_gradient import (
    Around,
    GradientItem,
    MetaGradientConfig,
    TaskGradient,
    estimated,
    gradient_items,
)
from robot_adapt.optim.ascent import AscentConfig, SgdConfig
from robot_adapt.optim.gradients import GradientConfig, gradient


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


def meta_gradient(item: GradientItem) -> TaskGradient:
    """Of one task, with the mean return around the adapted parameters. Raises when a trial is aborted."""
    config = item.config

    def estimate(around: Around) -> tuple[FloatArray, float]:
        adapted = item.theta + config.alpha * gradient(GradientConfig(), *around(item.theta, 0), config.sigma)
        g, values = around(adapted, 1)
        slope = gradient(GradientConfig(), g, values, config.sigma)
        if config.hessian:
            slope = slope + config.alpha * hessian_product(*around(item.theta, 2), config.sigma, slope)
        return slope, float(values.mean())

    return estimated(item, estimate)


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
        self.items = gradient_items(arena, stage.tasks, stage.estimate, seed, state)

    def learn(self, results: Sequence[TaskGradient | None]) -> MetaState:
        """The state after the outer step; None stands for a failed item."""
        mean = np.mean([result.gradient for result in results if result is not None], axis=0)
        step, ascent = self._state.ascend(self._stage.ascent, mean)
        return replace(self._state, theta=self._state.theta + self._step * step, ascent=ascent)
