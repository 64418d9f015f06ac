from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.evolution_strategy import es_step, signed_ranks


def test_ranks_keep_sign_and_order_and_have_unit_mean_square() -> None:
    shaped = signed_ranks(np.array([0.1, -5.0, 0.3]))
    assert np.sign(shaped).tolist() == [1.0, -1.0, 1.0]
    assert np.argsort(np.abs(shaped)).tolist() == [0, 2, 1]
    assert np.mean(np.square(shaped)) == pytest.approx(1.0)


def test_one_huge_difference_counts_no_more_than_a_large_one() -> None:
    np.testing.assert_array_equal(signed_ranks(np.array([1.0, -2.0, 3.0])), signed_ranks(np.array([1.0, -2.0, 3e9])))


def test_aborted_pairs_and_ties_count_fairly() -> None:
    shaped = signed_ranks(np.array([np.nan, 1.0, -1.0, 0.0]))
    assert shaped[0] == shaped[3] == 0.0
    assert shaped[1] == -shaped[2]
    np.testing.assert_array_equal(signed_ranks(np.array([np.nan, np.nan])), [0.0, 0.0])
    np.testing.assert_array_equal(signed_ranks(np.zeros(3)), np.zeros(3))


def test_it_climbs_a_noisy_quadratic() -> None:
    generator = np.random.default_rng(0)
    theta: FloatArray = np.zeros(20)
    goal = np.ones(20)

    def value(point: FloatArray) -> float:
        return -float(np.square(point - goal).sum()) + generator.normal(0.0, 0.1)

    for _ in range(200):
        g = generator.standard_normal((8, 20))
        differences = np.array([value(theta + 0.1 * row) - value(theta - 0.1 * row) for row in g])
        theta = theta + es_step(g, differences, 0.05)
    assert np.square(theta - goal).sum() < 1.0


def test_the_step_points_up_the_gradient() -> None:
    generator = np.random.default_rng(1)
    slope = np.array([1.0, -2.0, 0.5])
    g = generator.standard_normal((5000, 3))
    step = es_step(g, g @ slope, 1.0)
    assert float(step @ slope) / (np.linalg.norm(step) * np.linalg.norm(slope)) > 0.99
