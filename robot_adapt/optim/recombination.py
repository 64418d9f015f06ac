"""Mirrored rank recombination: a step along the weighted mean of mirrored perturbations, the step of an evolution strategy.

Each pair z + g, z - g gives one difference, freed of the level that both sides share (Auger, Brockhoff & Hansen 2011: mirrored
sampling with pairwise selection); differences count by the ranks of their sizes. All trials of a round bear on the step, so
noise averages out, where taking the best of a round follows the luckiest.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.optim.gradients import shaped
from robot_adapt.optim.perturbations import GaussianConfig, PerturbationConfig, as_pairs, draw, mirrored


class RecombinationConfig(BaseModel):
    """`trials` is the whole budget.

    Attributes:
        pairs: mirrored, a round.
        step: in units of the weighted mean.

    """

    model_config = FROZEN
    kind: Literal["recombination"]
    pairs: Count
    rounds: Count
    sigma: Positive
    step: Positive = 1.0
    perturbations: PerturbationConfig = GaussianConfig()

    @property
    def trials(self) -> int:
        return 2 * self.pairs * self.rounds


class Recombination:
    """A Strategy; what it believes z to be worth is the mean of the last round around it."""

    def __init__(self, config: RecombinationConfig, dimensions: int) -> None:
        self._config = config
        self._z: FloatArray = np.zeros(dimensions)
        self._value: float | None = None

    @property
    def rounds(self) -> range:
        return range(self._config.rounds)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        g = draw(self._config.perturbations, self._config.pairs, self._z.size, randomness)
        return self._z + mirrored(g)

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self._value = float(values.mean())
        g, sides = as_pairs(z - self._z, values, positions, self._config.pairs)
        weights = shaped(sides, "rank")
        scored = np.isfinite(weights)
        if (total := np.abs(weights[scored]).sum()) > 0.0:
            # A pair that was not scored on both sides has no say, and the step is shorter for it: less was learned.
            self._z = self._z + self._config.step * scored.mean() * (weights[scored] / total) @ g[scored]

    def best(self) -> tuple[FloatArray, float | None]:
        return self._z, self._value

    def state(self) -> dict[str, Any]:
        return {"z": self._z.tolist(), "value": self._value}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._value = np.array(state["z"]), state["value"]
