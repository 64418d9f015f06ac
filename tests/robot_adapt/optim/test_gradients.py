from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.gradients import GradientConfig, gradient, shaped

THETA = np.array([0.3, -0.2, 0.5])
CURVATURE = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.4], [0.0, -0.4, 0.5]])
SLOPE = np.array([1.0, -2.0, 0.5])
# Of a quadratic the smoothed return has the same gradient as the return.
EXACT = SLOPE - CURVATURE @ THETA


def value(theta: FloatArray) -> FloatArray:
    """A quadratic of rows (n, 3)."""
    quadratic: FloatArray = 5.0 + theta @ SLOPE - 0.5 * np.einsum("ni,ij,nj->n", theta, CURVATURE, theta)
    return quadratic


def estimates(config: GradientConfig, antithetic: bool, n: int, repeats: int, baseline: float | None = None) -> FloatArray:
    generator, sigma, rows = np.random.default_rng(0), 0.3, []
    for _ in range(repeats):
        g = generator.standard_normal((n, 3))
        plus, minus = value(THETA + sigma * g), value(THETA - sigma * g)
        values = np.stack((plus, minus), axis=1) if antithetic else plus
        rows.append(gradient(config, g, values, sigma, baseline))
    return np.array(rows)


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("baseline", [None, 5.0])
def test_monte_carlo_agrees_with_the_analytic_gradient_within_its_confidence_interval(
    antithetic: bool, baseline: float | None
) -> None:
    found = estimates(GradientConfig(), antithetic, n=4, repeats=4000, baseline=baseline)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - EXACT) < 4.0 * error).all()


def test_pairs_cancel_the_level_and_the_mean_of_the_others_nearly_does() -> None:
    level = estimates(GradientConfig(), False, n=8, repeats=500, baseline=0.0).std(axis=0)
    for found in (estimates(GradientConfig(), True, n=4, repeats=500), estimates(GradientConfig(), False, n=8, repeats=500)):
        assert (found.std(axis=0) < 0.3 * level).all()


@pytest.mark.parametrize("estimator", ["least_squares", "ridge", "lasso", "l1_decoding"])
def test_regression_of_mirrored_pairs_is_exact_on_a_quadratic(estimator: str) -> None:
    config = GradientConfig(estimator=estimator, penalty=1e-9)
    np.testing.assert_allclose(estimates(config, True, n=6, repeats=1)[0], EXACT, rtol=1e-5)


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("shaping", ["rank", "standardize"])
def test_shaped_values_have_unit_mean_square_and_do_not_depend_on_units(shaping: str, antithetic: bool) -> None:
    values = np.random.default_rng(1).standard_normal((7, 2) if antithetic else 7)
    one = shaped(values, shaping)  # type: ignore[arg-type]
    assert np.mean(np.square(one)) == pytest.approx(1.0)
    np.testing.assert_allclose(shaped(1e3 * values + 5.0, shaping), one)  # type: ignore[arg-type]


def test_ranks_bound_an_outlier_and_share_ties() -> None:
    np.testing.assert_array_equal(shaped(np.array([1.0, 2.0, 3.0]), "rank"), shaped(np.array([1.0, 2.0, 3e9]), "rank"))
    tied = shaped(np.array([1.0, np.nan, 1.0, 0.0]), "rank")
    assert tied[0] == tied[2] > 0.0
    assert np.isnan(tied[1])


def test_aborted_trials_change_no_direction() -> None:
    generator = np.random.default_rng(2)
    g, values = generator.standard_normal((6, 3)), generator.standard_normal((6, 2))
    aborted = values.copy()
    aborted[[1, 4], [0, 1]] = np.nan
    kept = [0, 2, 3, 5]
    for estimator in ("monte_carlo", "least_squares", "l1_decoding"):
        for shaping in ("none", "rank", "standardize"):
            config = GradientConfig(estimator=estimator, shaping=shaping)
            # Shaped values have no units: the step is shorter when less was learned.
            share = 4 / 6 if estimator == "monte_carlo" and shaping != "none" else 1.0
            pairs = gradient(config, g[kept], values[kept])
            np.testing.assert_allclose(gradient(config, g, aborted), share * pairs, atol=1e-12)
            aborted_plus = np.where(np.isin(np.arange(6), kept), values[:, 0], np.nan)
            forward = gradient(config, g[kept], values[kept, 0])
            np.testing.assert_allclose(gradient(config, g, aborted_plus), share * forward, atol=1e-12)


def test_when_nothing_can_be_learned_the_gradient_is_zero() -> None:
    g = np.ones((2, 3))
    np.testing.assert_array_equal(gradient(GradientConfig(), g, np.full((2, 2), np.nan)), np.zeros(3))
    np.testing.assert_array_equal(gradient(GradientConfig(), g, np.array([1.0, np.nan])), np.zeros(3))
    np.testing.assert_array_equal(gradient(GradientConfig(shaping="standardize"), g, np.ones(2)), np.zeros(3))


def test_only_the_top_directions_count() -> None:
    g = np.diag([1.0, 2.0, 3.0])
    values = np.array([[0.0, 1.0], [9.0, -9.0], [-5.0, -8.0]])
    top = gradient(GradientConfig(top=2), g, values)
    np.testing.assert_allclose(top, [-0.5 / 2, 18.0 * 2 / 2 / 2, 0.0])
