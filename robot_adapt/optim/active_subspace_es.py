"""ES in an active subspace learned on line, after ASEBO (Choromanski et al., NeurIPS 2019, arXiv 1903.04268).

The decayed covariance of past gradient estimates, sum_t decay^t e_t e_t^T, has r principal directions U with most of its
trace. After some isotropic rounds, n of a round's N perturbations g, each as long as a standard normal one, lie in their span
and the others in its complement. Each part of the gradient is estimated by its own,

    r / d mean_in(y g) + (d - r) / d mean_out(y g),    y = (f(z + g) - f(z - g)) / 2,

which for a linear f is unbiased, with a variance of r s / n + (d - r) s' / (N - n) but for a factor, s and s' being the squared
lengths of the gradient's two parts: the least for n : N - n = sqrt(r s) : sqrt((d - r) s'). Unlike ASEBO, s and s' are read off
the mean of the estimates, and N does not change: a robot's budget is known beforehand.
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


class ActiveSubspaceEsConfig(BaseModel):
    """`trials` is the whole budget.

    Attributes:
        pairs: N, mirrored, a round.
        isotropic_rounds: with something learned, before the subspace is used.
        decay: of past estimates' weight, a round.
        share: of the trace that the active subspace holds.

    """

    model_config = FROZEN
    kind: Literal["active_subspace_es"]
    pairs: Annotated[int, Field(ge=2)]
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
        if (subspace := self.active_subspace()) is not None:
            u, n = subspace
            along = g @ u @ u.T
            turned = np.vstack((along[:n], (g - along)[n:]))
            g = turned * (np.linalg.norm(g, axis=1) / np.linalg.norm(turned, axis=1))[:, None]
        return self._z + mirrored(g)

    def active_subspace(self) -> tuple[FloatArray, int] | None:
        """U (d, r), orthonormal, and n of the next round; None while perturbations are isotropic."""
        if len(self._estimates) < self._config.isotropic_rounds:
            return None
        newest_first = np.array(self._estimates[::-1])
        weights = self._config.decay ** np.arange(len(newest_first))
        _, lengths, rows = np.linalg.svd(np.sqrt(weights)[:, None] * newest_first, full_matrices=False)
        held = np.cumsum(np.square(lengths)) / np.square(lengths).sum()
        r, d = int(np.searchsorted(held, self._config.share)) + 1, self._z.size
        if r >= d:
            return None
        u: FloatArray = rows[:r].T
        mean = weights @ newest_first
        inside = float(np.square(mean @ u).sum())
        outside = float(np.square(mean - u @ (mean @ u)).sum())
        odds = np.sqrt([r * inside, (d - r) * outside])
        pairs = self._config.pairs
        return u, min(max(round(pairs * odds[0] / max(odds.sum(), 1e-300)), 1), pairs - 1)

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        self._value = float(values.mean())
        g, sides = as_pairs(z - self._z, values, positions, self._config.pairs)
        if (subspace := self.active_subspace()) is not None:
            (d, r), n = subspace[0].shape, subspace[1]
            scored = np.isfinite(sides[:, 0] + sides[:, 1])
            count_in, count_out = max(int(scored[:n].sum()), 1), max(int(scored[n:].sum()), 1)
            g[:n] *= r / d * scored.sum() / count_in
            g[n:] *= (d - r) / d * scored.sum() / count_out
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
