"""Quadratic tasks whose meta-gradients are known: f_T(theta) = -1/2 (theta - c_T)^T A (theta - c_T) + noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray


@dataclass(frozen=True)
class QuadraticTask:
    """Curvature A (d, d), goal c_T (d,), and the standard deviation of the noise."""

    curvature: FloatArray
    goal: FloatArray
    noise: float

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        away = theta - self.goal
        return float(-0.5 * away @ self.curvature @ away + self.noise * randomness.standard_normal())


@dataclass(frozen=True)
class Quadratics:
    """Goals c_T = mean + spread (d, k) times standard normals."""

    curvature: FloatArray
    mean: FloatArray
    spread: FloatArray
    noise: float = 0.0

    @property
    def parameters(self) -> int:
        return len(self.mean)

    def start(self) -> FloatArray:
        return np.zeros(self.parameters)

    def sample(self, randomness: np.random.Generator) -> QuadraticTask:
        goal = self.mean + self.spread @ randomness.standard_normal(self.spread.shape[1])
        return QuadraticTask(self.curvature, goal, self.noise)


def in_active_subspace(dimensions: int, axes: list[int], noise: float) -> Quadratics:
    """Goals differ along some axes alone."""
    return Quadratics(np.eye(dimensions), np.zeros(dimensions), np.eye(dimensions)[:, axes], noise)
