"""The noisy quadratic: its optimum, gradient and noise as stated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot_adapt.problems.noisy_quadratic import NoisyQuadratic, Quadratic
from robot_adapt.randomness import generator

PROBLEM = NoisyQuadratic(dimensions=12, active=3, stiffness=0.4, noise=0.5)


@pytest.fixture
def task() -> Quadratic:
    return PROBLEM.sample(generator(0, "test task"))


def test_there_is_one_to_gain_and_it_is_gained_in_the_subspace(task: Quadratic) -> None:
    assert task.expected(PROBLEM.start()) == pytest.approx(-1.0)
    best = PROBLEM.basis @ task.goal
    assert task.expected(best) == pytest.approx(task.best, abs=1e-12)
    for step in 0.1 * generator(0, "test steps").standard_normal((20, 12)):
        assert task.expected(best + step) < 0.0


def test_directions_that_no_task_moves_along_cost_their_stiffness(task: Quadratic) -> None:
    across = np.linalg.svd(PROBLEM.basis)[0][:, -1]
    assert task.expected(2.0 * across) == pytest.approx(-1.0 - 0.4 * 4.0)


def test_the_gradient_is_that_of_finite_differences(task: Quadratic) -> None:
    theta = generator(1, "test theta").standard_normal(12)
    step = 1e-5
    slopes = [(task.expected(theta + e) - task.expected(theta - e)) / (2 * step) for e in step * np.eye(12)]
    np.testing.assert_allclose(task.gradient(theta), slopes, rtol=1e-6, atol=1e-8)


def test_the_smoothed_return_is_the_mean_over_perturbations(task: Quadratic) -> None:
    theta = 0.2 * generator(2, "test theta").standard_normal(12)
    steps = 0.3 * generator(3, "test steps").standard_normal((4000, 12))
    values = np.array([task.expected(theta + step) for step in steps])
    assert task.expected(theta, sigma=0.3) == pytest.approx(values.mean(), abs=5 * values.std() / math.sqrt(4000))


def test_noise_is_as_stated(task: Quadratic) -> None:
    randomness = generator(4, "test trials")
    values = np.array([task.value(PROBLEM.start(), randomness) for _ in range(2000)])
    assert values.mean() == pytest.approx(-1.0, abs=5 * 0.5 / math.sqrt(2000))
    assert values.std() == pytest.approx(0.5, rel=5 / math.sqrt(2 * 2000))


def test_goals_lie_on_the_unit_sphere_in_all_directions() -> None:
    randomness = generator(5, "test tasks")
    goals = np.array([PROBLEM.sample(randomness).goal for _ in range(2000)])
    np.testing.assert_allclose(np.linalg.norm(goals, axis=1), 1.0)
    np.testing.assert_allclose(goals.T @ goals / 2000, np.eye(3) / 3.0, atol=0.04)


def test_the_subspace_is_orthonormal_and_of_the_seed() -> None:
    np.testing.assert_allclose(PROBLEM.basis.T @ PROBLEM.basis, np.eye(3), atol=1e-12)
    assert not np.allclose(PROBLEM.basis, NoisyQuadratic(12, 3, seed=1).basis)
