"""A noisy quadratic that tasks move along a few of its many directions only; ours.

    f(theta) = -|U^T theta - a|^2 - stiffness |theta - U U^T theta|^2,    U (d, r) orthonormal, a uniform on R^r's unit sphere
So f(0) = -1 and the best is 0 whatever the task: returns and noise are in units of what there is to gain. A walking policy is
like this: most changes of its weights only make it worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hardware.types import FloatArray
from robot_adapt.randomness import generator


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A Task; the arrays are U and a."""

    basis: FloatArray
    goal: FloatArray
    stiffness: float
    noise: float

    @property
    def best(self) -> float:
        """The highest expected return, at theta = U a."""
        return 0.0

    def expected(self, theta: FloatArray, sigma: float = 0.0) -> float:
        """E f(theta + sigma g) for g ~ N(0, I): f without noise, or smoothed."""
        along = theta @ self.basis
        d, r = self.basis.shape
        across = float(theta @ theta - along @ along)
        smoothing = sigma**2 * (r + self.stiffness * (d - r))
        return -float(np.square(along - self.goal).sum()) - self.stiffness * across - smoothing

    def gradient(self, theta: FloatArray) -> FloatArray:
        """Of `expected` (d,), the same for any sigma."""
        along = theta @ self.basis
        slope: FloatArray = -2.0 * (self.basis @ (along - self.goal) + self.stiffness * (theta - self.basis @ along))
        return slope

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        return self.expected(theta) + self.noise * float(randomness.standard_normal())


@dataclass(frozen=True)
class NoisyQuadratic:
    """A Problem.

    Attributes:
        dimensions, active: d and r.
        stiffness: of the directions that no task moves along; 0: they do not matter at all.
        noise: standard deviation of a return; 1 is all there is to gain.
        seed: of U.

    """

    dimensions: int = 60
    active: int = 4
    stiffness: float = 1.0
    noise: float = 0.1
    seed: int = 0

    @property
    def parameters(self) -> int:
        return self.dimensions

    @cached_property
    def basis(self) -> FloatArray:
        """U."""
        normals = generator(self.seed, "active subspace").standard_normal((self.dimensions, self.active))
        basis: FloatArray = np.linalg.qr(normals)[0]
        return basis

    def start(self) -> FloatArray:
        return np.zeros(self.dimensions)

    def sample(self, randomness: np.random.Generator) -> Quadratic:
        goal = randomness.standard_normal(self.active)
        return Quadratic(self.basis, goal / np.linalg.norm(goal), self.stiffness, self.noise)
