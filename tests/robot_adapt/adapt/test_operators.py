from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from robot_adapt.adapt.config import AdaptConfig
from robot_adapt.adapt.operators import make_policy_operator, settings_for
from robot_adapt.config import load, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.optim.duel import Duel
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.space import Space
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.search import RepertoireSearch
from tests.builders import policy_with_repertoire, shipped_policy

LOCAL: dict[str, object] = {"kind": "bayesian_optimization", "trials": 3, "initial": 2, "sigma": 0.5}
REPERTOIRE: dict[str, object] = {"kind": "repertoire", "member_trials": 3, "local": LOCAL, "rank": 2}
DUEL: dict[str, object] = {"kind": "duel", "pairs": 4, "search": REPERTOIRE}
BHC: dict[str, object] = {"population": 2, "rounds": 2, "sigma": 0.1}
POLICY = policy_with_repertoire(ticks=150)


def settings(operator: dict[str, object], **others: object) -> AdaptConfig:
    return validate({"trial_s": 3.0, "fresh_trials": 2, "operator": operator, **others}, AdaptConfig, "adapt.yaml")


def refusal(config: AdaptConfig, policy: LinearPolicy = POLICY) -> str:
    with pytest.raises(UserError) as caught:
        make_policy_operator(config, policy, 0)
    return str(caught.value)


def tried(operator: AdaptationOperator) -> list[list[float]]:
    parameters = []
    while candidates := operator.ask():
        parameters.append(candidates[0].parameters.tolist())
        operator.tell(candidates[0].id, 1.0)
    return parameters


@pytest.mark.parametrize(("line", "trials", "kind"), [(REPERTOIRE, 6, RepertoireSearch), (DUEL, 14, Duel)])
def test_a_repertoire_is_searched_where_the_config_says_so(line: dict[str, object], trials: int, kind: type) -> None:
    config = settings(line)
    assert AdaptConfig.model_validate_json(config.model_dump_json()) == config
    operator = make_policy_operator(config, POLICY, 0)
    assert isinstance(operator, kind)
    assert POLICY.repertoire is not None
    candidates = tried(operator)
    assert len(candidates) == config.operator.trials == trials
    for candidate in candidates[:3]:
        assert candidate in POLICY.repertoire.members.tolist()


def test_the_shipped_repertoire_search_takes_20_trials() -> None:
    config = load(shipped("adapt", "repertoire.yaml"), AdaptConfig)
    assert len(tried(make_policy_operator(config, POLICY, 0))) == 20


@pytest.mark.parametrize("line", [REPERTOIRE, DUEL])
def test_a_policy_without_a_repertoire_is_refused_one(line: dict[str, object]) -> None:
    alone = replace(POLICY, repertoire=None)
    assert refusal(settings(line), alone).startswith(
        "operator: kind repertoire: this policy has none: robot-adapt grow-repertoire"
    )


def test_a_repertoire_of_other_trials_is_refused() -> None:
    assert refusal(settings(REPERTOIRE, trial_s=2.0)) == "trial_s: this policy's repertoire is of trials of 3 s, not 2 s"


def test_a_trial_shorter_than_a_control_period_is_refused_before_a_robot_moves() -> None:
    assert refusal(settings(BHC, trial_s=0.01)) == "trial_s: 0.01 s is shorter than the policy's control period of 0.02 s"


def test_an_extra_that_is_not_installed_is_named_before_a_robot_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    gradient = {"kind": "es_gradient", "directions": 2, "rounds": 1, "sigma": 0.1, "ascent": {"kind": "sgd", "step": 1.0}}
    assert refusal(settings({**gradient, "gradient": {"estimator": "l1_decoding"}})).startswith(
        "the estimator l1_decoding needs scipy: pip install"
    )


def test_all_weights_are_searched_unless_the_config_says_where() -> None:
    policy = replace(shipped_policy(), space=Space(150, None, np.eye(150)[:, :2]))
    moved = [np.array(tried(make_policy_operator(settings(BHC, space=space), policy, 0))) for space in ("full", "learned")]
    assert [np.ptp(one, axis=0).nonzero()[0].size for one in moved] == [150, 2]


def test_a_policy_that_has_learned_no_space_is_refused_one() -> None:
    assert refusal(settings(BHC, space="learned"), replace(shipped_policy(), space=None)).startswith(
        "space: learned: this policy was not meta-trained where to search"
    )


@pytest.mark.parametrize(
    ("operator", "others", "message"),
    [
        (
            {"kind": "annealing"},
            {},
            "operator: kind should be repertoire, duel, around another kind, or one of active",
        ),
        ({"kind": "repertoire"}, {}, "the key operator.member_trials is missing"),
        ({**REPERTOIRE, "local": {"kind": "repertoire"}}, {}, "operator.local: kind should be"),
        ({**DUEL, "pairs": 40}, {}, "operator.pairs: Input should be less than or equal to 16, not 40"),
        ({**DUEL, "pairs": 3}, {}, "operator.pairs: of 3 p is 0.125 at least, above level 0.1: nobody could win"),
        ({**DUEL, "search": {"kind": "repertoire"}}, {}, "the key operator.search.member_trials is missing"),
        ({**DUEL, "search": DUEL}, {}, "operator.search: kind should be"),
        (REPERTOIRE, {"space": "learned"}, "space: a repertoire is searched in its members' own directions: use space: full"),
    ],
)
def test_a_wrong_line_is_one_sentence_with_the_key(
    operator: dict[str, object], others: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        settings(operator, **others)
    assert str(caught.value).startswith(f"adapt.yaml: {message}")


def test_unless_told_otherwise_a_policy_searches_its_repertoire_if_it_has_one() -> None:
    assert settings_for(POLICY) == "repertoire"
    assert settings_for(shipped_policy()) == "minitaur"
    with pytest.raises(UserError, match="for the robot yours: give --config, such as minitaur"):
        settings_for(replace(shipped_policy(), robot="yours"))
