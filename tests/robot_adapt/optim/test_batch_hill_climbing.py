from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.operators import make_operator
from robot_adapt.randomness import generator

START = np.zeros(3)


def tell_round(operator: AdaptationOperator, *values: float | None) -> None:
    for candidate, value in zip(operator.ask(), values, strict=True):
        operator.tell(candidate.id, value)


def test_the_paper_s_budget_is_fifty_trials() -> None:
    assert BatchHillClimbingConfig(population=5, rounds=9, sigma=0.1).trials == 50
    assert BatchHillClimbingConfig(population=4, rounds=10, sigma=0.1, incumbent="remeasure").trials == 50


def test_the_pivot_is_the_mean_of_the_first_trials_of_the_start() -> None:
    operator = make_operator(BatchHillClimbingConfig(population=3, rounds=1, sigma=0.1), START, 0)
    assert all((candidate.parameters == START).all() for candidate in operator.ask())
    tell_round(operator, 1.0, 2.0, 6.0)
    assert operator.best.value == 3.0


def test_the_best_of_a_round_becomes_the_incumbent_only_above_the_pivot() -> None:
    operator = make_operator(BatchHillClimbingConfig(population=2, rounds=2, sigma=0.1), START, 0)
    tell_round(operator, 1.0, 1.0)
    tell_round(operator, 0.9, 1.0)
    np.testing.assert_array_equal(operator.best.parameters, START)
    winner = operator.ask()[1].parameters
    tell_round(operator, 0.5, 1.1)
    np.testing.assert_array_equal(operator.best.parameters, winner)
    assert operator.best.value == 1.1


def test_a_remembered_lucky_value_stays_and_a_remeasured_one_does_not() -> None:
    remember = make_operator(BatchHillClimbingConfig(population=1, rounds=2, sigma=0.1), START, 0)
    tell_round(remember, 0.0)
    tell_round(remember, 9.0)  # luck
    tell_round(remember, 2.0)
    assert remember.best.value == 9.0

    config = BatchHillClimbingConfig(population=1, rounds=2, sigma=0.1, incumbent="remeasure")
    remeasure = make_operator(config, START, 0)
    tell_round(remeasure, 0.0, 9.0)
    second = remeasure.ask()[1].parameters
    tell_round(remeasure, 1.0, 2.0)  # the incumbent, afresh, then a perturbation of it
    np.testing.assert_array_equal(remeasure.best.parameters, second)
    assert remeasure.best.value == 2.0


def test_when_the_remeasurement_is_aborted_the_old_value_stands() -> None:
    config = BatchHillClimbingConfig(population=1, rounds=2, sigma=0.1, incumbent="remeasure")
    operator = make_operator(config, START, 0)
    tell_round(operator, 1.0, 0.0)
    tell_round(operator, None, 0.5)
    np.testing.assert_array_equal(operator.best.parameters, START)


def test_perturbations_have_the_spread_asked_for() -> None:
    operator = make_operator(BatchHillClimbingConfig(population=400, rounds=1, sigma=0.3), np.zeros(50), 0)
    tell_round(operator, *[0.0] * 400)
    assert np.std([candidate.parameters for candidate in operator.ask()]) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("start", [np.array([1.0, np.nan]), np.zeros((2, 2))])
def test_a_start_that_is_not_one_finite_vector_is_refused(start: FloatArray) -> None:
    with pytest.raises(ValueError, match="finite vector"):
        make_operator(BatchHillClimbingConfig(population=1, rounds=1, sigma=0.1), start, 0)


def test_proposals_are_to_the_bit_those_that_shipped_policies_were_trained_with() -> None:
    start = generator(0, "start").standard_normal(7)
    sigma, population = 0.02, 3
    operator = make_operator(BatchHillClimbingConfig(population=population, rounds=3, sigma=sigma), start, 11)
    theta, pivot = start, 0.0
    tell_round(operator, 0.0, 0.0, 0.0)
    for round_ in (1, 2, 3):
        normals = generator(11, "bhc", round_).standard_normal((population, 7))
        tried = [theta + step for step in sigma * normals]
        np.testing.assert_array_equal([candidate.parameters for candidate in operator.ask()], tried)
        values = [-float(np.square(point - 0.1).sum()) + 5.0 for point in tried]
        tell_round(operator, *values)
        if max(values) > pivot:
            theta, pivot = tried[int(np.argmax(values))], max(values)
    np.testing.assert_array_equal(operator.best.parameters, theta)
