from __future__ import annotations

import numpy as np

from robot_adapt.optim.active_subspace_es import ActiveSubspaceEs, ActiveSubspaceEsConfig
from robot_adapt.optim.ascent import SgdConfig

DIMENSIONS = 12
SLOPE = np.array([3.0, -1.0, *[0.05] * 10])


def strategy(pairs: int, step: float = 1.0, **changes: float) -> ActiveSubspaceEs:
    config = ActiveSubspaceEsConfig(
        kind="active_subspace_es", pairs=pairs, rounds=9, sigma=0.1, shaping="none", ascent=SgdConfig(step=step), **changes
    )
    return ActiveSubspaceEs(config, DIMENSIONS)


def taught(active: ActiveSubspaceEs, rounds: range) -> None:
    for round_ in rounds:
        z = active.propose(round_, np.random.default_rng(round_))
        active.learn(z, z @ SLOPE, np.arange(len(z)))


def test_it_finds_the_few_directions_that_the_gradient_lies_in() -> None:
    active = strategy(pairs=200)
    taught(active, range(2))
    found = active.active_subspace()
    assert found is not None
    u, n = found
    assert u.shape == (DIMENSIONS, 1)
    assert abs(float(u[:, 0] @ SLOPE)) / np.linalg.norm(SLOPE) > 0.98
    np.testing.assert_allclose(u.T @ u, np.eye(1), atol=1e-12)
    assert 1 <= n < 200


def test_perturbations_lie_in_the_span_or_outside_and_are_as_long_as_ever() -> None:
    active = strategy(pairs=400)
    taught(active, range(2))
    u, n = active.active_subspace() or (np.zeros((0, 0)), 0)
    g = active.propose(2, np.random.default_rng(5))[0::2] - active.best()[0]
    inside = np.linalg.norm(g @ u, axis=1) / np.linalg.norm(g, axis=1)
    np.testing.assert_allclose(inside[:n], 1.0)
    np.testing.assert_allclose(inside[n:], 0.0, atol=1e-12)
    assert abs(np.square(g).sum(axis=1).mean() - DIMENSIONS) < 1.5


def test_of_a_linear_return_the_estimate_is_unbiased_although_the_subspace_is_preferred() -> None:
    active = strategy(pairs=4)
    taught(active, range(2))
    before = active.state()
    estimates = []
    for seed in range(1500):
        active.restore(before)
        z = active.propose(2, np.random.default_rng(seed))
        active.learn(z, z @ SLOPE, np.arange(len(z)))
        estimates.append(active.state()["estimates"][-1])
    error = np.std(estimates, axis=0, ddof=1) / np.sqrt(len(estimates))
    assert (np.abs(np.mean(estimates, axis=0) - SLOPE) < 4.5 * error).all()


def test_it_stays_isotropic_where_all_directions_matter() -> None:
    active = strategy(pairs=40, share=0.999)
    for round_ in range(3):
        z = active.propose(round_, np.random.default_rng(round_))
        active.learn(z, z @ np.eye(DIMENSIONS)[round_], np.arange(len(z)))
    found = active.active_subspace()
    assert found is not None
    assert found[0].shape[1] == 3


def test_a_part_without_a_scored_pair_is_left_out() -> None:
    active = strategy(pairs=3)
    taught(active, range(2))
    z = active.propose(2, np.random.default_rng(2))
    active.learn(z[2:4], z[2:4] @ SLOPE, np.array([2, 3]))
    assert np.isfinite(active.best()[0]).all()
