"""Arena: where theta is tried. The algorithms know tasks drawn by chance and trials; whether a robot walks is behind this.

A World is one task: it crosses to any process, is opened there, and gives trial after trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient import Episode
from robot_adapt.meta.state import MetaState
from robot_adapt.policy.normalizer import Moments
from robot_adapt.problems.episodes import problem_episode
from robot_adapt.problems.problem import Problem, Task


class OpenWorld(Protocol):
    """Gives trials until it is closed."""

    @property
    def moments(self) -> Moments:
        """Of all observations of its trials."""

    def trial(self, theta: FloatArray, noise: np.random.Generator) -> float:
        """The return of one trial of theta (d,). Raises when it is aborted: simulation has no excuse."""

    def close(self) -> None: ...


class World(Protocol):
    """One task, as a work item carries it."""

    def open(self) -> OpenWorld: ...


class Arena(Protocol):
    """A distribution over tasks."""

    def start(self) -> MetaState:
        """Where training begins."""

    def world(self, moments: Moments, randomness: np.random.Generator) -> World:
        """A task, drawn from `randomness`; its observations are normalized by `moments`."""


@dataclass(frozen=True)
class ProblemArena:
    """The Arena that a Problem is."""

    problem: Problem

    def start(self) -> MetaState:
        return MetaState(0, 0, self.problem.start(), Moments.empty(0))

    def world(self, moments: Moments, randomness: np.random.Generator) -> World:
        return ProblemWorld(self.problem.sample(randomness))


@dataclass(frozen=True)
class ProblemWorld:
    """A problem's task: nothing needs opening."""

    task: Task

    @property
    def moments(self) -> Moments:
        return Moments.empty(0)

    def open(self) -> ProblemWorld:
        return self

    def trial(self, theta: FloatArray, noise: np.random.Generator) -> float:
        return self.task.value(theta, noise)

    def explore(self, theta: FloatArray, std: float, noise: np.random.Generator) -> Episode:
        """See problem_episode."""
        return problem_episode(self.task, theta, std, noise)

    def close(self) -> None:
        pass
