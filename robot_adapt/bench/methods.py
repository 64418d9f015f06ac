"""From a method's lines in a config to all it needs: policy, map, extras. What does not fit is named before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from robot_adapt.adapt.config import AdaptConfig
from robot_adapt.adapt.operators import make_policy_operator
from robot_adapt.baselines import behaviour_map
from robot_adapt.baselines.policy_gradient import PolicyGradientConfig
from robot_adapt.bench.config import MapSearchConfig, Method, RecoveryBenchConfig
from robot_adapt.bench.searches import MapSearch, Search
from robot_adapt.errors import Absent, named_by
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy


@dataclass(frozen=True, eq=False)
class Ready:
    """A method with what it begins from and how it goes on."""

    policy: LinearPolicy
    search: Search


def ready(config: RecoveryBenchConfig, label: str) -> Ready:
    """The method of that label. Raises UserError when it does not fit its policy or the robots, Absent as `absent` says."""
    method = config.methods[label]
    with named_by(f"methods.{label}"):
        policy = fitting_policy(config, method.policy)
        if method.from_scratch:
            policy = policy.with_parameters(np.zeros_like(policy.parameters))
        return Ready(policy, _search(config, method, policy))


def absent(config: RecoveryBenchConfig, labels: Iterable[str]) -> dict[str, str]:
    """The methods that need a file that is not made or an extra that is not installed; with what to do, in words."""
    reasons = {}
    for label in labels:
        try:
            ready(config, label)
        except Absent as reason:
            reasons[label] = str(reason)
    return reasons


def fitting_policy(config: RecoveryBenchConfig, name: str) -> LinearPolicy:
    """A policy for all the config's robots. Raises UserError when it is for another, or longer trials."""
    policy = policy_file.load(policy_file.path_of(name))
    policy.ticks_in(config.trial_s)
    for rig in config.rigs.values():
        policy.check_fits(rig.robot.body.spec)
    return policy


def _search(config: RecoveryBenchConfig, method: Method, policy: LinearPolicy) -> Search:
    match method.operator:
        case None | PolicyGradientConfig():
            return method.operator
        case MapSearchConfig() as search:
            map_ = behaviour_map.load(behaviour_map.path_of(search.map))
            map_.check_fits(policy)
            return MapSearch(search, map_)
        case _:
            settings = AdaptConfig(
                trial_s=config.trial_s, operator=method.operator, fresh_trials=config.fresh_trials, space=method.space
            )
            make_policy_operator(settings, policy, 0)
            return settings
