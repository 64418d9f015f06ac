"""ES gradient ascent: theta <- theta + alpha grad_ES f(theta), the first adaptation operator of arXiv 1910.01215.

In z, where a perturbation is standard normal, the gradient is L^T grad f: in full weight space a step of 1 here is one of
sigma^2 in the paper. With shaped values it is a step in units of the perturbations, whatever the returns' units are.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.optim.ascent import AscentConfig, make_ascent
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.perturbations import GaussianConfig, PerturbationConfig, as_pairs, draw, mirrored
from robot_adapt.optim.regression import linear_programming


class EsGradientConfig(BaseModel):
    """Some steps up an estimated gradient.

    Attributes:
        directions: perturbations g a round.
        antithetic: try z + g and z - g, else z + g alone.

    """

    model_config = FROZEN
    kind: Literal["es_gradient"]
    directions: Count
    rounds: Count
    sigma: Positive
    ascent: AscentConfig
    antithetic: bool = True
    perturbations: PerturbationConfig = GaussianConfig()
    gradient: GradientConfig = GradientConfig()

    @property
    def trials(self) -> int:
        return self.rounds * self.directions * (2 if self.antithetic else 1)


class EsGradient:
    """A Strategy; what it believes z to be worth is the mean of the last round around it.

    Raises Absent when its estimator needs an extra that is not installed.
    """

    def __init__(self, config: EsGradientConfig, dimensions: int) -> None:
        if config.gradient.estimator == "l1_decoding":
            linear_programming()
        self._config = config
        self._z: FloatArray = np.zeros(dimensions)
        self._value: float | None = None
        self._ascent = make_ascent(config.ascent, dimensions)

    @property
    def rounds(self) -> range:
        return range(self._config.rounds)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        c = self._config
        g = draw(c.perturbations, c.directions, self._z.size, randomness)
        return self._z + (mirrored(g) if c.antithetic else g)

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        c, g = self._config, z - self._z
        self._value = float(values.mean())
        if c.antithetic:
            g, values = as_pairs(g, values, positions, c.directions)
        self._z = self._z + self._ascent.step(gradient(c.gradient, g, values))

    def best(self) -> tuple[FloatArray, float | None]:
        return self._z, self._value

    def state(self) -> dict[str, Any]:
        return {"z": self._z.tolist(), "value": self._value, "ascent": self._ascent.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._value = np.array(state["z"]), state["value"]
        self._ascent.restore(state["ascent"])
