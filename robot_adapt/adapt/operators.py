"""The operator of a session: what a policy file brings, its learned space or its repertoire, meets what a config asks for."""

from __future__ import annotations

from robot_adapt.adapt.config import AdaptConfig, RepertoireDuelConfig
from robot_adapt.config import shipped
from robot_adapt.errors import Absent, UserError
from robot_adapt.optim.duel import Duel
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.operators import make_operator
from robot_adapt.optim.space import Space
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.search import RepertoireSearch, RepertoireSearchConfig


def make_policy_operator(settings: AdaptConfig, policy: LinearPolicy, seed: int) -> AdaptationOperator:
    """What adapts this policy; `seed` decides every random number of it.

    Raises UserError when the policy was not made for these settings: another period or learned space, a repertoire of other
    trials; Absent when it has no repertoire, or an extra is not installed.
    """
    config = settings.operator
    policy.ticks_in(settings.trial_s)
    match config:
        case RepertoireSearchConfig():
            return RepertoireSearch(config, _repertoire(settings, policy), seed)
        case RepertoireDuelConfig():
            search = RepertoireSearch(config.search, _repertoire(settings, policy), seed)
            return Duel(search, config.search.trials, policy.parameters, config.pairs, config.level)
        case _:
            return make_operator(config, policy.parameters, seed, _space(settings, policy))


def settings_for(policy: LinearPolicy) -> str:
    """The name in configs/adapt/ of what adapts a policy unless told otherwise: a search of its repertoire, if it has one.

    Raises UserError when it has none and there is nothing for its robot.
    """
    if policy.repertoire is not None:
        return "repertoire"
    try:
        shipped("adapt", f"{policy.robot}.yaml")
    except UserError:
        raise UserError(f"nothing in configs/adapt/ is for the robot {policy.robot}: give --config, such as minitaur") from None
    return policy.robot


def _repertoire(settings: AdaptConfig, policy: LinearPolicy) -> Repertoire:
    if policy.repertoire is None:
        raise Absent("operator: kind repertoire: this policy has none: robot-adapt grow-repertoire makes one around it")
    made_s = policy.repertoire.ticks * policy.period_s
    if policy.ticks_in(settings.trial_s) != policy.repertoire.ticks:
        raise UserError(f"trial_s: this policy's repertoire is of trials of {made_s:g} s, not {settings.trial_s:g} s")
    return policy.repertoire


def _space(settings: AdaptConfig, policy: LinearPolicy) -> Space | None:
    if settings.space == "learned" and policy.space is None:
        raise UserError("space: learned: this policy was not meta-trained where to search: use space: full")
    return None if settings.space == "full" else policy.space
