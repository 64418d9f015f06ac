from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.optim.ascent import SgdConfig
from robot_adapt.optim.guided_es import GuidedEs, GuidedEsConfig

DIMENSIONS = 8


def strategy(pairs: int, alpha: float = 0.5, memory: int = 2) -> GuidedEs:
    config = GuidedEsConfig(
        kind="guided_es",
        pairs=pairs,
        rounds=9,
        sigma=0.1,
        alpha=alpha,
        memory=memory,
        shaping="none",
        ascent=SgdConfig(step=1e-9),
    )
    return GuidedEs(config, DIMENSIONS)


def taught(guided: GuidedEs, slope: np.ndarray[tuple[int], np.dtype[np.float64]], round_: int) -> None:
    z = guided.propose(round_, np.random.default_rng(round_))
    guided.learn(z, z @ slope, np.arange(len(z)))


def test_perturbations_are_isotropic_until_something_guides_and_then_have_the_paper_s_covariance() -> None:
    guided = strategy(pairs=20_000, alpha=0.3)
    first = guided.propose(0, np.random.default_rng(0))[0::2]
    np.testing.assert_allclose(np.cov(first.T), np.eye(DIMENSIONS), atol=0.05)
    slope = np.zeros(DIMENSIONS)
    slope[2] = 1.0
    taught(guided, slope, 0)
    u = np.array(guided.state()["recent"]).T
    u /= np.linalg.norm(u)
    expected = 0.3 * np.eye(DIMENSIONS) + 0.7 * DIMENSIONS * u @ u.T
    g = guided.propose(1, np.random.default_rng(1))[0::2]
    np.testing.assert_allclose(np.cov(g.T), expected, atol=0.15)
    assert np.trace(expected) == pytest.approx(DIMENSIONS)


def test_the_guide_is_the_last_few_estimates() -> None:
    guided = strategy(pairs=2000)
    for round_, axis in enumerate((0, 3, 5)):
        taught(guided, np.eye(DIMENSIONS)[axis], round_)
    recent = np.array(guided.state()["recent"])
    assert len(recent) == 2
    assert np.abs(recent).argmax(axis=1).tolist() == [3, 5]


def test_more_memory_than_dimensions_is_no_more_than_all_of_them() -> None:
    guided = strategy(pairs=3, memory=50)
    for round_ in range(12):
        taught(guided, np.ones(DIMENSIONS), round_)
    assert guided.propose(12, np.random.default_rng(0)).shape == (6, DIMENSIONS)
