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
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.errors import UserError
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
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.space import Space


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


def two_gradients(item: GradientItem) -> TaskGradient:
    """Two independent estimates (2, d), with the mean return around theta. Raises when a trial is aborted."""

    def estimate(around: Around) -> tuple[FloatArray, float]:
        halves = [around(item.theta, which) for which in range(2)]
        both = np.array([gradient(GradientConfig(), g, values, item.config.sigma) for g, values in halves])
        return both, float(np.mean([values for _, values in halves]))

    return estimated(item, estimate)


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
        config = MetaGradientConfig(directions=stage.pairs, sigma=stage.sigma, alpha=0.0)
        self.items = gradient_items(arena, stage.tasks, config, seed, state)

    def learn(self, results: Sequence[TaskGradient | None]) -> MetaState:
        """The state with the subspace; None stands for a failed item."""
        both = np.array([result.gradient for result in results if result is not None])
        basis = active_subspace(both[:, 0], both[:, 1], self._stage.rank)
        return replace(self._state, space=Space(self._state.theta.size, None, basis))
