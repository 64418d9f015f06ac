"""A subspace to adapt in: the directions in which tasks want theta changed, from gradients on training tasks.

C = E_T[grad f_T grad f_T^T] (the active subspace of Constantine, Dow & Wang, arXiv 1304.2070, over tasks), here

    C_hat = 1/T sum_i (a_i b_i^T + b_i a_i^T) / 2
with a_i and b_i two independent ES gradients on task i: noise enters each, but not their product's mean, where a covariance
of single noisy estimates would be full of it. The basis is of the top eigenvectors, each as long as the root of its eigenvalue,
all times one factor: a perturbation in the subspace is as long as one in the full space, so that an operator's sigma keeps its
meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.errors import UserError
from robot_adapt.meta.arena import Arena, World
from robot_adapt.meta.first_order import MetaGradientConfig, perturbed
from robot_adapt.meta.state import MetaState
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.space import Space
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator


class SubspaceStageConfig(BaseModel):
    """One iteration that learns where later stages, and robots, adapt; theta stays.

    Attributes:
        tasks: gradients are estimated on.
        pairs: mirrored, each of a task's two estimates; the same noise on both sides.
        sigma: of the perturbations.
        rank: the most dimensions of the subspace.

    """

    model_config = FROZEN
    kind: Literal["subspace"]
    name: str
    tasks: Annotated[int, Field(ge=2)]
    pairs: Annotated[int, Field(ge=2)]
    sigma: Positive
    rank: Count

    @property
    def iterations(self) -> int:
        return 1

    @property
    def trials(self) -> int:
        return self.tasks * 4 * self.pairs


@dataclass(frozen=True)
class GradientsItem:
    """Theta (d,) on one world; seed and index decide every random number."""

    world: World
    theta: FloatArray
    config: MetaGradientConfig
    seed: int
    index: tuple[int, ...]


@dataclass(frozen=True)
class Gradients:
    """Two independent estimates (2, d), and the mean return around theta."""

    both: FloatArray
    value: float
    trials: int
    moments: Moments


def two_gradients(item: GradientsItem) -> Gradients:
    """Opens the world and estimates. Raises when a trial is aborted."""
    opened, config = item.world.open(), item.config
    around = perturbed(opened.trial, config, item.seed, item.index)
    try:
        halves = [around(item.theta, which) for which in range(2)]
        both = np.array([gradient(GradientConfig(), g, values, config.sigma) for g, values in halves])
        value = float(np.mean([values for _, values in halves]))
        return Gradients(both, value, 4 * config.directions, opened.moments)
    finally:
        opened.close()


def active_subspace(a: FloatArray, b: FloatArray, rank: int) -> FloatArray:
    """The basis (d, r), r <= rank, from gradients a and b (T, d); columns of squared lengths that sum to d.

    Raises UserError when no direction has a positive eigenvalue: all is noise.
    """
    q = np.linalg.qr(np.vstack((a, b)).T)[0]  # C_hat is zero outside the span of all gradients: (d, d) is never formed
    c = (a @ q).T @ (b @ q) / len(a)
    eigenvalues, eigenvectors = np.linalg.eigh((c + c.T) / 2.0)
    top = np.argsort(-eigenvalues)[:rank]
    top = top[eigenvalues[top] > 0.0]
    if not top.size:
        raise UserError("subspace: the gradients of the same task do not agree: more pairs, or a larger sigma, are needed")
    weights = eigenvalues[top] / eigenvalues[top].sum()
    basis: FloatArray = np.sqrt(len(q) * weights) * (q @ eigenvectors[:, top])
    return basis


class Subspace:
    """The stage's iteration."""

    run = staticmethod(two_gradients)

    def __init__(self, stage: SubspaceStageConfig, done: int, arena: Arena, seed: int, state: MetaState) -> None:
        self._stage, self._state = stage, state
        k, config = state.iteration, MetaGradientConfig(directions=stage.pairs, sigma=stage.sigma, alpha=0.0)
        self.items = {
            task: GradientsItem(
                arena.world(state.moments, generator(seed, "task", k, task)), state.theta, config, seed, (k, task)
            )
            for task in range(stage.tasks)
        }

    def learn(self, results: Sequence[Gradients | None]) -> MetaState:
        """The state with the subspace; None stands for a failed item."""
        both = np.array([result.both for result in results if result is not None])
        basis = active_subspace(both[:, 0], both[:, 1], self._stage.rank)
        return replace(self._state, space=Space(self._state.theta.size, None, basis))
