from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndError, TrialAndErrorConfig

# Along one descriptor, in simulation the further the better; on the robot what is past 0.5 falls.
DESCRIPTORS: FloatArray = np.linspace(0.0, 1.0, 21)[:, None].astype(np.float64)
SIMULATED: FloatArray = 1.0 + DESCRIPTORS[:, 0]
MAP = BehaviourMap(np.column_stack((DESCRIPTORS, DESCRIPTORS**2)), DESCRIPTORS, SIMULATED, noise_sd=0.03)


def real(parameters: FloatArray) -> float:
    x = float(parameters[0])
    return 1.0 + x if x < 0.52 else 0.2


def tried(operator: TrialAndError) -> list[float]:
    xs = []
    while candidates := operator.ask():
        (one,) = candidates
        xs.append(float(one.parameters[0]))
        operator.tell(one.id, real(one.parameters))
    return xs


def test_the_first_trial_is_what_simulation_likes_best() -> None:
    assert tried(TrialAndError(TrialAndErrorConfig(trials=1), MAP)) == [1.0]


def test_after_each_trial_mean_and_deviation_are_the_paper_s_equations() -> None:
    config = TrialAndErrorConfig(trials=6, rho=0.3, signal=0.7, noise=0.1, alpha=None)
    operator, outcomes, indices = TrialAndError(config, MAP), [], []
    for _ in range(4):
        (one,) = operator.ask()
        indices.append(round(20 * float(one.parameters[0])))
        outcomes.append(real(one.parameters))
        operator.tell(one.id, outcomes[-1])
    distances = np.sqrt(5.0) * np.abs(DESCRIPTORS - DESCRIPTORS.T) / 0.3
    k = 0.49 * (1.0 + distances + distances**2 / 3.0) * np.exp(-distances)
    inverse = np.linalg.inv(k[np.ix_(indices, indices)] + 0.01 * np.eye(4))
    mean = SIMULATED + k[:, indices] @ inverse @ (np.array(outcomes) - SIMULATED[indices])
    variance = np.diag(k) - np.einsum("ij,jk,ik->i", k[:, indices], inverse, k[:, indices])
    upper = mean + config.kappa * np.sqrt(variance)
    assert float(operator.ask()[0].parameters[0]) == DESCRIPTORS[upper.argmax(), 0]
    assert operator.best.value == pytest.approx(mean[indices].max())


def test_it_leaves_what_falls_and_stops_when_nothing_better_is_to_be_expected() -> None:
    operator = TrialAndError(TrialAndErrorConfig(trials=40, rho=0.2), MAP)
    xs = tried(operator)
    assert len(xs) < 12
    assert all(real(np.array([x])) == 0.2 for x in xs[:-1])
    assert real(operator.best.parameters) > 1.0


def test_without_a_stop_rule_it_spends_its_budget() -> None:
    assert len(tried(TrialAndError(TrialAndErrorConfig(trials=15, alpha=None), MAP))) == 15


def test_a_behaviour_whose_trial_was_aborted_is_not_tried_again() -> None:
    operator = TrialAndError(TrialAndErrorConfig(trials=30, alpha=None), MAP)
    xs = []
    while candidates := operator.ask():
        xs.append(float(candidates[0].parameters[0]))
        operator.tell(candidates[0].id, None)
    assert sorted(xs[:21]) == sorted(DESCRIPTORS[:, 0])
    assert xs[21:] == [0.0] * 9  # nothing is left but the policy itself


def test_its_start_is_the_policy_around_which_the_map_was_made() -> None:
    best = TrialAndError(TrialAndErrorConfig(trials=3), MAP).best
    np.testing.assert_array_equal(best.parameters, MAP.behaviours[0])
    assert best.value == -np.inf


def test_why_says_what_is_expected() -> None:
    assert TrialAndError(TrialAndErrorConfig(trials=3, signal=0.5), MAP).ask()[0].why == "behaviour 20: expected 2.00 +- 0.50 m"
