from __future__ import annotations

import itertools

import numpy as np
import pytest

from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.duel import randomization_p
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.operators import DuelConfig, make_operator

START = np.zeros(3)
SEARCH = BatchHillClimbingConfig(population=2, rounds=1, sigma=0.1)
DUEL = DuelConfig(kind="duel", search=SEARCH, pairs=4, level=0.1)


def after_a_lucky_search() -> AdaptationOperator:
    """The duel begins; a perturbation looked best."""
    operator = make_operator(DUEL, START, 0)
    for value in (0.0, 0.0, 5.0, 1.0):
        operator.tell(operator.ask()[0].id, value)
    assert operator.best.value == 5.0
    return operator


def fight(operator: AdaptationOperator, winner: list[float | None], start: list[float | None]) -> None:
    values = {False: iter(winner), True: iter(start)}
    while candidates := operator.ask():
        is_start = bool((candidates[0].parameters == START).all())
        operator.tell(candidates[0].id, next(values[is_start]))


def test_winner_and_start_are_tried_in_turns_each_going_first_as_often() -> None:
    operator = after_a_lucky_search()
    is_start = [bool((candidate.parameters == START).all()) for candidate in operator.ask()]
    assert is_start == [False, True, True, False, False, True, True, False]
    assert [candidate.id for candidate in operator.ask()] == list(range(4, 12))
    assert DUEL.trials == 12


def test_a_winner_that_is_better_afresh_stays_with_its_fresh_value() -> None:
    operator = after_a_lucky_search()
    winner = operator.best.parameters
    fight(operator, [1.0, 1.5, 2.0, 1.5], [0.0, 0.5, 0.0, 0.5])
    np.testing.assert_array_equal(operator.best.parameters, winner)
    assert operator.best.value == 1.5


@pytest.mark.parametrize("start", [[1.0, 1.5, 2.0, 1.6], [3.0, 3.0, 3.0, 3.0], [0.0, 0.5, 2.1, 0.5]])
def test_what_is_not_shown_to_be_better_falls_back_to_the_start_with_its_fresh_value(start: list[float | None]) -> None:
    operator = after_a_lucky_search()
    fight(operator, [1.0, 1.5, 2.0, 1.5], start)
    np.testing.assert_array_equal(operator.best.parameters, START)
    assert operator.best.value == np.mean([value for value in start if value is not None])


def test_an_aborted_trial_costs_no_other_its_say() -> None:
    """Of five each, one is aborted in two different pairs: four pairs remain, and p is 1/16."""
    operator = make_operator(DUEL.model_copy(update={"pairs": 5}), START, 0)
    for value in (0.0, 0.0, 5.0, 1.0):
        operator.tell(operator.ask()[0].id, value)
    fight(operator, [None, 1.0, 1.1, 1.2, 1.3], [0.0, None, 0.1, 0.2, 0.3])
    assert not (operator.best.parameters == START).all()


def test_a_start_that_is_always_aborted_is_still_what_is_fallen_back_to() -> None:
    operator = after_a_lucky_search()
    fight(operator, [1.0] * 4, [None] * 4)
    np.testing.assert_array_equal(operator.best.parameters, START)
    assert operator.best.value == -np.inf


@pytest.mark.parametrize("seed", range(5))
def test_p_is_the_share_of_sign_patterns_that_do_as_well(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.5, 1.0, 7)
    patterns = list(itertools.product((1.0, -1.0), repeat=7))
    as_good = sum(np.dot(pattern, np.abs(differences)) >= differences.sum() - 1e-9 for pattern in patterns)
    assert randomization_p(differences) == as_good / len(patterns)


def test_p_at_its_ends() -> None:
    assert randomization_p(np.array([0.1, 0.2, 0.7])) == 1 / 8
    assert randomization_p(np.zeros(4)) == 1.0
    assert randomization_p(np.zeros(0)) == 1.0


def test_equal_policies_win_no_more_often_than_the_level() -> None:
    generator = np.random.default_rng(0)
    wins = [randomization_p(generator.standard_cauchy(6) - generator.standard_cauchy(6)) <= 0.1 for _ in range(3000)]
    assert np.mean(wins) < 0.1 + 3.0 * np.sqrt(0.09 / 3000)
