"""Four corners: one of them pays, and only near it (google-research `es_maml/task.py`; arXiv 1910.01215).

A step earns -4 + max(0, 4 - |s - corner|^2): from where a trial begins, nothing tells one corner from another. Ours: noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.problems.point_robot import PARAMETERS, PointTask, fastest

CORNERS = ((2.0, 2.0), (-2.0, 2.0), (-2.0, -2.0), (2.0, -2.0))
_LIMIT = 5.0


@dataclass(frozen=True)
class Corner:
    """The reward of positions."""

    corner: tuple[float, float]

    def __call__(self, positions: FloatArray) -> FloatArray:
        squares = np.square(positions - self.corner).sum(axis=1)
        earned: FloatArray = np.maximum(0.0, 4.0 - squares) - 4.0
        return earned


@dataclass(frozen=True)
class FourCorners:
    """A Problem; `noise` is the standard deviation of a return."""

    noise: float = 0.0
    horizon: int = 100

    @property
    def parameters(self) -> int:
        return PARAMETERS

    @property
    def best(self) -> float:
        """Of any corner: -4 a step until its region is reached, then |s - corner|^2 less."""
        return float(Corner(CORNERS[0])(fastest(np.array(CORNERS[0]), self.horizon)).sum())

    @property
    def worst(self) -> float:
        """Of any corner: never near it."""
        return -4.0 * self.horizon

    def start(self) -> FloatArray:
        return np.zeros(PARAMETERS)

    def task(self, corner: int) -> PointTask:
        """By its number, 0 to 3."""
        return PointTask(Corner(CORNERS[corner]), _LIMIT, self.horizon, self.noise, self.best)

    def sample(self, randomness: np.random.Generator) -> PointTask:
        return self.task(int(randomness.integers(len(CORNERS))))
