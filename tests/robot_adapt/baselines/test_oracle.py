from __future__ import annotations

from itertools import pairwise

import numpy as np

from hardware.types import FloatArray
from robot_adapt.baselines.oracle import OracleConfig, climb
from robot_adapt.lane import Lane
from tests.builders import shipped_policy, simulated_config

GOAL = np.full(10, 0.5)


class Hill:
    """-|theta - goal|^2, as a Lane has it; without noise."""

    def __init__(self) -> None:
        self.measured: list[FloatArray] = []

    def value(self, theta: FloatArray) -> float:
        return -float(np.square(theta - GOAL).sum())

    def mean(self, theta: FloatArray, trials: int, *index: int) -> float:
        self.measured.append(theta)
        return self.value(theta)

    def differences(self, theta: FloatArray, steps: FloatArray, *index: int) -> FloatArray:
        return np.array([self.value(theta + one) - self.value(theta - one) for one in steps])


def test_it_climbs_until_it_stops_improving_and_says_so() -> None:
    config = OracleConfig(pairs=10, sigma=0.05, step=0.1, every=5, worth_m=0.001)
    theta, checks, settled = climb(Hill(), np.zeros(10), config, 0, 0)
    assert settled
    assert checks[0] == -2.5
    assert max(checks) > -0.02
    assert Hill().value(theta) > max(checks) - config.worth_m


def test_where_nothing_is_better_it_stays_and_stops_after_the_stated_number_of_measurements() -> None:
    config = OracleConfig(pairs=4, sigma=0.05, step=0.1, every=5, patience=2, halvings=3)
    theta, checks, settled = climb(Hill(), GOAL, config, 0, 0)
    np.testing.assert_array_equal(theta, GOAL)
    assert (len(checks), settled) == (1 + 2 * 3, True)


def test_each_halving_goes_on_from_the_best_with_half_the_step() -> None:
    hill, config = Hill(), OracleConfig(pairs=4, sigma=0.05, step=0.1, every=1, patience=1, halvings=4)
    climb(hill, GOAL, config, 0, 0)
    lengths = [np.linalg.norm(theta - GOAL) for theta in hill.measured[1:]]
    assert all(0.2 < after / before < 1.1 for before, after in pairwise(lengths))
    assert lengths[-1] < 0.3 * lengths[0]


def test_a_search_that_ran_out_of_iterations_is_not_settled() -> None:
    _, checks, settled = climb(Hill(), np.zeros(10), OracleConfig(pairs=4, sigma=0.05, step=0.1, most=20, every=10), 0, 0)
    assert (len(checks), settled) == (3, False)


def test_on_a_hobbled_robot_it_spends_the_trials_that_its_config_says() -> None:
    rig, policy = simulated_config("minitaur_training"), shipped_policy()
    weak = rig.model_copy(update={"dynamics": rig.dynamics.with_changes(strength={"front_left": 0.1})})
    config = OracleConfig(pairs=2, sigma=0.05, step=0.05, most=4, every=2, check=2)
    with Lane(policy, weak, 0.2, 1, "oracle trial") as lane:
        theta, checks, _ = climb(lane, policy.parameters, config, 1, 0)
        assert lane.trials == 4 * 2 * 2 + 3 * 2
        assert max(checks) == lane.mean(theta, 2, 0, 2**31)
