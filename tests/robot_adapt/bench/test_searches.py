from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndErrorConfig
from robot_adapt.baselines.policy_gradient import Episode, Estimate, PolicyGradientConfig
from robot_adapt.bench import searches, work
from robot_adapt.bench.searches import MapSearch, content, searched
from robot_adapt.bench.work import AdaptationBout, Bout
from robot_adapt.lane import Lane
from robot_adapt.trial import Status, Trial
from tests.builders import shipped_policy, simulated_config

POLICY = shipped_policy()
START = POLICY.parameters
MAP = BehaviourMap(
    START + np.array([[0.0], [0.01], [-0.01]]), np.array([[0.2] * 4, [0.5] * 4, [0.8] * 4]), np.array([1.0, 1.2, 0.9]), 0.05
)
CLIMB = PolicyGradientConfig(episodes=3, steps=2, std=0.1, alpha=0.0001)


@pytest.fixture
def lane() -> Iterator[Lane]:
    with Lane(POLICY, simulated_config("minitaur_training"), 0.2, 3, "test") as lane:
        yield lane


def test_zero_shot_keeps_its_start_and_has_the_same_score_at_every_budget() -> None:
    bout = Bout(POLICY, simulated_config("minitaur_training"), 0.1, 2, "none", 0)
    start, *later = work.run(AdaptationBout(bout, None, (1, 5), 0.05))
    assert [(one.trials, one.return_m, one.falls) for one in later] == [(1, start.return_m, 0), (5, start.return_m, 0)]


def test_a_search_that_ends_early_is_scored_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fell = Trial(Status.FELL, "tilted", 0.0, 0.0, 0, {}, np.zeros((0, 1)))
    monkeypatch.setattr(work, "searched", lambda *_: iter([(fell, START), (fell, START), (fell, START + 0.3)]))
    bout = Bout(POLICY, simulated_config("minitaur_training"), 0.1, 2, "none", 0)
    start, *later = work.run(AdaptationBout(bout, None, (1, 5, 20), 0.05))
    assert [one.falls for one in later] == [1, 3, 3]
    assert [one.return_m == start.return_m for one in later] == [True, False, False]


def test_a_policy_gradient_stays_where_it_is_until_its_step_is_complete(lane: Lane) -> None:
    best = [theta for _, theta in searched(lane, POLICY, CLIMB, 0, repeat(0.0))]
    assert len(best) == CLIMB.trials
    assert [np.array_equal(one, START) for one in best] == [True, True, False, False, False, False]
    assert [np.array_equal(one, best[2]) for one in best] == [False, False, True, True, True, False]


def test_rewards_that_a_policy_gradient_is_told_add_up_to_the_noisy_return(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Episode] = []

    def ascend(tried: list[Episode], theta: FloatArray, _: PolicyGradientConfig) -> tuple[FloatArray, Estimate | None]:
        told.extend(tried)
        return theta, None

    monkeypatch.setattr(searches, "ascend", ascend)
    noise_m = [0.3, -0.2, 0.1, 0.0, 0.0, 0.0]
    values = [trial.value or np.nan for trial, _ in searched(lane, POLICY, CLIMB, 0, iter(noise_m))]
    np.testing.assert_allclose([one.rewards.sum() for one in told], np.add(values, noise_m))
    quiet, loud = told[3].rewards, told[0].rewards
    assert quiet.size == loud.size
    assert loud[0] - quiet[0] == pytest.approx(0.3 / loud.size, abs=0.01)  # from the first tick on


def test_an_exploring_trial_meets_the_disturbances_of_its_index(lane: Lane) -> None:
    trial, episode = lane.explored(START, 1e-9, 0, 5)
    assert trial.value == pytest.approx(lane.value(START, 0, 5), abs=1e-5)
    assert trial.value != pytest.approx(lane.value(START, 0, 6), abs=1e-5)
    assert len(episode.rewards) == 10
    assert lane.trials == 3


def test_a_map_is_searched_from_its_best_behaviour_on(lane: Lane) -> None:
    search = MapSearch(TrialAndErrorConfig(trials=4, alpha=None), MAP)
    best = [theta for _, theta in searched(lane, POLICY, search, 0, repeat(0.0))]
    assert len(best) == 4
    np.testing.assert_array_equal(best[0], MAP.behaviours[1])


def test_a_bout_on_a_map_is_known_by_the_map_s_content() -> None:
    config = TrialAndErrorConfig(trials=4)
    other = BehaviourMap(MAP.behaviours, MAP.descriptors, MAP.returns + 0.1, MAP.noise_sd)
    contents = [content(MapSearch(config, MAP)), content(MapSearch(config, other)), content(CLIMB), content(None)]
    assert len({str(one) for one in contents}) == 4
    assert content(MapSearch(config, MAP)) == contents[0]
