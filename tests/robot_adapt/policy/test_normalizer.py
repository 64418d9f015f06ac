from __future__ import annotations

import numpy as np

from robot_adapt.policy.normalizer import Moments

ROWS = np.random.default_rng(0).normal(3.0, 2.0, size=(200, 4))


def test_merged_batches_have_the_moments_of_all_rows() -> None:
    merged = Moments.empty(4)
    for batch in np.split(ROWS, [1, 40, 41, 150]):
        merged = merged.merge(Moments.of(batch))
    normalizer = merged.normalizer()
    np.testing.assert_allclose(normalizer.mean, ROWS.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normalizer.std, ROWS.std(axis=0), rtol=1e-12)


def test_the_order_of_merging_does_not_matter() -> None:
    a, b = Moments.of(ROWS[:50]), Moments.of(ROWS[50:])
    one, other = a.merge(b), b.merge(a)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.squares, other.squares, rtol=1e-12)


def test_nothing_seen_normalizes_nothing() -> None:
    normalizer = Moments.empty(3).merge(Moments.empty(3)).normalizer()
    np.testing.assert_array_equal(normalizer(np.array([1.0, 2.0, 3.0])), [1.0, 2.0, 3.0])


def test_what_never_varied_is_only_centered() -> None:
    normalizer = Moments.of(np.full((5, 2), 7.0)).normalizer()
    np.testing.assert_array_equal(normalizer(np.array([7.0, 8.0])), [0.0, 1.0])
