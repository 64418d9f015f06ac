"""RepertoireSearch: the meta-policy's trial tells what is wrong, the prior who may cope, upper confidence whom to try.

trial 1: the meta-policy (again if that is aborted); its trace sets the prior over the members' returns
then:    the member of the highest mean + beta sd, each return conditioning the belief (GP-UCB, Srinivas et al. 2010, over
         members; Intelligent Trial and Error, Cully et al. 2015, with a learned prior in place of simulated performance)
then:    any operator around the best member, along the directions in which members differ
A robot that falls at once, several members in a row, falls whatever the policy: the search gives up, and spares it the rest.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.optim.operator import AdaptationOperator, Best, Candidate, Outcome, Telemetry, check_outcome
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.optim.space import Space
from robot_adapt.repertoire.prior import Prior
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.trace import trace

_AT_ONCE = 0.05  # of a trial: no step is taken in so short a time


class RepertoireSearchConfig(BaseModel):
    """How members are chosen.

    Attributes:
        member_trials: the meta-policy's first one included.
        beta: of the upper confidence; `caution` is the same of the lower one, by which the winner is chosen: of those tried, or
            of those that are expected to be so much better that they need not have been.
        local: what goes on from the winner, in `rank` of the repertoire's directions; its sigma is a share of members' spread.
        noise_m: of one trial's return, measuring included (standard deviation); None takes the repertoire's, falls and all.
        hopeless: so many members' trials in a row that end at once end the search.

    """

    model_config = FROZEN
    kind: Literal["repertoire"] = "repertoire"
    member_trials: Count
    beta: NonNegative = 2.0
    caution: NonNegative = 1.0
    local: OperatorConfig | None = None
    rank: Count = 8
    noise_m: Positive | None = None
    hopeless: Count = 3

    @property
    def trials(self) -> int:
        return self.member_trials + (0 if self.local is None else self.local.trials)


class RepertoireSearch:
    """An AdaptationOperator whose `tell` has use for the telemetry of its first trial; without it the prior knows no trace."""

    def __init__(self, config: RepertoireSearchConfig, repertoire: Repertoire, seed: int) -> None:
        self._config, self._repertoire, self._seed = config, repertoire, seed
        self._prior = Prior(repertoire)
        self._noise_sd = repertoire.noise_sd if config.noise_m is None else config.noise_m
        self._begin()

    def _begin(self) -> None:
        self._told: list[tuple[int, Outcome]] = []
        self._at_once = 0  # members' trials in a row that ended so
        self._features: list[float] | None = None
        self._belief = self._prior.belief()
        self._tried: set[int] = set()
        self._aborted: set[int] = set()
        self._member = 0
        self._local: AdaptationOperator | None = None

    @property
    def best(self) -> Best:
        if self._local is not None and np.isfinite((best := self._local.best).value):
            return best
        member = self._winner()
        return Best(self._repertoire.members[member].copy(), float(self._belief.mean[member]) if self._tried else -np.inf)

    def ask(self) -> list[Candidate]:
        if self._at_once == self._config.hopeless:
            return []
        number, members = len(self._told), self._config.member_trials
        if number < members:
            return [Candidate(number, self._repertoire.members[self._member].copy(), self._why())]
        if self._local is None:
            return []
        return [Candidate(members + one.id, one.parameters, "around the best member") for one in self._local.ask()]

    def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
        check_outcome(outcome)
        waiting = [candidate.id for candidate in self.ask()]
        if candidate_id not in waiting:
            raise ValueError(f"told candidate {candidate_id}, but those asked for are {waiting}")
        features = None
        if self._shows_what_is_wrong and outcome is not None and telemetry is not None and len(telemetry["position_rad"]):
            features = self._trace(telemetry)
        self._learn(candidate_id, outcome, features)
        if candidate_id < self._config.member_trials and outcome is not None and telemetry is not None:
            ended_at_once = len(telemetry["position_rad"]) <= _AT_ONCE * self._repertoire.ticks
            self._at_once = self._at_once + 1 if ended_at_once else 0

    def state(self) -> dict[str, Any]:
        return {"told": [list(one) for one in self._told], "trace": self._features, "at_once": self._at_once}

    def restore(self, state: dict[str, Any]) -> None:
        """Everything follows from what was told."""
        self._begin()
        for candidate_id, outcome in state["told"]:
            self._learn(candidate_id, outcome, state["trace"] if self._shows_what_is_wrong and outcome is not None else None)
        self._at_once = state["at_once"]

    def _trace(self, telemetry: Telemetry) -> list[float]:
        """What the robot does not measure (NaN: no voltmeter) stands at its mean in training: it speaks for no member."""
        features = trace(telemetry, self._repertoire.ticks)
        known = np.where(np.isfinite(features), features, self._repertoire.traces.mean(axis=0))
        return [float(one) for one in known]

    @property
    def _shows_what_is_wrong(self) -> bool:
        """Whether the next trial is the first one of the meta-policy."""
        return not self._tried and self._member == 0

    def _learn(self, candidate_id: int, outcome: Outcome, features: list[float] | None) -> None:
        members = self._config.member_trials
        self._told.append((candidate_id, outcome))
        if candidate_id >= members:
            assert self._local is not None  # noqa: S101  asked it
            self._local.tell(candidate_id - members, outcome)
            return
        if features is not None:
            self._features = features
            self._belief = self._prior.belief(np.array(features))
        if outcome is None:
            if len(self._told) > 1:  # the first one gets a second chance: all choices are better for its trace
                self._aborted.add(self._member)
        else:
            self._tried.add(self._member)
            self._belief = self._belief.after(self._member, outcome, self._noise_sd)
        self._member = self._next() if self._tried or self._aborted else 0
        if len(self._told) == members and self._config.local is not None:
            self._local = self._around(self._winner())

    def _next(self) -> int:
        """By upper confidence; a member whose trial was aborted is not tried again."""
        upper = self._belief.mean + self._config.beta * self._belief.sd
        upper[list(self._aborted)] = -np.inf
        return int(np.argmax(upper)) if np.isfinite(upper).any() else 0

    def _winner(self) -> int:
        """By lower confidence; the meta-policy before any trial, and nobody whose trial was aborted."""
        if not self._tried:
            return 0
        lower = self._belief.mean - self._config.caution * self._belief.sd
        lower[list(self._aborted - self._tried)] = -np.inf
        return int(np.argmax(lower))

    def _around(self, member: int) -> AdaptationOperator:
        assert self._config.local is not None  # noqa: S101  asked by the caller
        directions = self._repertoire.directions[:, : self._config.rank]
        space = Space(len(directions), None, directions)
        return make_operator(self._config.local, self._repertoire.members[member], self._seed, space)

    def _why(self) -> str:
        member, belief = self._member, self._belief
        words = self._repertoire.member_words[member]
        if self._shows_what_is_wrong:
            return f"{words}: what is wrong shows in its walk"
        expected = f"expected {belief.mean[member]:.2f} +- {belief.sd[member]:.2f} m"
        last = "; the last one, if the robot falls at once again" if self._at_once == self._config.hopeless - 1 > 0 else ""
        return f"member {member} ({words}): {expected}, {'tried before' if member in self._tried else 'not tried yet'}{last}"
