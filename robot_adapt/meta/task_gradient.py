"""Gradients of the return in one task, from trials of perturbed parameters: work items and the one way of trying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, NonNegative, Positive
from robot_adapt.meta.arena import Arena, World
from robot_adapt.meta.state import MetaState
from robot_adapt.optim.perturbations import GaussianConfig, PerturbationConfig, draw
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator

Around = Callable[[FloatArray, int], tuple[FloatArray, FloatArray]]
"""From a point (d,) and the number of an estimate to g (n, d) and returns (n, 2) at point +- sigma g, or (n,) forward."""


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


@dataclass(frozen=True)
class GradientItem:
    """Theta (d,) on one world; seed and index decide every random number."""

    world: World
    theta: FloatArray
    config: MetaGradientConfig
    seed: int
    index: tuple[int, ...]


@dataclass(frozen=True)
class TaskGradient:
    """The estimate, (d,) or some of them (n, d), and a mean return of the trials behind it."""

    gradient: FloatArray
    value: float
    trials: int
    moments: Moments


def gradient_items(
    arena: Arena, tasks: int, config: MetaGradientConfig, seed: int, state: MetaState
) -> dict[int, GradientItem]:
    """The work of one iteration: so many tasks, by their numbers."""
    k = state.iteration
    worlds = {task: arena.world(state.moments, generator(seed, "task", k, task)) for task in range(tasks)}
    return {task: GradientItem(world, state.theta, config, seed, (k, task)) for task, world in worlds.items()}


def estimated(item: GradientItem, estimate: Callable[[Around], tuple[FloatArray, float]]) -> TaskGradient:
    """Opens the item's world and estimates there: a gradient and a value. Raises when a trial is aborted."""
    opened, config, trials = item.world.open(), item.config, 0

    def around(point: FloatArray, which: int) -> tuple[FloatArray, FloatArray]:
        nonlocal trials
        g = draw(config.perturbations, config.directions, point.size, generator(item.seed, "first order", *item.index, which))

        def returns(sign: float, side: int) -> list[float]:
            own = () if config.common_noise else (side,)
            noises = (generator(item.seed, "first-order trial", *item.index, which, i, *own) for i in range(len(g)))
            return [opened.trial(point + sign * config.sigma * one, noise) for one, noise in zip(g, noises, strict=True)]

        values = np.column_stack((returns(1.0, 0), returns(-1.0, 1))) if config.antithetic else np.array(returns(1.0, 0))
        trials += values.size
        return g, values

    try:
        gradient, value = estimate(around)
        return TaskGradient(gradient, value, trials, opened.moments)
    finally:
        opened.close()
