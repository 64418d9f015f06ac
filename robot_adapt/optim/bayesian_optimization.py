"""Bayesian optimization: each trial where a Gaussian process' upper confidence bound is highest (GP-UCB, arXiv 0912.3995).

For z of few dimensions: a meta-learned subspace. The answer is the tried point with the highest posterior mean - c sd: not the
luckiest trial, and not one that its neighbours speak against.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.optim.gaussian_process import GaussianProcess, KernelName, fit
from robot_adapt.optim.perturbations import mirrored, orthogonal

_CANDIDATES = 500
_LOCAL = (0.1, 0.3)  # steps around the best point, in standard deviations of the whole search


class BayesianOptimizationConfig(BaseModel):
    """`trials` is the whole budget.

    Attributes:
        initial: the first of them: the start, then mirrored orthogonal perturbations.
        beta: standard deviations in the upper confidence bound.
        caution: c, standard deviations taken off the posterior mean in the final choice.
        length: of the kernel, in units of z; None fits it. `noise`, of a return (its standard deviation), likewise.

    """

    model_config = FROZEN
    kind: Literal["bayesian_optimization"]
    trials: Count
    initial: Annotated[int, Field(ge=2)]
    sigma: Positive
    kernel: KernelName = "matern"
    beta: NonNegative = 2.0
    caution: NonNegative = 0.5
    length: Positive | None = None
    noise: Positive | None = None


class BayesianOptimization:
    """A Strategy; its state is what it was told."""

    def __init__(self, config: BayesianOptimizationConfig, dimensions: int) -> None:
        self._config = config
        self._z: FloatArray = np.zeros((0, dimensions))
        self._values: FloatArray = np.zeros(0)

    @property
    def rounds(self) -> range:
        """Round 0 is the initial ones, every later round one trial."""
        return range(max(self._config.trials - self._config.initial, 0) + 1)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        dimensions = self._z.shape[1]
        if round_ == 0:
            first = min(self._config.initial, self._config.trials)
            around = mirrored(orthogonal((first + 1) // 2, dimensions, randomness))
            return np.vstack((np.zeros(dimensions), around))[:first]
        anywhere = randomness.standard_normal((_CANDIDATES, dimensions))
        steps = randomness.standard_normal((len(_LOCAL), _CANDIDATES, dimensions))
        if not self._values.size:
            return anywhere[:1]
        process = self._process()
        center = self._z[process.posterior(self._z)[0].argmax()]
        candidates = np.vstack((anywhere, *(center + scale * step for scale, step in zip(_LOCAL, steps, strict=True))))
        mean, sd = process.posterior(candidates)
        return candidates[[int((mean + self._config.beta * sd).argmax())]]

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self._z, self._values = np.vstack((self._z, z)), np.concatenate((self._values, values))

    def best(self) -> tuple[FloatArray, float | None]:
        if not self._values.size:
            return np.zeros(self._z.shape[1]), None
        mean, sd = self._process().posterior(self._z)
        chosen = int((mean - self._config.caution * sd).argmax())
        return self._z[chosen], float(mean[chosen])

    def state(self) -> dict[str, Any]:
        return {"z": self._z.tolist(), "values": self._values.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._values = np.array(state["z"]).reshape(-1, self._z.shape[1]), np.array(state["values"])

    def _process(self) -> GaussianProcess:
        return fit(self._z, self._values, self._config.kernel, self._config.length, self._config.noise)
