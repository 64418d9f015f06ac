"""REINFORCE for linear-Gaussian policies a ~ N(W s, std^2 I): gradient and Hessian of the return from the same episodes.

Both derive from the sampled objective of K episodes tried with W_0,

    J(W) = 1/K sum_it c_it w_it,    w_it = prod_{u <= t} pi_W(a_iu | s_iu) / pi_W0(a_iu | s_iu),    c_it = r_it - b_it + b_i,t+1

whose derivatives at W_0 are, with the score z_u = (a_u - W_0 s_u) s_u^T / std^2 and Hess log pi = -(I kron s_u s_u^T) / std^2,

    gradient:  1/K sum_it A_it z_it,    A_it = sum_{u >= t} c_iu = (return to go) - b_it
    Hessian:   1/K sum_it c_it (S_it S_it^T + sum_{u <= t} Hess log pi),    S_it = sum_{u <= t} z_iu
The baseline b_it is the mean return to go of the other episodes at that time: it depends on no action of episode i, so both are
unbiased (Williams 1992; its higher orders: Mao et al. 2019). The term S S^T is what differentiating the surrogate
sum A log pi twice leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive


@dataclass(frozen=True, eq=False)
class Episode:
    """A trial whose actions were a_t = W s_t + exploration_t.

    Attributes:
        states: (T, s), a constant 1 for a bias among them.
        exploration: (T, a).
        rewards: (T,).
        layout: (a, s), which of theta's entries each of W's is.

    """

    states: FloatArray
    exploration: FloatArray
    rewards: FloatArray
    layout: NDArray[np.intp]


class PolicyGradientConfig(BaseModel):
    """Adaptation by some steps up the policy gradient.

    Attributes:
        episodes: K, trials a step.
        std: of the exploration, in units of the actions.
        alpha: the step.
        standardize: advantages in units of their root mean square, so that alpha does not depend on the returns' unit.

    """

    model_config = FROZEN
    kind: Literal["policy_gradient"] = "policy_gradient"
    episodes: Annotated[int, Field(ge=2)]
    steps: Count
    std: Positive
    alpha: Positive
    standardize: bool = True

    @property
    def trials(self) -> int:
        return self.episodes * self.steps


class Estimate:
    """Derivatives of J at W_0, in theta's layout (d,). With `standardize` J is in units of the advantages."""

    def __init__(self, episodes: Sequence[Episode], std: float, standardize: bool) -> None:
        self._episodes, self._variance = episodes, std**2
        self._c, self._advantages = coefficients(episodes)
        if standardize:
            rms = float(np.sqrt(np.mean(np.square(np.concatenate(self._advantages)))))
            self._c, self._advantages = ([one / (rms or 1.0) for one in rows] for rows in (self._c, self._advantages))

    @property
    def gradient(self) -> FloatArray:
        total = np.zeros(self._episodes[0].layout.size)
        for e, advantages in zip(self._episodes, self._advantages, strict=True):
            total[e.layout] += (advantages[:, None] * e.exploration).T @ e.states
        return total / (self._variance * len(self._episodes))

    def hessian_times(self, v: FloatArray) -> FloatArray:
        """The Hessian times v (d,), without forming it."""
        total = np.zeros(v.size)
        for e, c, advantages in zip(self._episodes, self._c, self._advantages, strict=True):
            direction = v[e.layout]
            scores = e.exploration[:, :, None] * e.states[:, None, :] / self._variance
            summed = scores.reshape(len(scores), -1).cumsum(axis=0)
            along = (c * (summed @ direction.ravel())) @ summed
            curved = (advantages[:, None] * (e.states @ direction.T)).T @ e.states / self._variance
            total[e.layout] += along.reshape(direction.shape) - curved
        return total / len(self._episodes)


def coefficients(episodes: Sequence[Episode]) -> tuple[list[FloatArray], list[FloatArray]]:
    """c_i and A_i (T_i,) of each episode; one that ended early earns nothing after."""
    lengths = [len(e.rewards) for e in episodes]
    to_go = np.zeros((len(episodes), max(lengths)))
    for row, e in zip(to_go, episodes, strict=True):
        row[: len(e.rewards)] = e.rewards[::-1].cumsum()[::-1]
    baselines = (to_go.sum(axis=0) - to_go) / max(len(episodes) - 1, 1)
    advantages = [(g - b)[:length] for g, b, length in zip(to_go, baselines, lengths, strict=True)]
    return [one - np.append(one[1:], 0.0) for one in advantages], advantages


Explore = Callable[[FloatArray, int, int], Episode]
"""From theta (d,), a step's number and an episode's to the episode; an empty one (T = 0) does not count."""


def adapt(explore: Explore, theta: FloatArray, config: PolicyGradientConfig) -> tuple[FloatArray, list[Estimate]]:
    """Theta after adaptation, and each step's estimate; see `ascend`."""
    estimates = []
    for step in range(config.steps):
        theta, estimate = ascend([explore(theta, step, i) for i in range(config.episodes)], theta, config)
        if estimate is not None:
            estimates.append(estimate)
    return theta, estimates


def ascend(tried: Sequence[Episode], theta: FloatArray, config: PolicyGradientConfig) -> tuple[FloatArray, Estimate | None]:
    """Theta after one step, and its estimate; fewer than two episodes that count (T > 0) move nothing."""
    episodes = [one for one in tried if len(one.rewards)]
    if len(episodes) < 2:
        return theta, None
    estimate = Estimate(episodes, config.std, config.standardize)
    return theta + config.alpha * estimate.gradient, estimate
