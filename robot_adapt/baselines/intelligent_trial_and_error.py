"""Intelligent trial and error (IT&E): Bayesian optimization over a behaviour map (Cully et al., Nature 2015, M-BOA).

    P(x)       the return in simulation of the behaviour with descriptor x: the prior mean
    mu_t(x)    = P(x) + k(x)^T K^-1 (P_1:t - P(x_1:t))
    s_t^2(x)   = s^2 k(x, x) - k(x)^T K^-1 k(x),    K = s^2 k(x_i, x_j) + noise^2 I
    next       argmax_x mu_t(x) + kappa s_t(x)
    until      max P_1:t >= alpha max_x mu_t(x)
k is Matern 5/2 of |x - x'| / rho. As x comes from a finite map, the process is a Gaussian over its behaviours, conditioned on
one trial after another: that of the repertoire's search, with another prior.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.optim.gaussian_process import correlation
from robot_adapt.optim.operator import Best, Candidate, Outcome, Telemetry, check_outcome
from robot_adapt.repertoire.prior import Belief


class TrialAndErrorConfig(BaseModel):
    """rho is that of both public codes of its authors, github.com/resibots/ite_v2 (hexapod) and pyite (Minitaur).

    kappa and alpha differ there: 0.2 without a stop rule, and 0.03 with 0.8. s and noise are in our returns' unit (m).

    Attributes:
        trials: the most there are; the stop rule may end it earlier.
        rho: the kernel's length, in units of descriptors.
        kappa: standard deviations in the upper confidence bound.
        signal: s, how far the robot's returns may be from simulation's (standard deviation).
        noise: of one trial's return (standard deviation); None takes the map's.
        alpha: of the stop rule; None spends all trials.

    """

    model_config = FROZEN
    kind: Literal["trial_and_error"] = "trial_and_error"
    trials: Count
    rho: Positive = 0.4
    kappa: NonNegative = 0.05
    signal: Positive = 0.5
    noise: Positive | None = None
    alpha: Annotated[float, Field(gt=0.0, le=1.0)] | None = 0.9


class TrialAndError:
    """An AdaptationOperator without chance: the same outcomes lead to the same trials. Its start is behaviour 0 of the map."""

    def __init__(self, config: TrialAndErrorConfig, map_: BehaviourMap) -> None:
        self._config, self._map = config, map_
        self._noise = map_.noise_sd if config.noise is None else config.noise
        squares = sum(np.square(np.subtract.outer(one, one)) for one in map_.descriptors.T)
        self._prior = Belief(map_.returns, config.signal**2 * correlation("matern", np.sqrt(squares) / config.rho))
        self._begin()

    def _begin(self) -> None:
        self._told: list[tuple[int, Outcome]] = []  # behaviour and outcome of every trial
        self._belief = self._prior
        self._behaviour = self._next()

    @property
    def best(self) -> Best:
        """The tried behaviour of the highest mu_t: the paper takes the luckiest trial; with noise this ends no worse."""
        tried = sorted({behaviour for behaviour, outcome in self._told if outcome is not None})
        if not tried:
            return Best(self._map.behaviours[0].copy(), -np.inf)
        behaviour = tried[int(self._belief.mean[tried].argmax())]
        return Best(self._map.behaviours[behaviour].copy(), float(self._belief.mean[behaviour]))

    def ask(self) -> list[Candidate]:
        if len(self._told) == self._config.trials or self._is_good_enough():
            return []
        behaviour, mean, sd = self._behaviour, self._belief.mean, self._belief.sd
        why = f"behaviour {behaviour}: expected {mean[behaviour]:.2f} +- {sd[behaviour]:.2f} m"
        return [Candidate(len(self._told), self._map.behaviours[behaviour].copy(), why)]

    def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
        check_outcome(outcome)
        waiting = [candidate.id for candidate in self.ask()]
        if candidate_id not in waiting:
            raise ValueError(f"told candidate {candidate_id}, but those asked for are {waiting}")
        self._learn(outcome)

    def state(self) -> dict[str, Any]:
        return {"outcomes": [outcome for _, outcome in self._told]}

    def restore(self, state: dict[str, Any]) -> None:
        """Everything follows from what was told."""
        self._begin()
        for outcome in state["outcomes"]:
            self._learn(outcome)

    def _learn(self, outcome: Outcome) -> None:
        self._told.append((self._behaviour, outcome))
        if outcome is not None:
            self._belief = self._belief.after(self._behaviour, outcome, self._noise)
        self._behaviour = self._next()

    def _next(self) -> int:
        """A behaviour whose trial was aborted is not tried again."""
        upper: FloatArray = self._belief.mean + self._config.kappa * self._belief.sd
        upper[[behaviour for behaviour, outcome in self._told if outcome is None]] = -np.inf
        return int(upper.argmax()) if np.isfinite(upper).any() else 0

    def _is_good_enough(self) -> bool:
        scored = [outcome for _, outcome in self._told if outcome is not None]
        return self._config.alpha is not None and bool(scored) and max(scored) >= self._config.alpha * self._belief.mean.max()
