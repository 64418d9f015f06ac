from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from cmaes import CMA

from hardware.types import FloatArray
from robot_adapt.errors import UserError
from robot_adapt.optim.cma_es import CmaEs, CmaEsConfig

CONFIG = CmaEsConfig(kind="cma_es", population=6, rounds=8, sigma=0.1)
ALL = np.arange(6)


def value(z: FloatArray) -> FloatArray:
    quadratic: FloatArray = -np.square(z - [1.0, 0.0, -1.0]).sum(axis=1)
    return quadratic


def test_it_goes_where_the_library_goes_minimizing_the_opposite() -> None:
    strategy, library = CmaEs(CONFIG, 3), CMA(mean=np.zeros(3), sigma=1.0, population_size=6)
    for round_ in range(CONFIG.rounds):
        z = strategy.propose(round_, np.random.default_rng(round_))
        strategy.learn(z, value(z), ALL)
        library.tell([(row, -one) for row, one in zip(z, value(z), strict=True)])
    np.testing.assert_array_equal(strategy.best()[0], library.mean)
    assert np.linalg.norm(strategy.best()[0] - [1.0, 0.0, -1.0]) < 0.6


def test_its_state_is_json_and_brings_covariance_and_paths_back() -> None:
    strategy, restored = CmaEs(CONFIG, 3), CmaEs(CONFIG, 3)
    for round_ in range(5):
        z = strategy.propose(round_, np.random.default_rng(round_))
        strategy.learn(z, value(z), ALL)
    restored.restore(json.loads(json.dumps(strategy.state(), allow_nan=False)))
    for round_ in range(5, 8):
        z, again = (one.propose(round_, np.random.default_rng(round_)) for one in (strategy, restored))
        np.testing.assert_array_equal(z, again)
        strategy.learn(z, value(z), ALL)
        restored.learn(z, value(z), ALL)


def test_scored_candidates_stand_in_for_aborted_ones_over_all_ranks() -> None:
    strategy, library = CmaEs(CONFIG, 3), CMA(mean=np.zeros(3), sigma=1.0, population_size=6)
    z = strategy.propose(0, np.random.default_rng(0))
    strategy.learn(z[[1, 4, 5]], np.array([2.0, 3.0, 1.0]), np.array([1, 4, 5]))
    library.tell([(z[i], -v) for i, v in ((4, 3.0), (4, 3.0), (1, 2.0), (1, 2.0), (5, 1.0), (5, 1.0))])
    np.testing.assert_allclose(strategy.best()[0], library.mean)


def test_one_scored_candidate_is_compared_with_nothing() -> None:
    strategy = CmaEs(CONFIG, 3)
    z = strategy.propose(0, np.random.default_rng(0))
    strategy.learn(z[:1], np.array([5.0]), np.array([0]))
    np.testing.assert_array_equal(strategy.best()[0], np.zeros(3))


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(UserError, match=r"robot-adapt\[optim\]"):
        CmaEs(CONFIG, 3)
