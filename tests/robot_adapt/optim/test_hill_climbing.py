from __future__ import annotations

import numpy as np

from robot_adapt.optim.hill_climbing import HillClimbingConfig
from robot_adapt.optim.operator import AdaptationOperator
from robot_adapt.optim.operators import make_operator

START = np.zeros(3)


def tell_round(operator: AdaptationOperator, *values: float | None) -> None:
    for candidate, value in zip(operator.ask(), values, strict=True):
        operator.tell(candidate.id, value)


def test_each_perturbation_is_tried_several_times_and_its_mean_decides() -> None:
    operator = make_operator(HillClimbingConfig(kind="hill_climbing", repeats=3, rounds=2, sigma=0.1), START, 0)
    tell_round(operator, 1.0, 2.0, 3.0)
    assert operator.best.value == 2.0
    tried = [candidate.parameters for candidate in operator.ask()]
    assert all((one == tried[0]).all() for one in tried)
    tell_round(operator, 9.0, -9.0, 0.0)  # one lucky trial is not enough
    np.testing.assert_array_equal(operator.best.parameters, START)
    tried = [candidate.parameters for candidate in operator.ask()]
    tell_round(operator, 2.0, None, 3.0)
    np.testing.assert_array_equal(operator.best.parameters, tried[0])
    assert operator.best.value == 2.5


def test_a_remeasured_incumbent_loses_its_luck() -> None:
    config = HillClimbingConfig(kind="hill_climbing", repeats=1, rounds=3, sigma=0.1, incumbent="remeasure")
    operator = make_operator(config, START, 0)
    tell_round(operator, 0.0, 9.0)
    assert operator.best.value == 9.0
    second = operator.ask()[1].parameters
    tell_round(operator, 1.0, 2.0)
    np.testing.assert_array_equal(operator.best.parameters, second)
    tell_round(operator, None, 1.0)  # not measured afresh: the last value stands
    np.testing.assert_array_equal(operator.best.parameters, second)


def test_budgets_count_every_repeat() -> None:
    assert HillClimbingConfig(kind="hill_climbing", repeats=5, rounds=9, sigma=0.1).trials == 50
    assert HillClimbingConfig(kind="hill_climbing", repeats=5, rounds=5, sigma=0.1, incumbent="remeasure").trials == 50
