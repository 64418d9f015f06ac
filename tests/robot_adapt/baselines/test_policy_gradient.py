from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient import Episode, Estimate, PolicyGradientConfig, adapt, coefficients

STD = 0.4
ACTIONS, STATES = 2, 3
LAYOUT = np.random.default_rng(0).permutation(ACTIONS * STATES).reshape(ACTIONS, STATES)
THETA = np.random.default_rng(1).standard_normal(ACTIONS * STATES)


def episodes(count: int = 5, seed: int = 2) -> list[Episode]:
    """Of different lengths; states and rewards are arbitrary."""
    randomness = np.random.default_rng(seed)
    return [
        Episode(
            randomness.standard_normal((length, STATES)),
            STD * randomness.standard_normal((length, ACTIONS)),
            randomness.standard_normal(length),
            LAYOUT,
        )
        for length in randomness.integers(3, 8, count)
    ]


def objective(sampled: list[Episode], at: FloatArray) -> Callable[[FloatArray], float]:
    """J as its definition has it, of episodes that were tried with `at`."""
    weights_0 = at[LAYOUT]
    credit, _ = coefficients(sampled)

    def value(theta: FloatArray) -> float:
        total = 0.0
        for e, c in zip(sampled, credit, strict=True):
            actions = e.states @ weights_0.T + e.exploration
            off = np.square(actions - e.states @ theta[LAYOUT].T).sum(axis=1)
            log_ratio = (np.square(e.exploration).sum(axis=1) - off) / (2.0 * STD**2)
            total += float(c @ np.exp(np.cumsum(log_ratio)))
        return total / len(sampled)

    return value


def differences(function: Callable[[FloatArray], FloatArray | float], at: FloatArray, h: float = 1e-5) -> FloatArray:
    """Central finite differences, a row a coordinate."""
    return np.array([(np.asarray(function(at + h * e)) - np.asarray(function(at - h * e))) / (2 * h) for e in np.eye(at.size)])


def test_the_gradient_is_that_of_the_sampled_objective() -> None:
    sampled = episodes()
    numeric = differences(objective(sampled, THETA), THETA)
    np.testing.assert_allclose(Estimate(sampled, STD, False).gradient, numeric, rtol=1e-6)


def test_the_hessian_is_that_of_the_sampled_objective() -> None:
    sampled, value = episodes(), objective(episodes(), THETA)
    numeric = differences(lambda theta: differences(value, theta, 1e-4), THETA, 1e-4)
    columns = np.array([Estimate(sampled, STD, False).hessian_times(e) for e in np.eye(THETA.size)])
    np.testing.assert_allclose(columns, numeric, rtol=1e-4, atol=1e-4 * np.abs(numeric).max())
    np.testing.assert_allclose(columns, columns.T, atol=1e-9)


def test_standardized_derivatives_differ_by_one_factor() -> None:
    plain, standardized = (Estimate(episodes(), STD, which) for which in (False, True))
    factor = plain.gradient / standardized.gradient
    np.testing.assert_allclose(factor, np.full(6, factor[0]))
    v = np.array([1.0, -2.0, 3.0, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(plain.hessian_times(v), factor[0] * standardized.hessian_times(v))


def test_the_baseline_is_the_others_return_to_go() -> None:
    blank = np.zeros((3, STATES)), np.zeros((3, ACTIONS))
    rewards = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 6.0], [4.0, 4.0, 4.0]])
    _, advantages = coefficients([Episode(*blank, one, LAYOUT) for one in rewards])
    np.testing.assert_allclose(advantages[0], [6.0 - 9.0, 5.0 - 7.0, 3.0 - 5.0])


def test_both_are_unbiased_where_the_return_has_a_closed_form() -> None:
    """Two steps, r = -(a - goal)^2 and 2 a_1 a_2, in one dimension without noise in the states."""
    randomness, goal, s = np.random.default_rng(3), 0.7, np.array([[1.0], [0.5]])
    w, layout = 0.3, np.array([[0]])

    def episode() -> Episode:
        exploration = STD * randomness.standard_normal((2, 1))
        a = w * s + exploration
        return Episode(s, exploration, np.array([-((a[0, 0] - goal) ** 2), 2.0 * a[0, 0] * a[1, 0]]), layout)

    # E r_1 = -(w - goal)^2 - std^2, E r_2 = 2 w (w / 2)
    gradient, hessian = -2.0 * (w - goal) + 2.0 * w, -2.0 + 2.0
    batches = [Estimate([episode() for _ in range(20)], STD, False) for _ in range(600)]
    for exact, estimates in (
        (gradient, np.array([one.gradient[0] for one in batches])),
        (hessian, np.array([one.hessian_times(np.ones(1))[0] for one in batches])),
    ):
        standard_error = estimates.std() / np.sqrt(len(estimates))
        assert abs(estimates.mean() - exact) < 4.0 * standard_error
        assert standard_error < 0.2


def _empty(layout: NDArray[np.intp]) -> Episode:
    return Episode(np.zeros((0, layout.shape[1])), np.zeros((0, len(layout))), np.zeros(0), layout)


def _bandit(target: FloatArray) -> Callable[[FloatArray, int, int], Episode]:
    """One step without a state: the nearer the action the better; every third is aborted."""

    def explore(theta: FloatArray, step: int, i: int) -> Episode:
        exploration = 0.1 * np.random.default_rng([step, i]).standard_normal((1, 2))
        reward = -np.square(theta + exploration[0] - target).sum()
        layout = np.array([[0], [1]])
        return _empty(layout) if i % 3 == 2 else Episode(np.ones((1, 1)), exploration, np.array([reward]), layout)

    return explore


def test_adaptation_climbs_and_aborted_episodes_do_not_count() -> None:
    target, config = np.array([0.5, -0.3]), PolicyGradientConfig(episodes=12, steps=30, std=0.1, alpha=0.1, standardize=False)
    theta, estimates = adapt(_bandit(target), np.zeros(2), config)
    np.testing.assert_allclose(theta, target, atol=0.1)
    assert len(estimates) == 30
    assert config.trials == 360


@pytest.mark.parametrize("kept", [0, 1])
def test_a_step_of_fewer_than_two_episodes_moves_nothing(kept: int) -> None:
    explore, config = _bandit(np.ones(2)), PolicyGradientConfig(episodes=4, steps=2, std=0.1, alpha=0.1)
    theta, estimates = adapt(
        lambda theta, step, i: explore(theta, step, i) if i < kept else _empty(LAYOUT), np.zeros(2), config
    )
    np.testing.assert_array_equal(theta, np.zeros(2))
    assert not estimates
