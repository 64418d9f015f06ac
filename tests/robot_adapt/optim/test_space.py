from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.space import Space, from_arrays

SCALE = np.array([0.5, 1.0, 2.0, 0.1])
BASIS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, -2.0]])
SPACES = {
    "full": (Space(4, sigma=0.3), 0.09 * np.eye(4)),
    "diagonal": (Space(4, SCALE), np.diag(SCALE**2)),
    "low_rank_and_diagonal": (Space(4, SCALE, BASIS, sigma=2.0), 4.0 * (np.diag(SCALE**2) + BASIS @ BASIS.T)),
    "low_rank_and_isotropic": (Space(4, 0.5, BASIS), 0.25 * np.eye(4) + BASIS @ BASIS.T),
    "subspace": (Space(4, None, BASIS), BASIS @ BASIS.T),
}


@pytest.mark.parametrize(("space", "covariance"), SPACES.values(), ids=SPACES)
def test_unit_normals_become_steps_of_the_stated_covariance(space: Space, covariance: FloatArray) -> None:
    factor = space.steps(np.eye(space.dimensions))
    np.testing.assert_allclose(factor.T @ factor, covariance)


@pytest.mark.parametrize(("space", "_"), SPACES.values(), ids=SPACES)
def test_what_a_file_keeps_gives_the_same_steps(space: Space, _: Any) -> None:
    z = np.random.default_rng(0).standard_normal((3, space.dimensions))
    kept = from_arrays({"weights": np.zeros(4), **space.arrays()})
    assert kept is not None
    np.testing.assert_allclose(kept.steps(z), space.steps(z), rtol=1e-12)


def test_a_file_without_a_space_has_none() -> None:
    assert from_arrays({"weights": np.zeros(4)}) is None


def test_scaling_multiplies_every_step() -> None:
    space, _ = SPACES["low_rank_and_diagonal"]
    z = np.random.default_rng(1).standard_normal((3, 6))
    np.testing.assert_allclose(space.scaled(0.1).steps(z), 0.1 * space.steps(z))


def test_stretching_multiplies_every_axis_by_its_own_factor() -> None:
    randomness = np.random.default_rng(2)
    for space, _ in SPACES.values():
        z, factors = randomness.standard_normal((3, space.dimensions)), np.exp(randomness.standard_normal(space.dimensions))
        np.testing.assert_allclose(space.stretched(factors).steps(z), space.steps(factors * z), rtol=1e-12)


def test_a_file_s_space_without_a_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"scale has shape \(\)"):
        from_arrays({"space_scale": np.array(1.0)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space(4, None), "a scale or a basis"),
        (lambda: Space(4, np.ones(3)), r"scale has shape \(3,\), should be \(4,\)"),
        (lambda: Space(4, None, np.ones((3, 2))), r"basis has shape \(3, 2\), should be \(4, r\)"),
        (lambda: Space(4, np.full(4, np.nan)), "not finite"),
        (lambda: Space(4).steps(np.zeros((2, 5))), "z has 5 dimensions, this space has 4"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
