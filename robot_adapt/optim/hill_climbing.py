"""Sequential hill climbing, with averaging: one perturbation a round, tried P times (`average` of google-research `es_maml`).

    pivot <- mean of P trials of z                                   (incumbent: remember)
    Q rounds: p ~ N(0, I), v <- mean of P trials of z + p
              if v > pivot: z <- z + p, pivot <- v
With `incumbent: remeasure` every round tries z P times more, and that fresh mean is the pivot. P = 1 is plain hill climbing.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive


class HillClimbingConfig(BaseModel):
    """P = repeats, Q = rounds; `trials` is the whole budget."""

    model_config = FROZEN
    kind: Literal["hill_climbing"]
    repeats: Count
    rounds: Count
    sigma: Positive
    incumbent: Literal["remember", "remeasure"] = "remember"

    @property
    def trials(self) -> int:
        measured = 1 + self.rounds if self.incumbent == "remember" else 2 * self.rounds
        return self.repeats * measured


class HillClimbing:
    """A Strategy."""

    def __init__(self, config: HillClimbingConfig, dimensions: int) -> None:
        self._config = config
        self._z: FloatArray = np.zeros(dimensions)
        self._pivot: float | None = None

    @property
    def rounds(self) -> range:
        """Round 0 measures the pivot; with `remeasure` there is none, each round brings its own."""
        return range(0 if self._config.incumbent == "remember" else 1, self._config.rounds + 1)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        points = [] if self._config.incumbent == "remember" and round_ > 0 else [self._z]
        if round_ > 0:
            points.append(self._z + randomness.standard_normal(self._z.size))
        return np.repeat(points, self._config.repeats, axis=0)

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        is_incumbent = (z == self._z).all(axis=1)
        if is_incumbent.any():
            self._pivot = float(values[is_incumbent].mean())
        if not is_incumbent.all():
            mean = float(values[~is_incumbent].mean())
            if self._pivot is None or mean > self._pivot:
                self._z, self._pivot = z[~is_incumbent][0], mean

    def best(self) -> tuple[FloatArray, float | None]:
        return self._z, self._pivot

    def state(self) -> dict[str, Any]:
        return {"z": self._z.tolist(), "pivot": self._pivot}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._pivot = np.array(state["z"]), state["pivot"]
