"""Work items of the benchmark: one method, or the oracle, on one hobbled robot. Run in any process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.baselines.oracle import OracleConfig, climb
from robot_adapt.bench.searches import Search, searched
from robot_adapt.lane import Lane
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.trial import Status

_FRESH, _AUDITION = 1, 2  # and 0, of what is searched
_AUDITION_TRIALS = 2
_FINALISTS, _FINAL_TRIALS = 4, 8


@dataclass(frozen=True)
class Score:
    """What a method's best is worth after so many trials.

    Attributes:
        return_m: mean of fresh trials.
        fell: share of the fresh trials that ended in a fall.
        falls: of the trials spent so far; an oracle's are not counted.
        settled: False for an oracle that might have gone on improving.

    """

    trials: int
    return_m: float
    fell: float
    falls: int
    settled: bool = True


@dataclass(frozen=True, eq=False)
class Bout:
    """A hobbled robot; the hobble's name and the seed decide all disturbances, so that every method meets the same."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    fresh_trials: int
    hobble: str
    seed: int


@dataclass(frozen=True, eq=False)
class AdaptationBout:
    """Adapts within the largest budget; what is told has `noise_m` more noise."""

    bout: Bout
    search: Search
    budgets: tuple[int, ...]
    noise_m: float


@dataclass(frozen=True, eq=False)
class OracleBout:
    """Climbs from the best of `starts` (n, d)."""

    bout: Bout
    starts: FloatArray
    config: OracleConfig


Item = AdaptationBout | OracleBout


def run(item: Item) -> list[Score]:
    """An adaptation's score at every budget, the start's (0 trials) before them; an oracle's only score.

    Raises RuntimeError when a trial is aborted.
    """
    bout = item.bout
    with Lane(bout.policy, bout.robot, bout.trial_s, bout.seed, f"bench {bout.hobble}") as lane:
        return _adapted(lane, item) if isinstance(item, AdaptationBout) else [_oracle(lane, item)]


def _adapted(lane: Lane, item: AdaptationBout) -> list[Score]:
    bout, most = item.bout, item.budgets[-1]
    chance = generator(bout.seed, f"bench return noise {bout.hobble}")
    noise_m = (item.noise_m * float(chance.standard_normal()) for _ in range(most))
    measured = best = bout.policy.parameters
    score = _measured(lane, measured, bout.fresh_trials)
    scores, spent, falls = [score], 0, 0
    trials = searched(lane, bout.policy, item.search, bout.seed, noise_m)
    for budget in item.budgets:
        for trial, believed in islice(trials, budget - spent):  # none when it has ended early
            best, falls = believed, falls + (trial.status is Status.FELL)
        spent = budget
        if not np.array_equal(measured, best):
            measured, score = best, _measured(lane, best, bout.fresh_trials)
        scores.append(replace(score, trials=budget, falls=falls))
    return scores


def _oracle(lane: Lane, item: OracleBout) -> Score:
    bout, starts = item.bout, item.starts
    auditioned = [lane.mean(start, _AUDITION_TRIALS, _AUDITION, 0) for start in starts]
    finalists = np.argsort(auditioned)[-_FINALISTS:]
    start = max((starts[k] for k in finalists), key=lambda one: lane.mean(one, _FINAL_TRIALS, _AUDITION, 1))
    theta, _, settled = climb(lane, start, item.config, bout.seed, 0)
    spent = lane.trials
    return replace(_measured(lane, theta, bout.fresh_trials), trials=spent, settled=settled)


def _measured(lane: Lane, theta: FloatArray, fresh: int) -> Score:
    """Of fresh trials; nothing spent yet."""
    done = [lane.trial(theta, _FRESH, i) for i in range(fresh)]
    fell = float(np.mean([trial.status is Status.FELL for trial in done]))
    return Score(0, round(float(np.mean([trial.value for trial in done])), 4), round(fell, 4), 0)
