"""2-D navigation: to an unknown goal in the square (arXiv 1703.03400, section 5.3; google-research `es_maml/task.py`).

A step earns -|s - goal|^2, and a trial ends within 0.1 of the goal, as `es_maml` has it (the paper: 0.01). Ours: noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.problems.point_robot import PARAMETERS, PointTask, fastest

_LIMIT = 1.0
_REACHED = 0.1


@dataclass(frozen=True)
class Goal:
    """The reward of positions: none after the goal is reached."""

    goal: tuple[float, float]

    def __call__(self, positions: FloatArray) -> FloatArray:
        squares = np.square(positions - self.goal).sum(axis=1)
        reached = np.logical_or.accumulate(squares <= _REACHED**2)
        over = np.concatenate(([False], reached[:-1]))
        return np.where(over, 0.0, -squares)


@dataclass(frozen=True)
class Navigation2d:
    """A Problem; `noise` is the standard deviation of a return."""

    noise: float = 0.0
    horizon: int = 100

    @property
    def parameters(self) -> int:
        return PARAMETERS

    def start(self) -> FloatArray:
        return np.zeros(PARAMETERS)

    def task(self, goal: FloatArray) -> PointTask:
        """The nearest at every step is also the first to arrive: nothing earns more."""
        reward = Goal((float(goal[0]), float(goal[1])))
        best = float(reward(fastest(goal, self.horizon)).sum())
        return PointTask(reward, _LIMIT, self.horizon, self.noise, best)

    def sample(self, randomness: np.random.Generator) -> PointTask:
        return self.task(randomness.uniform(-_LIMIT, _LIMIT, 2))
