"""Navigation combos: k right ones of n goals on a circle (google-research `es_maml/task.py`, NavigationTaskCombo).

The goals lie sqrt(8) from the start. A step costs 4 - max(0, 4 - |s - goal|^2) for each right goal not visited yet (to 0.1),
and 10,000 times (4 - |s - goal|^2) for each wrong one nearer than 2. Ours: noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.problems.point_robot import PARAMETERS, PointTask

_LIMIT = 5.0
_BOUNDARY = 4.0
_VISITED = 0.01


@dataclass(frozen=True)
class Combo:
    """The reward of positions; `right` holds numbers of goals, counted round the circle from the x axis."""

    goals: int
    right: frozenset[int]

    def __call__(self, positions: FloatArray) -> FloatArray:
        squares = np.square(positions[:, None] - goal_positions(self.goals)).sum(axis=2)
        is_right = np.isin(np.arange(self.goals), list(self.right))
        wrong = 10_000.0 * np.minimum(0.0, squares[:, ~is_right] - _BOUNDARY)
        open_ = ~np.logical_or.accumulate(np.vstack((np.zeros(self.goals, dtype=bool), squares[:-1] < _VISITED)))
        right = np.where(open_, np.maximum(0.0, _BOUNDARY - squares) - _BOUNDARY, 0.0)[:, is_right]
        earned: FloatArray = wrong.sum(axis=1) + right.sum(axis=1)
        return earned


@dataclass(frozen=True)
class NavigationCombo:
    """A Problem: `right` (k) of `goals` (n); `noise` is the standard deviation of a return."""

    goals: int = 4
    right: int = 1
    noise: float = 0.0
    horizon: int = 100

    @property
    def parameters(self) -> int:
        return PARAMETERS

    def start(self) -> FloatArray:
        return np.zeros(PARAMETERS)

    def task(self, right: frozenset[int]) -> PointTask:
        return PointTask(Combo(self.goals, right), _LIMIT, self.horizon, self.noise, None)

    def sample(self, randomness: np.random.Generator) -> PointTask:
        return self.task(frozenset(randomness.choice(self.goals, self.right, replace=False).tolist()))


def goal_positions(goals: int) -> FloatArray:
    """(goals, 2)."""
    angles = 2.0 * np.pi * np.arange(goals) / goals
    positions: FloatArray = np.sqrt(8.0) * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    return positions
