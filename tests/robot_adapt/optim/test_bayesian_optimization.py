from __future__ import annotations

import numpy as np

from hardware.types import FloatArray
from robot_adapt.optim.bayesian_optimization import BayesianOptimization, BayesianOptimizationConfig
from robot_adapt.optim.operators import make_operator

GOAL = np.array([0.3, -0.4])


def searched(noise: float, seed: int, trials: int = 25) -> FloatArray:
    config = BayesianOptimizationConfig(kind="bayesian_optimization", trials=trials, initial=5, sigma=0.3)
    operator, generator = make_operator(config, np.zeros(2), seed), np.random.default_rng(seed)
    while candidates := operator.ask():
        for candidate in candidates:
            value = -4.0 * float(np.square(candidate.parameters - GOAL).sum()) + noise * generator.standard_normal()
            operator.tell(candidate.id, value)
    return operator.best.parameters


def test_it_finds_the_top_of_a_hill_in_few_trials() -> None:
    assert np.mean([np.linalg.norm(searched(0.0, seed) - GOAL) for seed in range(5)]) < 0.05


def test_noise_as_large_as_half_the_hill_leaves_most_of_the_gain() -> None:
    gains = [1.0 - 4.0 * np.square(searched(0.5, seed) - GOAL).sum() for seed in range(10)]
    assert np.mean(gains) > 0.75


def test_the_choice_is_not_the_luckiest_trial_but_what_its_neighbours_speak_for() -> None:
    config = BayesianOptimizationConfig(kind="bayesian_optimization", trials=50, initial=40, sigma=0.3, noise=1.0)
    strategy = BayesianOptimization(config, 1)
    z = np.array([[0.1 * i - 2.0] for i in range(40)])
    values: FloatArray = np.where(z[:, 0] > 0.0, 1.0, 0.0)
    values[3] = 2.5  # luck, among the bad
    strategy.learn(z, values, np.arange(40))
    chosen, worth = strategy.best()
    assert chosen[0] > 0.0
    assert worth is not None
    assert worth < 1.5


def test_the_first_trials_are_the_start_and_mirrored_orthogonal_perturbations() -> None:
    config = BayesianOptimizationConfig(kind="bayesian_optimization", trials=9, initial=5, sigma=0.3)
    strategy = BayesianOptimization(config, 3)
    z = strategy.propose(0, np.random.default_rng(0))
    np.testing.assert_array_equal(z[0], np.zeros(3))
    np.testing.assert_array_equal(z[1::2], -z[2::2])
    assert abs(float(z[1] @ z[3])) < 1e-12
    assert list(strategy.rounds) == [0, 1, 2, 3, 4]


def test_fewer_trials_than_initial_ones_are_still_the_budget() -> None:
    config = BayesianOptimizationConfig(kind="bayesian_optimization", trials=3, initial=8, sigma=0.3)
    strategy = BayesianOptimization(config, 2)
    assert len(strategy.propose(0, np.random.default_rng(0))) == 3
    assert list(strategy.rounds) == [0]


def test_when_all_first_trials_were_aborted_it_goes_on() -> None:
    config = BayesianOptimizationConfig(kind="bayesian_optimization", trials=12, initial=5, sigma=0.3)
    operator = make_operator(config, np.zeros(2), 0)
    while candidates := operator.ask():
        for candidate in candidates:
            operator.tell(candidate.id, None if candidate.id < 5 else -float(np.square(candidate.parameters - GOAL).sum()))
    assert operator.best.value > -np.inf
