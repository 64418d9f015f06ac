from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import load, shipped
from robot_adapt.lane import Lane
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.work import RowItem, SpecialistItem, measure_row, train_specialist
from tests.builders import shipped_policy
from tests.robot_adapt.repertoire.test_config import _config

_NOBODY = shipped_policy().parameters[None][:0]


def test_a_specialist_learns_its_own_task() -> None:
    rig = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig)
    weak = rig.dynamics.with_changes(strength={"front_left": 0.1})
    policy = shipped_policy()
    config = _config(
        specialist={
            "iterations": 12,
            "pairs": 4,
            "sigma": 0.05,
            "final_sigma": 0.02,
            "step": 0.06,
            "final_step": 0.03,
            "worlds": 1,
        }
    ).specialist
    specialist = train_specialist(SpecialistItem(policy, rig, (weak,), 1.0, policy.parameters, _NOBODY, config, 4, 1, 0))
    assert specialist.after > specialist.before + 0.02
    assert specialist.trials == config.trials + 8


@pytest.mark.parametrize(("trial_s", "searched_s"), [(None, 0.4), (0.2, 0.2)])
def test_a_specialist_is_measured_in_its_first_world_over_whole_trials(
    monkeypatch: pytest.MonkeyPatch, trial_s: float | None, searched_s: float
) -> None:
    rig, policy = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig), shipped_policy()
    worlds = tuple(rig.dynamics.with_changes(mass_ratio=ratio) for ratio in (0.9, 1.0, 1.1))
    met: list[tuple[float, float]] = []

    class SpyingLane(Lane):
        def __init__(self, policy: LinearPolicy, robot: SimulatedRobotConfig, trial_s: float, seed: int, purpose: str) -> None:
            met.append((robot.dynamics.mass_ratio, trial_s))
            super().__init__(policy, robot, trial_s, seed, purpose)

    monkeypatch.setattr("robot_adapt.repertoire.work.Lane", SpyingLane)
    config = _config().specialist.model_copy(update={"trial_s": trial_s})
    train_specialist(SpecialistItem(policy, rig, worlds, 0.4, policy.parameters, _NOBODY, config, 4, 1, 0))
    assert met == [(0.9, searched_s), (1.0, searched_s), (0.9, 0.4)]


def test_a_guided_specialist_searches_where_its_kin_differ() -> None:
    rig, policy = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig), shipped_policy()
    start = policy.parameters
    directions = np.random.default_rng(0).standard_normal((2, start.size))

    def moved(guide: FloatArray, guided: float) -> FloatArray:
        config = _config().specialist.model_copy(update={"guided": guided})
        return train_specialist(SpecialistItem(policy, rig, (rig.dynamics,), 0.4, start, guide, config, 2, 1, 0)).theta - start

    def off(step: FloatArray) -> float:
        """How much of a step is off the directions."""
        along = directions.T @ np.linalg.lstsq(directions.T, step)[0]
        return float(np.linalg.norm(step - along) / np.linalg.norm(step))

    assert off(moved(directions, 1.0)) < 1e-9
    assert 0.1 < off(moved(directions, 0.5)) < 0.95
    np.testing.assert_array_equal(moved(directions, 0.0), moved(_NOBODY, 0.0))
    np.testing.assert_array_equal(moved(_NOBODY, 0.5), moved(_NOBODY, 0.0))


def test_the_trace_is_that_of_the_robot_which_leaves_it_returns_those_of_the_other() -> None:
    serial, policy = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig), shipped_policy()
    closed = load(shipped("rigs", "minitaur_five_bar_training.yaml"), SimulatedRobotConfig)
    members = policy.parameters[None]
    both, one, other = (
        measure_row(RowItem(policy, robot, traced, 0.4, members, 2, 0, 0))
        for robot, traced in ((serial, closed), (serial, serial), (closed, closed))
    )
    np.testing.assert_array_equal(both.returns, one.returns)
    np.testing.assert_array_equal(both.trace, other.trace)
    assert not np.array_equal(both.returns, other.returns)
    assert both.trials == 3
