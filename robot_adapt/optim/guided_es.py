"""Guided ES (Maheswaranathan et al., ICML 2019, arXiv 1806.10230), guided by its own recent gradient estimates.

Perturbations are stretched along the subspace of orthonormal U (d, k) that the last k estimates span,

    g ~ N(0, Sigma), Sigma = alpha I + (1 - alpha) (d / k) U U^T
    gradient = 1/(2 P) sum_i (f(z + g_i) - f(z - g_i)) g_i
Sigma is theirs times d, so that a perturbation is as long as a standard normal one; their beta is in the ascent's step.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.optim.ascent import AscentConfig, make_ascent
from robot_adapt.optim.gradients import GradientConfig, Shaping, gradient
from robot_adapt.optim.perturbations import as_pairs, mirrored


class GuidedEsConfig(BaseModel):
    """`trials` is the whole budget.

    Attributes:
        pairs: P, mirrored, a round.
        alpha: how much of the perturbations' variance is isotropic.
        memory: k, how many gradient estimates guide.

    """

    model_config = FROZEN
    kind: Literal["guided_es"]
    pairs: Count
    rounds: Count
    sigma: Positive
    ascent: AscentConfig
    alpha: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    memory: Count = 3
    shaping: Shaping = "standardize"

    @property
    def trials(self) -> int:
        return 2 * self.pairs * self.rounds


class GuidedEs:
    """A Strategy; what it believes z to be worth is the mean of the last round around it."""

    def __init__(self, config: GuidedEsConfig, dimensions: int) -> None:
        self._config = config
        self._z: FloatArray = np.zeros(dimensions)
        self._value: float | None = None
        self._recent: list[FloatArray] = []
        self._ascent = make_ascent(config.ascent, dimensions)

    @property
    def rounds(self) -> range:
        return range(self._config.rounds)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        c, d = self._config, self._z.size
        g = randomness.standard_normal((c.pairs, d))
        if self._recent:
            u = np.linalg.qr(np.transpose(self._recent))[0]
            k = u.shape[1]
            along = randomness.standard_normal((c.pairs, k)) @ u.T
            g = np.sqrt(c.alpha) * g + np.sqrt((1.0 - c.alpha) * d / k) * along
        return self._z + mirrored(g)

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self._value = float(values.mean())
        g, sides = as_pairs(z - self._z, values, positions, self._config.pairs)
        estimate = gradient(GradientConfig(shaping=self._config.shaping), g, sides)
        if estimate.any():
            self._recent = [*self._recent, estimate][-min(self._config.memory, estimate.size) :]
            self._z = self._z + self._ascent.step(estimate)

    def best(self) -> tuple[FloatArray, float | None]:
        return self._z, self._value

    def state(self) -> dict[str, Any]:
        recent = [estimate.tolist() for estimate in self._recent]
        return {"z": self._z.tolist(), "value": self._value, "recent": recent, "ascent": self._ascent.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._value = np.array(state["z"]), state["value"]
        self._recent = [np.array(estimate) for estimate in state["recent"]]
        self._ascent.restore(state["ascent"])
