from __future__ import annotations

import sys

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.errors import UserError
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.regression import l1_decoding, lasso, least_squares, ridge


def problem(n: int, d: int, seed: int = 0) -> tuple[FloatArray, FloatArray, FloatArray]:
    generator = np.random.default_rng(seed)
    x, slope = generator.standard_normal((n, d)), generator.standard_normal(d)
    return x, slope, x @ slope


def test_least_squares_is_exact_without_noise_and_the_shortest_where_there_are_many() -> None:
    x, slope, y = problem(30, 8)
    np.testing.assert_allclose(least_squares(x, y), slope)
    x, slope, y = problem(5, 8)
    shortest = least_squares(x, y)
    np.testing.assert_allclose(x @ shortest, y)
    np.testing.assert_allclose(shortest, np.linalg.pinv(x) @ y)


@pytest.mark.parametrize(("n", "d"), [(30, 8), (5, 8)])
def test_ridge_makes_its_objective_stationary_in_either_dimension(n: int, d: int) -> None:
    x, _, y = problem(n, d)
    slope = ridge(x, y, 2.5)
    np.testing.assert_allclose(x.T @ (x @ slope - y) + 2.5 * slope, 0.0, atol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(40, 10), (15, 40)])
def test_lasso_meets_its_optimality_conditions(n: int, d: int) -> None:
    x, _, y = problem(n, d)
    slope = lasso(x, y, 0.3)
    penalty = 0.3 * np.abs(x.T @ y).max()
    subgradient = x.T @ (y - x @ slope) / penalty
    assert 0 < np.count_nonzero(slope) < d
    np.testing.assert_allclose(subgradient[slope != 0.0], np.sign(slope[slope != 0.0]), atol=1e-6)
    assert np.abs(subgradient).max() < 1.0 + 1e-6


def test_lasso_finds_the_few_entries_that_matter_with_fewer_values_than_dimensions() -> None:
    generator = np.random.default_rng(3)
    x, slope = generator.standard_normal((40, 100)), np.zeros(100)
    slope[[3, 50, 97]] = [2.0, -1.5, 1.0]
    y = x @ slope + 0.01 * generator.standard_normal(40)
    assert np.flatnonzero(np.abs(lasso(x, y, 0.05)) > 0.1).tolist() == [3, 50, 97]
    assert np.linalg.norm(least_squares(x, y) - slope) > 1.0


def test_lasso_is_zero_from_a_full_penalty_on_and_for_values_of_zero() -> None:
    x, _, y = problem(10, 4)
    np.testing.assert_array_equal(lasso(x, y, 1.0), np.zeros(4))
    np.testing.assert_array_equal(lasso(x, np.zeros(10), 0.1), np.zeros(4))


def corrupted(seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A quarter of the values are wrong by a hundred times their spread."""
    x, slope, y = problem(80, 10, seed)
    wrong = np.random.default_rng(seed + 100).choice(80, 20, replace=False)
    y[wrong] += np.random.default_rng(seed + 200).uniform(100.0, 500.0, 20)
    return x, slope, y


@pytest.mark.parametrize("seed", range(5))
def test_l1_decoding_survives_a_quarter_of_corrupted_values_where_means_and_squares_fail(seed: int) -> None:
    x, slope, y = corrupted(seed)
    np.testing.assert_allclose(l1_decoding(x, y), slope, atol=1e-6)
    np.testing.assert_allclose(l1_decoding(x, y + 7.0, intercept=True), slope, atol=1e-6)
    for estimator in ("monte_carlo", "least_squares", "ridge"):
        estimate = gradient(GradientConfig(estimator=estimator), x, y, baseline=0.0)
        assert np.linalg.norm(estimate - slope) > 3.0 * np.linalg.norm(slope)


@pytest.mark.parametrize("method", ["least_squares", "ridge", "lasso"])
def test_an_intercept_is_fitted_and_left_out(method: str) -> None:
    x, _, y = problem(60, 5)
    config = GradientConfig(estimator=method, penalty=0.01)
    np.testing.assert_allclose(gradient(config, x, y), gradient(config, x, y + 1e4), rtol=1e-6)


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(UserError, match=r"robot-adapt\[optim\]"):
        l1_decoding(*problem(4, 2)[::2])
