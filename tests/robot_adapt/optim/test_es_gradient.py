from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.optim.ascent import SgdConfig
from robot_adapt.optim.es_gradient import EsGradient, EsGradientConfig
from robot_adapt.optim.gradients import GradientConfig
from robot_adapt.optim.operators import make_operator
from robot_adapt.optim.perturbations import OrthogonalConfig
from robot_adapt.optim.space import Space

SLOPE = np.array([1.0, -2.0, 0.5, 3.0])


@pytest.mark.parametrize("antithetic", [True, False])
def test_regression_over_as_many_directions_as_dimensions_climbs_the_exact_gradient(antithetic: bool) -> None:
    """In z the gradient of a linear return is L^T slope; a step alpha in z is one of L in theta."""
    scale = np.array([0.1, 0.2, 0.3, 0.4])
    config = EsGradientConfig(
        kind="es_gradient", directions=6, rounds=1, sigma=0.5, antithetic=antithetic, ascent=SgdConfig(step=2.0),
        gradient=GradientConfig(estimator="least_squares"),
    )  # fmt: skip
    operator = make_operator(config, np.ones(4), 0, Space(4, scale))
    for candidate in operator.ask():
        operator.tell(candidate.id, 7.0 + float(candidate.parameters @ SLOPE))
    factor = np.diag(0.5 * scale)
    np.testing.assert_allclose(operator.best.parameters, 1.0 + 2.0 * factor @ factor.T @ SLOPE)


def test_pairs_are_mirrored_around_the_point_and_orthogonal_when_asked() -> None:
    config = EsGradientConfig(
        kind="es_gradient", directions=3, rounds=1, sigma=0.1, ascent=SgdConfig(step=1.0),
        perturbations=OrthogonalConfig(kind="orthogonal"),
    )  # fmt: skip
    z = EsGradient(config, 4).propose(0, np.random.default_rng(0))
    np.testing.assert_array_equal(z[0::2], -z[1::2])
    products = z[0::2] @ z[0::2].T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0.0, atol=1e-12)


def test_a_pair_with_an_aborted_side_has_no_say() -> None:
    config = EsGradientConfig(kind="es_gradient", directions=2, rounds=1, sigma=0.1, ascent=SgdConfig(step=1.0))
    one, two = EsGradient(config, 4), EsGradient(config, 4)
    z = one.propose(0, np.random.default_rng(0))
    one.learn(z[[1, 2, 3]], np.array([50.0, 1.0, 0.0]), np.array([1, 2, 3]))
    two.learn(z[[2, 3]], np.array([1.0, 0.0]), np.array([2, 3]))
    np.testing.assert_array_equal(one.best()[0], two.best()[0])
    np.testing.assert_allclose(one.best()[0], 0.5 * z[2])
