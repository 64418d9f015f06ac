"""ES in an active subspace learned on line, after ASEBO (Choromanski et al., NeurIPS 2019, arXiv 1903.04268).

The decayed covariance of past gradient estimates, sum_t decay^t e_t e_t^T, has r principal directions U that hold most of its
trace. After some isotropic rounds each perturbation g, as long as a standard normal one, points with probability p into their
span, else into its complement. The antithetic estimate weighs the two by r / (d p) and (d - r) / (d (1 - p)), so that
E w g g^T = I. Its variance is r s / p + (d - r) s' / (1 - p) but for a factor, s and s' the gradient's squared lengths in the
span and outside: the least for p : 1 - p = sqrt(r s) : sqrt((d - r) s').

Unlike ASEBO, s and s' are read off the mean of the estimates, and the pairs a round do not change: a robot's budget is fixed.
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

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
_LEAST_P = 0.1


class ActiveSubspaceEsConfig(BaseModel):
    """`trials` is the whole budget.

    Attributes:
        pairs: mirrored, a round.
        isotropic_rounds: with something learned, before the subspace is used.
        decay: of past estimates' weight, a round.
        share: of the trace that the active subspace holds.

    """

    model_config = FROZEN
    kind: Literal["active_subspace_es"]
    pairs: Count
    rounds: Count
    sigma: Positive
    ascent: AscentConfig
    isotropic_rounds: Count = 2
    decay: Share = 0.9
    share: Share = 0.9
    shaping: Shaping = "standardize"

    @property
    def trials(self) -> int:
        return 2 * self.pairs * self.rounds


class ActiveSubspaceEs:
    """A Strategy; what it believes z to be worth is the mean of the last round around it."""

    def __init__(self, config: ActiveSubspaceEsConfig, dimensions: int) -> None:
        self._config = config
        self._z: FloatArray = np.zeros(dimensions)
        self._value: float | None = None
        self._estimates: list[FloatArray] = []
        self._ascent = make_ascent(config.ascent, dimensions)

    @property
    def rounds(self) -> range:
        return range(self._config.rounds)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        g = randomness.standard_normal((self._config.pairs, self._z.size))
        is_along = randomness.random(self._config.pairs)[:, None]
        if (subspace := self.active_subspace()) is not None:
            u, p = subspace
            along = g @ u @ u.T
            turned = np.where(is_along < p, along, g - along)
            g = turned * (np.linalg.norm(g, axis=1) / np.linalg.norm(turned, axis=1))[:, None]
        return self._z + mirrored(g)

    def active_subspace(self) -> tuple[FloatArray, float] | None:
        """U (d, r), orthonormal, and p; None while perturbations are isotropic."""
        if len(self._estimates) < self._config.isotropic_rounds:
            return None
        newest_first = np.array(self._estimates[::-1])
        weights = self._config.decay ** np.arange(len(newest_first))
        _, lengths, rows = np.linalg.svd(np.sqrt(weights)[:, None] * newest_first, full_matrices=False)
        held = np.cumsum(np.square(lengths)) / np.square(lengths).sum()
        r, d = int(np.searchsorted(held, self._config.share)) + 1, self._z.size
        if r == d:
            return None
        u: FloatArray = rows[:r].T
        mean = weights @ newest_first
        inside = float(np.square(mean @ u).sum())
        outside = float(np.square(mean - u @ (mean @ u)).sum())
        odds = np.sqrt([r * inside, (d - r) * outside])
        return u, float(np.clip(odds[0] / odds.sum(), _LEAST_P, 1.0 - _LEAST_P))

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self._value = float(values.mean())
        g, sides = as_pairs(z - self._z, values, positions, self._config.pairs)
        if (subspace := self.active_subspace()) is not None:
            (u, p), (d, r) = subspace, subspace[0].shape
            is_along = np.square(g @ u).sum(axis=1) > 0.5 * np.square(g).sum(axis=1)
            g = g * np.where(is_along, r / (d * p), (d - r) / (d * (1.0 - p)))[:, None]
        estimate = gradient(GradientConfig(shaping=self._config.shaping), g, sides)
        if estimate.any():
            self._estimates.append(estimate)
            self._z = self._z + self._ascent.step(estimate)

    def best(self) -> tuple[FloatArray, float | None]:
        return self._z, self._value

    def state(self) -> dict[str, Any]:
        estimates = [estimate.tolist() for estimate in self._estimates]
        return {"z": self._z.tolist(), "value": self._value, "estimates": estimates, "ascent": self._ascent.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self._z, self._value = np.array(state["z"]), state["value"]
        self._estimates = [np.array(estimate) for estimate in state["estimates"]]
        self._ascent.restore(state["ascent"])
