"""Batch Hill-Climbing (BHC), the operator of arXiv 2003.01239 and of google-research `es_maml`.

    pivot <- mean of P trials of theta                              (incumbent: remember)
    Q rounds: p_i ~ N(0, sigma^2 I), v_i <- one trial of theta + p_i, i = 1..P
              if max v_i > pivot: theta <- theta + p_argmax, pivot <- max v_i
With `incumbent: remeasure` every round tries theta once more, and that fresh value is the pivot: a lucky value does not last.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, Positive
from robot_adapt.optim.operator import Best, Candidate, Outcome, check_outcome, finite_vector
from robot_adapt.randomness import generator


class BatchHillClimbingConfig(BaseModel):
    """P = population, Q = rounds; `trials` is the whole budget."""

    model_config = FROZEN
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
    """An AdaptationOperator. Perturbations come from (seed, round) alone, so a restored operator proposes the same ones."""

    def __init__(self, config: BatchHillClimbingConfig, start: FloatArray, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._theta = finite_vector(start)
        self._pivot = -np.inf
        # Round 0 measures the pivot; with `remeasure` there is none, each round brings its own.
        self._round = 0 if config.incumbent == "remember" else 1
        self._first_id = 0
        self._outcomes: dict[int, Outcome]
        self._candidates: list[Candidate]
        self._begin_round()

    @property
    def best(self) -> Best:
        return Best(self._theta.copy(), float(self._pivot))

    def ask(self) -> list[Candidate]:
        return [c for c in self._candidates if c.id not in self._outcomes]

    def tell(self, candidate_id: int, outcome: Outcome) -> None:
        check_outcome(outcome)
        waiting = [candidate.id for candidate in self.ask()]
        if candidate_id not in waiting:
            raise ValueError(f"told candidate {candidate_id}, but those asked for are {waiting}")
        self._outcomes[candidate_id] = outcome
        if len(self._outcomes) == len(self._candidates):
            self._end_round()

    def state(self) -> dict[str, Any]:
        return {
            "theta": self._theta.tolist(),
            "pivot": None if self._pivot == -np.inf else float(self._pivot),
            "round": self._round,
            "first_id": self._first_id,
            "outcomes": [[key, value] for key, value in sorted(self._outcomes.items())],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._theta = finite_vector(state["theta"])
        self._pivot = -np.inf if state["pivot"] is None else state["pivot"]
        self._round = state["round"]
        self._first_id = state["first_id"]
        self._begin_round()
        self._outcomes = dict(state["outcomes"])

    def _begin_round(self) -> None:
        self._outcomes, self._candidates = {}, []
        if self._round > self._config.rounds:
            return
        population = self._config.population
        if self._round == 0:
            steps: FloatArray = np.zeros((population, self._theta.size))
        else:
            normals = generator(self._seed, "bhc", self._round).standard_normal((population, self._theta.size))
            steps = self._config.sigma * normals
            if self._config.incumbent == "remeasure":
                steps = np.vstack((np.zeros(self._theta.size), steps))
        self._candidates = [Candidate(self._first_id + i, self._theta + step) for i, step in enumerate(steps)]

    def _end_round(self) -> None:
        """Aborted trials are left out of means and of the argmax; a round of nothing else changes nothing."""
        scored = [(value, c) for c in self._candidates if (value := self._outcomes[c.id]) is not None]
        if self._round == 0:
            if scored:
                self._pivot = float(np.mean([value for value, _ in scored]))
        else:
            if self._config.incumbent == "remeasure":
                fresh = self._outcomes[self._first_id]
                self._pivot = self._pivot if fresh is None else fresh
                scored = [(value, c) for value, c in scored if c.id != self._first_id]
            value, winner = max(scored, key=lambda pair: pair[0], default=(-np.inf, None))
            if winner is not None and value > self._pivot:
                self._theta, self._pivot = winner.parameters, value
        self._first_id += len(self._candidates)
        self._round += 1
        self._begin_round()
