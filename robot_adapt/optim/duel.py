"""Duel: a search's winner against its start on fresh trials; the start stays unless the winner is shown to be better.

What a search believes of its winner is in part luck, and a robot that walked should not end up worse for it. The test is
Fisher's paired randomization test (1935) on the differences winner - start of neighbouring trials: were the two the same,
either sign of a difference would be as likely, so p is the share of the 2^n patterns of signs with a sum no less than the one
seen. It is exact however returns are distributed, falls included. Who goes first changes from pair to pair: what drifts, heat
or a battery, cancels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from hardware.types import FloatArray
from robot_adapt.config import FROZEN
from robot_adapt.optim.operator import AdaptationOperator, Best, Candidate, Outcome, Telemetry
from robot_adapt.optim.rounds import RoundOperator


class DuelTerms(BaseModel):
    """`pairs` fresh trials each; the winner stays if p <= level."""

    model_config = FROZEN
    pairs: Annotated[int, Field(ge=1, le=16)]
    level: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1

    @model_validator(mode="after")
    def _can_be_won(self) -> DuelTerms:
        if (least := 2.0**-self.pairs) > self.level:
            raise ValueError(f"pairs: of {self.pairs} p is {least:g} at least, above level {self.level:g}: nobody could win")
        return self


class Duel:
    """An AdaptationOperator: another one, then the duel.

    Args:
        search: the other one, at its beginning.
        trials: its budget.
        start: theta (d,).
        pairs: n.
        level: the winner stays if p <= level.

    """

    def __init__(self, search: AdaptationOperator, trials: int, start: FloatArray, pairs: int, level: float) -> None:
        self._search = search
        self._trials, self._start, self._pairs, self._level = trials, start, pairs, level
        self._comparison: RoundOperator | None = None

    @property
    def best(self) -> Best:
        """The search's until the duel is over; then who won, with the mean of its fresh trials."""
        over = self._comparison is not None and not self._comparison.ask()
        return self._comparison.best if over and self._comparison is not None else self._search.best

    def ask(self) -> list[Candidate]:
        if self._comparison is None:
            return self._search.ask()
        return [replace(candidate, why=self._why(candidate)) for candidate in self._comparison.ask()]

    def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
        (self._comparison or self._search).tell(candidate_id, outcome, telemetry)
        if self._comparison is None and not self._search.ask():
            self._comparison = self._compare()

    def state(self) -> dict[str, Any]:
        return {"search": self._search.state(), "comparison": self._comparison.state() if self._comparison else None}

    def restore(self, state: dict[str, Any]) -> None:
        self._search.restore(state["search"])
        self._comparison = None
        if state["comparison"] is not None:
            self._comparison = self._compare()
            self._comparison.restore(state["comparison"])

    def _why(self, candidate: Candidate) -> str:
        whose = "the start's" if np.array_equal(candidate.parameters, self._start) else "the winner's"
        return f"{whose} share of {self._pairs} fresh trials each"

    def _compare(self) -> RoundOperator:
        strategy = _Comparison(self._search.best.parameters, self._start, self._pairs, self._level)
        return RoundOperator(strategy, lambda theta: theta, 0, "duel", self._trials)


class _Comparison:
    """A Strategy of one round whose points are theta itself: winner, start, start, winner, winner, start, ..."""

    def __init__(self, winner: FloatArray, start: FloatArray, pairs: int, level: float) -> None:
        self._both = np.array([winner, start])
        self._order = (np.arange(2 * pairs) + 1) // 2 % 2
        self._level = level
        self._best: tuple[int, float | None] = (1, None)

    @property
    def rounds(self) -> range:
        return range(1)

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        proposal: FloatArray = self._both[self._order]
        return proposal

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        fresh = [values[self._order[positions] == which] for which in (0, 1)]
        # In the order of scoring, so that an aborted trial costs no other its say.
        pairs = min(len(one) for one in fresh)
        chosen = 0 if randomization_p(fresh[0][:pairs] - fresh[1][:pairs]) <= self._level else 1
        self._best = chosen, float(fresh[chosen].mean()) if fresh[chosen].size else None

    def best(self) -> tuple[FloatArray, float | None]:
        chosen, value = self._best
        return self._both[chosen], value

    def state(self) -> dict[str, Any]:
        return {"best": list(self._best)}

    def restore(self, state: dict[str, Any]) -> None:
        self._best = tuple(state["best"])


def randomization_p(differences: FloatArray) -> float:
    """The one-sided p of differences (n,), n at most about 20; 1 without any."""
    sums = np.zeros(1)
    for size in np.abs(differences):
        sums = np.concatenate((sums + size, sums - size))
    rounding = 1e-12 * np.abs(differences).sum()
    return float(np.mean(sums >= differences.sum() - rounding))
