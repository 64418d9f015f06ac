from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.baselines.exploration import adapt_on_robot, explored_trial
from robot_adapt.baselines.policy_gradient import Episode, Estimate, PolicyGradientConfig, coefficients
from robot_adapt.baselines.policy_gradient_maml import (
    PolicyGradientItem,
    PolicyGradientStageConfig,
    adapt_in,
    policy_meta_gradient,
)
from robot_adapt.errors import UserError
from robot_adapt.meta.arena import ProblemArena, ProblemWorld
from robot_adapt.meta.es_maml import EsMaml, train
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.plan import Plan
from robot_adapt.meta.robot_arena import RobotWorld
from robot_adapt.optim.ascent import AdamConfig
from robot_adapt.policy.normalizer import Moments
from robot_adapt.policy.trajectory_generator import TrotGenerator
from robot_adapt.problems.navigation_2d import Navigation2d
from robot_adapt.problems.noisy_quadratic import NoisyQuadratic
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial
from tests.builders import SPEC, mock_rig, shipped_policy, simulated_config

POLICY = shipped_policy()
LAYOUT = np.arange(4).reshape(2, 2)
STD, ALPHA = 0.3, 0.05


@dataclass
class Replay:
    """A world whose episodes are given; it remembers with which theta each was asked for."""

    episodes: list[Episode]
    asked: list[FloatArray]
    moments = Moments.empty(0)

    def open(self) -> Replay:
        return self

    def trial(self, theta: FloatArray, noise: np.random.Generator) -> float:
        raise NotImplementedError

    def explore(self, theta: FloatArray, std: float, noise: np.random.Generator) -> Episode:
        self.asked.append(theta)
        return self.episodes[len(self.asked) - 1]

    def close(self) -> None: ...


def _episodes(count: int) -> list[Episode]:
    randomness = np.random.default_rng(4)
    return [
        Episode(
            randomness.standard_normal((5, 2)), STD * randomness.standard_normal((5, 2)), randomness.standard_normal(5), LAYOUT
        )
        for _ in range(count)
    ]


def _gradient_elsewhere(episodes: list[Episode], tried_with: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """grad J at any theta of episodes that were tried with another one, by its definition as a sum of weighted scores."""
    credit, _ = coefficients(episodes)

    def gradient(theta: FloatArray) -> FloatArray:
        total = np.zeros(theta.size)
        for e, c in zip(episodes, credit, strict=True):
            actions = e.states @ tried_with[LAYOUT].T + e.exploration
            off = actions - e.states @ theta[LAYOUT].T
            log_ratio = (np.square(e.exploration) - np.square(off)).sum(axis=1) / (2.0 * STD**2)
            scores = (off[:, :, None] * e.states[:, None, :] / STD**2).reshape(len(c), -1)
            total += (c * np.exp(np.cumsum(log_ratio))) @ np.cumsum(scores, axis=0)
        return total / len(episodes)

    return gradient


def _objective_elsewhere(episodes: list[Episode], tried_with: FloatArray) -> Callable[[FloatArray], float]:
    credit, _ = coefficients(episodes)

    def value(theta: FloatArray) -> float:
        total = 0.0
        for e, c in zip(episodes, credit, strict=True):
            off = e.states @ (tried_with - theta)[LAYOUT].T + e.exploration
            total += float(c @ np.exp(np.cumsum((np.square(e.exploration) - np.square(off)).sum(axis=1) / (2.0 * STD**2))))
        return total / len(episodes)

    return value


@pytest.mark.parametrize("steps", [1, 2])
def test_the_meta_gradient_is_that_of_the_sampled_objective_after_adaptation(steps: int) -> None:
    episodes, start = _episodes(3 * (steps + 1)), np.array([0.2, -0.1, 0.4, 0.3])
    parts = [episodes[3 * i : 3 * i + 3] for i in range(steps + 1)]
    config = PolicyGradientConfig(episodes=3, steps=steps, std=STD, alpha=ALPHA, standardize=False)
    world = Replay(episodes, [])
    result = policy_meta_gradient(PolicyGradientItem(world, start, config, True, 0, ()))
    tried_with = world.asked[::3]

    def after_adaptation(theta: FloatArray) -> float:
        for part, then in zip(parts[:-1], tried_with, strict=False):
            theta = theta + ALPHA * _gradient_elsewhere(part, then)(theta)
        return _objective_elsewhere(parts[-1], tried_with[-1])(theta)

    h = 1e-5
    numeric = [(after_adaptation(start + h * e) - after_adaptation(start - h * e)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(result.gradient, numeric, rtol=1e-5)
    assert result.trials == len(world.asked) == 3 * (steps + 1)


def test_first_order_leaves_the_hessian_out() -> None:
    config = PolicyGradientConfig(episodes=3, steps=1, std=STD, alpha=ALPHA)
    item = PolicyGradientItem(Replay(_episodes(6), []), np.zeros(4), config, False, 0, ())
    expected = Estimate(_episodes(6)[3:], STD, True).gradient
    np.testing.assert_array_equal(policy_meta_gradient(item).gradient, expected)


def test_meta_training_on_navigation_learns_to_adapt() -> None:
    """With a step so long that adapting from the start overshoots."""
    problem, config = Navigation2d(horizon=30), PolicyGradientConfig(episodes=20, steps=1, std=0.1, alpha=0.006)
    stage = PolicyGradientStageConfig(
        kind="policy_gradient_maml", name="s", iterations=25, tasks=8, step=1.0, final_step=0.2, adaptation=config,
        ascent=AdamConfig(kind="adam", step=0.02),
    )  # fmt: skip
    plan = Plan(seed=1, stages=(stage,))
    state = train(EsMaml(plan, ProblemArena(problem), InProcessExecutor()), 25)
    assert state.trials == sum(plan.trials_in(k) for k in range(25)) == 25 * 8 * 40

    def gained(theta: FloatArray) -> float:
        tasks = [problem.sample(np.random.default_rng([5, i])) for i in range(20)]
        adapted = [adapt_in(ProblemWorld(task), theta, config, 7, (i,)) for i, task in enumerate(tasks)]
        return float(np.mean([task.expected(one) for task, one in zip(tasks, adapted, strict=True)]))

    assert gained(state.theta) > gained(np.zeros(6)) + 3.0


def test_a_problem_without_steps_is_refused_in_one_line() -> None:
    problem, config = NoisyQuadratic(), PolicyGradientConfig(episodes=2, steps=1, std=0.1, alpha=0.1)
    world = ProblemWorld(problem.sample(np.random.default_rng(0)))
    with pytest.raises(UserError, match="steps"):
        adapt_in(world, problem.start(), config, 0)


def test_a_robot_explores_in_every_tick_and_its_rewards_sum_to_the_return() -> None:
    rig, noise = mock_rig(1.5), np.random.default_rng(1)
    trial, episode = explored_trial(rig, POLICY, 0.2, 0.4, noise)
    assert trial.value == 1.5
    assert episode.exploration.shape == (20, 10)
    assert episode.exploration.std() == pytest.approx(0.2, rel=0.2)
    np.testing.assert_allclose(episode.states[:, :-1], POLICY.normalizer(trial.observations))
    assert episode.rewards.sum() == pytest.approx(1.5)
    assert np.count_nonzero(episode.rewards) == 1  # nobody saw how far it came in between


def test_what_the_joints_did_in_a_tick_is_what_its_state_and_exploration_ask_for() -> None:
    trial, episode = explored_trial(mock_rig(), POLICY, 0.2, 0.4, np.random.default_rng(1))
    gait = TrotGenerator(POLICY.trot)
    actions = np.clip(episode.states @ POLICY.weights.T + episode.exploration, -1.0, 1.0)
    offsets = [gait.step(POLICY.period_s, action) for action in actions]
    np.testing.assert_allclose(trial.telemetry["target_rad"], SPEC.stance_rad + np.array(offsets), atol=1e-5)


def test_exploration_moves_the_joints_and_none_is_the_policy_s_own_trial() -> None:
    def targets(std: float) -> FloatArray:
        trial, _ = explored_trial(mock_rig(), POLICY, std, 0.2, np.random.default_rng(1))
        return trial.telemetry["target_rad"].astype(np.float64)

    rig = mock_rig()
    own = rollout(rig.robot, rig.clock, POLICY, rig.returns, 0.2).telemetry["target_rad"]
    np.testing.assert_array_equal(targets(0.0), own)
    assert np.abs(targets(0.2) - own).max(axis=1).min() > 0.0


def test_an_aborted_trial_leaves_an_empty_episode() -> None:
    trial, episode = explored_trial(mock_rig(fault=lambda: "no answer"), POLICY, 0.2, 0.4, np.random.default_rng(1))
    assert trial.value is None
    assert len(episode.rewards) == len(episode.states) == len(episode.exploration) == 0


def test_in_simulation_rewards_follow_the_base() -> None:
    world = RobotWorld(POLICY, simulated_config("minitaur_training"), 0.4).open()
    try:
        episode = world.explore(POLICY.parameters, 0.1, np.random.default_rng(2))
    finally:
        world.close()
    assert np.count_nonzero(episode.rewards) > 10
    assert world.moments.count == 20


def test_a_robot_adapts_with_the_budget_it_was_given() -> None:
    config = PolicyGradientConfig(episodes=3, steps=2, std=0.1, alpha=0.01)
    trials: list[Trial] = []
    rig = mock_rig()
    same = [adapt_on_robot(rig, POLICY, config, 0.1, seed, trials.append) for seed in (1, 1, 2)]
    assert len(trials) == 3 * config.trials
    np.testing.assert_array_equal(same[0], same[1])
    assert np.isfinite(same[2]).all()


def test_a_stage_of_it_trains_a_robot() -> None:
    config = PolicyGradientConfig(episodes=2, steps=1, std=0.1, alpha=0.01)
    world = RobotWorld(POLICY, simulated_config("minitaur_training"), 0.2)
    result = policy_meta_gradient(PolicyGradientItem(world, POLICY.parameters, config, True, 1, (0,)))
    assert result.gradient.shape == POLICY.parameters.shape
    assert np.isfinite(result.gradient).all()
    assert result.trials == 4
