"""How a method spends its trials on a robot: what it is told of each, and what it then believes best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hardware.types import FloatArray
from robot_adapt.adapt.config import AdaptConfig
from robot_adapt.adapt.operators import make_policy_operator
from robot_adapt.baselines import behaviour_map
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndError, TrialAndErrorConfig
from robot_adapt.baselines.policy_gradient import Episode, PolicyGradientConfig, ascend
from robot_adapt.lane import Lane
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.trial import Trial

_ADAPTATION = 0  # the first index of these trials' disturbances


@dataclass(frozen=True, eq=False)
class MapSearch:
    """Intelligent trial and error."""

    config: TrialAndErrorConfig
    map: BehaviourMap


Search = AdaptConfig | PolicyGradientConfig | MapSearch | None
"""What a session does, a rival, or nothing: zero-shot."""


def content(search: Search) -> Any:
    """All that decides it, as plain JSON values."""
    match search:
        case None:
            return None
        case MapSearch():
            return [search.config.model_dump(mode="json", exclude={"map"}), behaviour_map.sha256(search.map)]
        case _:
            return search.model_dump(mode="json")


def searched(
    lane: Lane, policy: LinearPolicy, search: Search, seed: int, noise_m: Iterator[float]
) -> Iterator[tuple[Trial, FloatArray]]:
    """Each trial and the parameters (d,) believed best after it; one of `noise_m` is added to each return that is told."""
    match search:
        case None:
            return iter(())
        case PolicyGradientConfig():
            return _up_the_gradient(lane, policy.parameters, search, noise_m)
        case MapSearch():
            return _asked(lane, TrialAndError(search.config, search.map), noise_m)
        case AdaptConfig():
            return _asked(lane, make_policy_operator(search, policy, seed), noise_m)


def _asked(lane: Lane, operator: AdaptationOperator, noise_m: Iterator[float]) -> Iterator[tuple[Trial, FloatArray]]:
    spent = 0
    while candidates := operator.ask():
        for candidate in candidates:
            trial = lane.trial(candidate.parameters, _ADAPTATION, spent)
            operator.tell(candidate.id, trial.scored() + next(noise_m), trial.telemetry)
            spent += 1
            yield trial, operator.best.parameters


def _up_the_gradient(
    lane: Lane, theta: FloatArray, config: PolicyGradientConfig, noise_m: Iterator[float]
) -> Iterator[tuple[Trial, FloatArray]]:
    """`theta` explores, and moves with the last trial of a step.

    A return's noise is spread evenly over its rewards, as an error of the path's length would be: it comes to the same total as
    what others are told, and is the kindest place for it; on the last reward it would stand in every return to go, with three
    times the variance.
    """
    for step in range(config.steps):
        episodes: list[Episode] = []
        for i in range(config.episodes):
            trial, episode = lane.explored(theta, config.std, _ADAPTATION, step * config.episodes + i)
            episodes.append(replace(episode, rewards=episode.rewards + next(noise_m) / max(len(episode.rewards), 1)))
            if len(episodes) == config.episodes:
                theta, _ = ascend(episodes, theta, config)
            yield trial, theta
