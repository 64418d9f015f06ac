from __future__ import annotations

import numpy as np

from hardware.types import FloatArray
from robot_adapt.optim.recombination import Recombination, RecombinationConfig

CONFIG = RecombinationConfig(kind="recombination", pairs=3, rounds=1, sigma=0.1)
ALL = np.arange(6)


def stepped(values: list[float], positions: list[int] | None = None) -> tuple[FloatArray, FloatArray]:
    """The point after one round, and the round's g."""
    strategy = Recombination(CONFIG, 4)
    z = strategy.propose(0, np.random.default_rng(0))
    rows = ALL if positions is None else np.array(positions)
    strategy.learn(z[rows], np.array(values), rows)
    return strategy.best()[0], z[0::2]


def test_the_step_is_the_mean_of_the_better_sides_weighted_by_the_ranks_of_their_leads() -> None:
    point, g = stepped([5.0, 3.0, 0.0, 1.0, 10.0, 3.0])  # leads 2, -1, 7: ranks 2, -1, 3
    np.testing.assert_allclose(point, (2.0 * g[0] - 1.0 * g[1] + 3.0 * g[2]) / 6.0)


def test_a_fall_counts_no_more_than_any_last_place() -> None:
    np.testing.assert_array_equal(stepped([5.0, 3.0, 0.0, 1.0, 10.0, 3.0])[0], stepped([5.0, 3.0, 0.0, 1.0, 10.0, -1e6])[0])


def test_pairs_that_were_not_scored_on_both_sides_and_ties_have_no_say() -> None:
    point, g = stepped([1.0, 9.0, 4.0], [1, 2, 3])
    np.testing.assert_allclose(point, g[1] / 3.0)  # the step is shorter: one pair of three was learned from
    np.testing.assert_array_equal(stepped([1.0, 9.0, 4.0], [0, 2, 5])[0], np.zeros(4))
    np.testing.assert_array_equal(stepped([2.0] * 6)[0], np.zeros(4))
