"""What every AdaptationOperator does, over all of them and every kind of space."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndError, TrialAndErrorConfig
from robot_adapt.optim.active_subspace_es import ActiveSubspaceEsConfig
from robot_adapt.optim.ascent import AdamConfig, SgdConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.bayesian_optimization import BayesianOptimizationConfig
from robot_adapt.optim.cma_es import CmaEsConfig
from robot_adapt.optim.duel import Duel
from robot_adapt.optim.es_gradient import EsGradientConfig
from robot_adapt.optim.gradients import GradientConfig
from robot_adapt.optim.guided_es import GuidedEsConfig
from robot_adapt.optim.hill_climbing import HillClimbingConfig
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.operators import DuelConfig, OperatorConfig, make_operator
from robot_adapt.optim.perturbations import DppConfig, OrthogonalConfig
from robot_adapt.optim.recombination import RecombinationConfig
from robot_adapt.optim.space import Space
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.search import RepertoireSearch, RepertoireSearchConfig

Make = Callable[[int], AdaptationOperator]

START = np.zeros(6)
GOAL = np.full(6, 0.5)

OPERATORS: dict[str, OperatorConfig] = {
    "bhc_remember": BatchHillClimbingConfig(population=4, rounds=6, sigma=0.2),
    "bhc_remeasure": BatchHillClimbingConfig(population=4, rounds=6, sigma=0.2, incumbent="remeasure"),
    "sequential": HillClimbingConfig(kind="hill_climbing", repeats=1, rounds=29, sigma=0.2),
    "averaging": HillClimbingConfig(kind="hill_climbing", repeats=2, rounds=14, sigma=0.2),
    "averaging_remeasure": HillClimbingConfig(kind="hill_climbing", repeats=2, rounds=16, sigma=0.3, incumbent="remeasure"),
    "es_antithetic": EsGradientConfig(
        kind="es_gradient", directions=4, rounds=6, sigma=0.2, ascent=SgdConfig(step=0.8),
        perturbations=OrthogonalConfig(kind="orthogonal"), gradient=GradientConfig(shaping="rank"),
    ),
    "es_forward": EsGradientConfig(
        kind="es_gradient", directions=8, rounds=5, sigma=0.2, ascent=AdamConfig(kind="adam", step=1.0), antithetic=False,
        perturbations=DppConfig(kind="dpp"), gradient=GradientConfig(estimator="ridge", shaping="standardize", penalty=1.0),
    ),
    "recombination": RecombinationConfig(kind="recombination", pairs=4, rounds=6, sigma=0.2),
    "cma_es": CmaEsConfig(kind="cma_es", population=6, rounds=7, sigma=0.2),
    "cma_es_noise": CmaEsConfig(kind="cma_es", population=6, rounds=8, sigma=0.2, noise=True),
    "guided_es": GuidedEsConfig(kind="guided_es", pairs=4, rounds=8, sigma=0.2, ascent=SgdConfig(step=0.6)),
    "active_subspace_es": ActiveSubspaceEsConfig(
        kind="active_subspace_es", pairs=3, rounds=8, sigma=0.2, ascent=SgdConfig(step=0.8)
    ),
    "bayesian_matern": BayesianOptimizationConfig(kind="bayesian_optimization", trials=28, initial=8, sigma=0.2),
    "bayesian_rbf": BayesianOptimizationConfig(
        kind="bayesian_optimization", trials=24, initial=8, sigma=0.2, kernel="rbf", length=3.0, noise=0.05
    ),
}  # fmt: skip
OPERATORS |= {
    "duel": DuelConfig(kind="duel", search=OPERATORS["bhc_remember"], pairs=8, level=0.2),
    "duel_bayesian": DuelConfig(kind="duel", search=OPERATORS["bayesian_rbf"], pairs=8, level=0.2),
}
SPACES: dict[str, Space | None] = {
    "full": None,
    "diagonal": Space(6, np.array([0.5, 2.0, 1.0, 1.0, 1.5, 0.5])),
    "subspace": Space(6, None, np.vstack((np.full(6, 1.0), [1.0, -1.0, 1.0, -1.0, 1.0, -1.0])).T),
}
# Members and behaviours by their coordinates along the subspace; member 0 is the start.
COORDINATES = np.vstack((np.zeros(2), np.random.default_rng(0).normal(scale=0.3, size=(40, 2))))
MEMBERS = COORDINATES @ np.vstack((np.full(6, 1.0), [1.0, -1.0, 1.0, -1.0, 1.0, -1.0]))
_TASKS = np.random.default_rng(1).uniform(0.0, 0.6, (30, 1)) + np.zeros(6)
REPERTOIRE = Repertoire(
    members=MEMBERS,
    returns=-np.square(_TASKS[:, None] - MEMBERS).sum(axis=2),
    traces=_TASKS[:, :1],
    noise_sd=0.05,
    ticks=1,
    member_words=("",) * len(MEMBERS),
    task_words=("",) * len(_TASKS),
)
BEHAVIOURS = BehaviourMap(MEMBERS, COORDINATES, -np.square(MEMBERS - 0.1).sum(axis=1), noise_sd=0.05)  # another goal


def repertoire_search(local: OperatorConfig | None = None) -> tuple[Make, int]:
    config = RepertoireSearchConfig(member_trials=12, local=local, rank=2)
    return lambda seed: RepertoireSearch(config, REPERTOIRE, seed), config.trials


def repertoire_duel() -> tuple[Make, int]:
    make_search, trials = repertoire_search()
    return lambda seed: Duel(make_search(seed), trials, START, 8, 0.2), trials + 16


def from_config(name: str, space: str) -> tuple[Make, int]:
    return lambda seed: make_operator(OPERATORS[name], START, seed, SPACES[space]), OPERATORS[name].trials


TRIAL_AND_ERROR = TrialAndErrorConfig(trials=20, alpha=None)
# How each is made, and its budget.
CASES: dict[str, tuple[Make, int]] = {
    **{f"{name}-{space}": from_config(name, space) for name in OPERATORS for space in SPACES},
    "repertoire": repertoire_search(),
    "repertoire-local": repertoire_search(RecombinationConfig(kind="recombination", pairs=3, rounds=2, sigma=0.1)),
    "repertoire-duel": repertoire_duel(),
    "trial_and_error": (lambda _: TrialAndError(TRIAL_AND_ERROR, BEHAVIOURS), TRIAL_AND_ERROR.trials),
}
# These draw no random number.
WITHOUT_CHANCE = ("repertoire", "repertoire-duel", "trial_and_error")


@pytest.fixture(params=CASES)
def make(request: pytest.FixtureRequest) -> Make:
    return CASES[request.param][0]


def value(parameters: FloatArray) -> float:
    return -float(np.square(parameters - GOAL).sum())


def run(operator: AdaptationOperator, trials: int = 10**6) -> list[FloatArray]:
    tried: list[FloatArray] = []
    while (candidates := operator.ask()) and len(tried) < trials:
        operator.tell(candidates[0].id, value(candidates[0].parameters))
        tried.append(candidates[0].parameters)
    return tried


@pytest.mark.parametrize(("make_one", "trials"), CASES.values(), ids=CASES)
def test_the_budget_is_known_beforehand(make_one: Make, trials: int) -> None:
    assert len(run(make_one(0))) == trials


def test_it_improves(make: Make) -> None:
    operator = make(0)
    run(operator)
    assert value(operator.best.parameters) > value(START) + 0.3


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_tries_the_same_and_another_seed_does_not(name: str) -> None:
    one, same, other = (np.array(run(CASES[name][0](seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.array_equal(one, other) == (name in WITHOUT_CHANCE)


def test_ids_are_never_used_twice(make: Make) -> None:
    operator, ids = make(0), []
    while candidates := operator.ask():
        ids.append(candidates[-1].id)
        operator.tell(ids[-1], 0.0)
    assert len(ids) == len(set(ids))


def test_asking_again_gives_the_same_candidates(make: Make) -> None:
    operator = make(0)
    first, again = operator.ask(), operator.ask()
    assert [c.id for c in first] == [c.id for c in again]
    np.testing.assert_array_equal(first[0].parameters, again[0].parameters)


def test_the_order_of_telling_does_not_matter(make: Make) -> None:
    forward, backward = make(0), make(0)
    run(forward)
    while candidates := backward.ask():
        backward.tell(candidates[-1].id, value(candidates[-1].parameters))
    np.testing.assert_array_equal(forward.best.parameters, backward.best.parameters)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_return_that_is_not_finite_is_refused_and_changes_nothing(make: Make, bad: float) -> None:
    operator = make(0)
    candidate = operator.ask()[0]
    with pytest.raises(ValueError, match="finite"):
        operator.tell(candidate.id, bad)
    assert candidate.id in [c.id for c in operator.ask()]


def test_telling_what_was_not_asked_is_refused(make: Make) -> None:
    operator = make(0)
    candidate = operator.ask()[0]
    with pytest.raises(ValueError, match="999"):
        operator.tell(999, 0.0)
    operator.tell(candidate.id, 0.0)
    with pytest.raises(ValueError, match=f"told candidate {candidate.id}"):
        operator.tell(candidate.id, 0.0)


def test_a_restored_operator_goes_on_identically_from_any_trial(make: Make) -> None:
    operator, tried, states = make(5), [], []
    while operator.ask():
        states.append(json.dumps(operator.state(), allow_nan=False))
        tried += run(operator, 1)
    for trial in [*range(0, len(states), 4), len(states) - 1]:
        restored = make(5)
        restored.restore(json.loads(states[trial]))
        np.testing.assert_array_equal(np.array(run(restored)), np.array(tried[trial:]), f"from trial {trial} on")
        np.testing.assert_array_equal(operator.best.parameters, restored.best.parameters)
        assert operator.best.value == restored.best.value


def test_every_kind_of_operator_is_tested_here() -> None:
    def configs(union: object) -> set[object]:
        return set().union(*map(configs, get_args(union))) | ({union} if isinstance(union, type) else set())

    assert configs(OperatorConfig) == {type(config) for config in OPERATORS.values()}


def test_aborted_trials_use_up_the_budget_and_are_never_the_best(make: Make) -> None:
    operator = make(0)
    while candidates := operator.ask():
        operator.tell(candidates[0].id, None)
    np.testing.assert_array_equal(operator.best.parameters, START)


def test_it_improves_although_every_third_trial_is_aborted(make: Make) -> None:
    operator = make(0)
    while candidates := operator.ask():
        candidate = candidates[0]
        operator.tell(candidate.id, None if candidate.id % 3 == 0 else value(candidate.parameters))
    assert value(operator.best.parameters) > value(START) + 0.2


def test_what_a_caller_does_to_best_stays_with_the_caller(make: Make) -> None:
    operator = make(0)
    operator.best.parameters[:] = 99.0
    np.testing.assert_array_equal(operator.best.parameters, START)
