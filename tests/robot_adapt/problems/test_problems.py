"""What every problem does."""

from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.problems.cart_pole import BiasedSensorCartPole
from robot_adapt.problems.four_corners import FourCorners
from robot_adapt.problems.navigation_2d import Navigation2d
from robot_adapt.problems.navigation_combo import NavigationCombo
from robot_adapt.problems.noisy_quadratic import NoisyQuadratic
from robot_adapt.problems.problem import Problem
from robot_adapt.problems.sinusoid import SinusoidRegression
from robot_adapt.randomness import generator

PROBLEMS: dict[str, Problem] = {
    "sinusoid": SinusoidRegression(),
    "navigation 2d": Navigation2d(noise=0.5),
    "four corners": FourCorners(noise=10.0),
    "combo": NavigationCombo(6, 2, noise=10.0),
    "cart pole": BiasedSensorCartPole(),
    "quadratic": NoisyQuadratic(),
}


@pytest.fixture(params=PROBLEMS)
def problem(request: pytest.FixtureRequest) -> Problem:
    return PROBLEMS[request.param]


def _returns(problem: Problem, seed: int) -> list[float]:
    theta = problem.start() + 0.3 * generator(seed, "test theta").standard_normal(problem.parameters)
    return [problem.sample(generator(seed, "test task", i)).value(theta, generator(seed, "test trial", i)) for i in range(3)]


def test_the_start_is_one_finite_vector_of_all_parameters(problem: Problem) -> None:
    start = problem.start()
    assert start.shape == (problem.parameters,)
    assert start.dtype == np.float64
    assert np.isfinite(start).all()
    np.testing.assert_array_equal(start, problem.start())


def test_a_seed_decides_tasks_and_returns(problem: Problem) -> None:
    assert _returns(problem, 3) == _returns(problem, 3)
    assert _returns(problem, 3) != _returns(problem, 4)


def test_trials_of_one_task_differ(problem: Problem) -> None:
    theta = problem.start() + 0.1 * generator(0, "test theta").standard_normal(problem.parameters)
    task = problem.sample(generator(0, "test task"))
    assert len({task.value(theta, generator(0, "test trial", i)) for i in range(5)}) > 1


def test_a_task_leaves_its_parameters_alone(problem: Problem) -> None:
    theta = problem.start() + 0.1
    before = theta.copy()
    problem.sample(generator(1, "test task")).value(theta, generator(1, "test trial"))
    np.testing.assert_array_equal(theta, before)
