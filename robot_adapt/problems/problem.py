"""Problem: a distribution over tasks that share a parameter space; what a simulator and its hobbles are to a robot."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hardware.types import FloatArray


class Task(Protocol):
    """One task: a noisy return of parameters (d,)."""

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        """The return of one trial, its noise drawn from `randomness`."""


class Problem(Protocol):
    """Tasks drawn at random."""

    @property
    def parameters(self) -> int:
        """d, of theta."""

    def start(self) -> FloatArray:
        """Where training begins (d,)."""

    def sample(self, randomness: np.random.Generator) -> Task: ...
