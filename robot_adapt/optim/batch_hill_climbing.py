"""Batch Hill-Climbing (BHC), the operator of arXiv 2003.01239 and of google-research `es_maml`.

    pivot <- mean of P trials of theta                              (incumbent: remember)
    Q rounds: p_i ~ N(0, sigma^2 I), v_i <- one trial of theta + p_i, i = 1..P
              if max v_i > pivot: theta <- theta + p_argmax, pivot <- max v_i
With `incumbent: remeasure` every round tries theta once more, and that fresh value is the pivot: a lucky value does not last.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.optim.operator import finite_vector
from robot_adapt.optim.space import Space


class BatchHillClimbingConfig(BaseModel):
    """P = population, Q = rounds; `trials` is the whole budget."""

    model_config = FROZEN
    # What names no kind is this one, and dumps leave it out: provenance and checkpoints that came before the others stay valid.
    kind: Literal["bhc"] = Field(default="bhc", exclude=True)
    population: Count
    rounds: Count
    sigma: Positive
    incumbent: Literal["remember", "remeasure"] = "remember"

    @property
    def trials(self) -> int:
        if self.incumbent == "remember":
            return self.population * (1 + self.rounds)
        return (self.population + 1) * self.rounds


class BatchHillClimbing:
    """A Strategy whose points are theta itself: steps are added one by one, and a sum's last bits depend on the order.

    Args:
        start: theta (d,).
        space: what p is drawn from, sigma included.

    """

    def __init__(self, config: BatchHillClimbingConfig, start: FloatArray, space: Space) -> None:
        self._config = config
        self._space = space
        self._theta = finite_vector(start)
        self._pivot: float | None = None

    @property
    def rounds(self) -> range:
        """Round 0 measures the pivot; with `remeasure` there is none, each round brings its own."""
        return range(0 if self._config.incumbent == "remember" else 1, self._config.rounds + 1)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        if round_ == 0:
            return self._theta + np.zeros((self._config.population, self._theta.size))
        steps = self._space.steps(randomness.standard_normal((self._config.population, self._space.dimensions)))
        if self._config.incumbent == "remeasure":
            steps = np.vstack((np.zeros(self._theta.size), steps))
        return self._theta + steps

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        is_incumbent = (z == self._theta).all(axis=1)
        if is_incumbent.any():
            self._pivot = float(np.mean(values[is_incumbent]))
        z, values = z[~is_incumbent], values[~is_incumbent]
        if values.size and (self._pivot is None or values.max() > self._pivot):
            self._theta, self._pivot = z[values.argmax()], float(values.max())

    def best(self) -> tuple[FloatArray, float | None]:
        return self._theta, self._pivot

    def state(self) -> dict[str, Any]:
        return {"theta": self._theta.tolist(), "pivot": self._pivot}

    def restore(self, state: dict[str, Any]) -> None:
        self._theta = finite_vector(state["theta"])
        self._pivot = state["pivot"]
