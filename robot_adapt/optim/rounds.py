"""Rounds: an algorithm is a small Strategy; one RoundOperator makes any of them an AdaptationOperator.

What all of them share is here: ids, the order of asking and telling, aborted outcomes, refusal of NaN, state in mid-round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.optim.operator import Best, Candidate, Outcome, Telemetry, check_outcome
from robot_adapt.randomness import generator


class Strategy(Protocol):
    """An algorithm over z in R^k, where a standard normal is a step of the right length. Returns are maximized."""

    @property
    def rounds(self) -> range:
        """The numbers of its rounds, known beforehand."""

    def propose(self, round_: int, randomness: np.random.Generator) -> FloatArray:
        """The round's points (n, k), n >= 1: a function of `state`, `round_` and `randomness` that changes nothing."""

    def learn(self, z: FloatArray, values: FloatArray, positions: NDArray[np.int_]) -> None:
        """The round's scored outcomes, at least one; aborted trials are not among them.

        Args:
            z: (m, k), m <= n.
            values: (m,), finite.
            positions: (m,), rising: which rows of the proposal these are.

        """

    def best(self) -> tuple[FloatArray, float | None]:
        """The point (k,) believed best, and what it is believed to be worth; None when never told."""

    def state(self) -> dict[str, Any]:
        """All that changes, as plain JSON values."""

    def restore(self, state: dict[str, Any]) -> None: ...


class RoundOperator:
    """An AdaptationOperator from a strategy.

    Random numbers come from (seed, purpose, round) alone, so a restored operator proposes the same candidates.

    Args:
        place: from z (n, k) to parameters (n, d).
        first_id: of its candidates.

    """

    def __init__(
        self, strategy: Strategy, place: Callable[[FloatArray], FloatArray], seed: int, purpose: str, first_id: int = 0
    ) -> None:
        self._strategy = strategy
        self._place = place
        self._seed = seed
        self._purpose = purpose
        self._round = strategy.rounds.start
        self._first_id = first_id
        self._outcomes: dict[int, Outcome]
        self._z: FloatArray
        self._candidates: list[Candidate]
        self._begin_round()

    @property
    def best(self) -> Best:
        z, value = self._strategy.best()
        return Best(self._place(z[None])[0].copy(), -np.inf if value is None else float(value))

    def ask(self) -> list[Candidate]:
        return [c for c in self._candidates if c.id not in self._outcomes]

    def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
        check_outcome(outcome)
        waiting = [candidate.id for candidate in self.ask()]
        if candidate_id not in waiting:
            raise ValueError(f"told candidate {candidate_id}, but those asked for are {waiting}")
        self._outcomes[candidate_id] = outcome
        if len(self._outcomes) == len(self._candidates):
            self._end_round()

    def state(self) -> dict[str, Any]:
        return {
            "strategy": self._strategy.state(),
            "round": self._round,
            "first_id": self._first_id,
            "outcomes": [[key, value] for key, value in sorted(self._outcomes.items())],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._strategy.restore(state["strategy"])
        self._round = state["round"]
        self._first_id = state["first_id"]
        self._begin_round()
        self._outcomes = dict(state["outcomes"])

    def _begin_round(self) -> None:
        self._outcomes, self._candidates = {}, []
        if self._round not in self._strategy.rounds:
            return
        self._z = self._strategy.propose(self._round, generator(self._seed, self._purpose, self._round))
        parameters = self._place(self._z)
        self._candidates = [Candidate(self._first_id + i, row) for i, row in enumerate(parameters)]

    def _end_round(self) -> None:
        outcomes = [self._outcomes[candidate.id] for candidate in self._candidates]
        positions = np.array([i for i, outcome in enumerate(outcomes) if outcome is not None], dtype=np.int_)
        if positions.size:
            values = np.array([outcome for outcome in outcomes if outcome is not None])
            self._strategy.learn(self._z[positions], values, positions)
        self._first_id += len(self._candidates)
        self._round += 1
        self._begin_round()
