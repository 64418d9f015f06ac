from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.optim.perturbations import (
    DppConfig,
    GaussianConfig,
    OrthogonalConfig,
    PerturbationConfig,
    as_pairs,
    draw,
    mirrored,
    orthogonal,
)

CONFIGS: list[PerturbationConfig] = [
    GaussianConfig(),
    OrthogonalConfig(kind="orthogonal"),
    DppConfig(kind="dpp"),
    DppConfig(kind="dpp", kernel="cosine", rho=1.5),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize(("n", "dimensions"), [(3, 8), (8, 3), (1, 1), (7, 7)])
def test_there_are_as_many_as_asked_for_and_the_same_for_a_seed(config: PerturbationConfig, n: int, dimensions: int) -> None:
    one, again, other = (draw(config, n, dimensions, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (n, dimensions)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_orthogonal_rows_are_orthogonal_within_each_block() -> None:
    rows = orthogonal(10, 4, np.random.default_rng(0))
    for block in (rows[0:4], rows[4:8], rows[8:10]):
        products = block @ block.T
        np.testing.assert_allclose(products - np.diag(np.diag(products)), 0.0, atol=1e-12)


def test_an_orthogonal_row_by_itself_is_standard_normal() -> None:
    draws = np.vstack([orthogonal(3, 3, np.random.default_rng(seed)) for seed in range(6000)])
    assert np.abs(draws.mean(axis=0)).max() < 0.03
    np.testing.assert_allclose(np.cov(draws.T), np.eye(3), atol=0.04)
    assert np.mean(draws**4) == pytest.approx(3.0, rel=0.05)  # a normal's; of rows of one fixed length it would be 1.8


def test_a_dpp_s_choice_is_more_spread_out_than_chance() -> None:
    def least_distance(config: PerturbationConfig, seed: int) -> float:
        g = draw(config, 5, 2, np.random.default_rng(seed))
        return min(float(np.linalg.norm(g[i] - g[j])) for i in range(5) for j in range(i))

    chance, chosen = (np.mean([least_distance(c, seed) for seed in range(300)]) for c in (CONFIGS[0], CONFIGS[2]))
    assert chosen > 1.5 * chance


def test_mirrored_pairs_are_opposite_to_the_bit() -> None:
    g = np.random.default_rng(0).standard_normal((3, 4))
    both = mirrored(g)
    np.testing.assert_array_equal(both[0::2], g)
    np.testing.assert_array_equal(both[1::2], -g)


def test_pairs_come_back_with_the_sides_that_were_not_scored_missing() -> None:
    g = np.random.default_rng(0).standard_normal((3, 2))
    positions = np.array([0, 1, 3, 4])
    steps, values = as_pairs(mirrored(g)[positions], np.array([1.0, 2.0, 3.0, 4.0]), positions, 3)
    np.testing.assert_array_equal(values, [[1.0, 2.0], [np.nan, 3.0], [4.0, np.nan]])
    np.testing.assert_array_equal(steps[[0, 2]], g[[0, 2]])
