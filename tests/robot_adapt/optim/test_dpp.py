from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.dpp import cosine_kernel, log_elementary_polynomials, rbf_kernel, sample_k_dpp

DRAWS = 6000


def kernel_of(items: int, seed: int) -> FloatArray:
    points = np.random.default_rng(seed).standard_normal((items, 3))
    kernel: FloatArray = points @ points.T + 0.1 * np.eye(items)
    return kernel


@pytest.mark.parametrize(("items", "k"), [(5, 2), (6, 3), (4, 1)])
def test_every_subset_comes_as_often_as_its_determinant_says(items: int, k: int) -> None:
    kernel = kernel_of(items, 7)
    subsets = list(itertools.combinations(range(items), k))
    determinants = np.array([np.linalg.det(kernel[np.ix_(subset, subset)]) for subset in subsets])
    expected = determinants / determinants.sum()
    generator, counts = np.random.default_rng(0), dict.fromkeys(subsets, 0)
    for _ in range(DRAWS):
        counts[tuple(sample_k_dpp(kernel, k, generator).tolist())] += 1
    frequencies = np.array(list(counts.values())) / DRAWS
    assert (np.abs(frequencies - expected) < 4.0 * np.sqrt(expected / DRAWS)).all()


def test_the_elementary_polynomials_are_sums_over_subsets() -> None:
    values = np.array([0.5, 2.0, 3.0, 0.1, 1.0])
    log_e = log_elementary_polynomials(np.log(values), 3)
    for j in range(4):
        exact = sum(math.prod(subset) for subset in itertools.combinations(values, j))
        assert np.exp(log_e[5, j]) == pytest.approx(exact)


def test_many_items_of_a_large_kernel_do_not_overflow() -> None:
    points = np.random.default_rng(0).standard_normal((300, 5))
    chosen = sample_k_dpp(1e8 * rbf_kernel(points), 60, np.random.default_rng(1))  # determinants of 1e480
    assert len(np.unique(chosen)) == 60


def test_more_items_than_the_kernel_s_rank_are_still_different_ones() -> None:
    points = np.random.default_rng(0).standard_normal((12, 2))
    for seed in range(50):
        assert len(np.unique(sample_k_dpp(cosine_kernel(points), 6, np.random.default_rng(seed)))) == 6


def test_all_items_or_none_too_many() -> None:
    kernel = kernel_of(4, 0)
    np.testing.assert_array_equal(sample_k_dpp(kernel, 4, np.random.default_rng(0)), [0, 1, 2, 3])
    with pytest.raises(ValueError, match="5 of 4 items"):
        sample_k_dpp(kernel, 5, np.random.default_rng(0))


def test_kernels_are_those_of_their_definitions() -> None:
    x = np.random.default_rng(2).standard_normal((6, 4))
    pairs = list(itertools.combinations(range(6), 2))
    median = np.median([np.square(x[i] - x[j]).sum() for i, j in pairs])
    for i, j in pairs:
        assert rbf_kernel(x)[i, j] == pytest.approx(np.exp(-np.square(x[i] - x[j]).sum() / (2.0 * median)))
        assert cosine_kernel(x)[i, j] == pytest.approx(x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j]))
    np.testing.assert_array_equal(rbf_kernel(np.ones((3, 2))), np.ones((3, 3)))
