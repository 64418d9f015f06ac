from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.errors import UserError
from robot_adapt.problems.cart_pole import BiasedCartPole
from robot_adapt.problems.episodes import problem_episode
from robot_adapt.problems.four_corners import FourCorners
from robot_adapt.problems.navigation_2d import Navigation2d
from robot_adapt.problems.noisy_quadratic import NoisyQuadratic
from robot_adapt.problems.point_robot import PointTask

TASKS = [FourCorners().task(2), Navigation2d().task(np.array([0.4, -0.7]))]
THETAS = [np.random.default_rng(seed).standard_normal(6) for seed in range(4)]


def no_chance() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("task", TASKS, ids=["four corners", "navigation"])
@pytest.mark.parametrize("theta", THETAS)
def test_without_exploration_a_point_s_episode_earns_what_its_trial_does(task: PointTask, theta: FloatArray) -> None:
    episode = problem_episode(task, theta, 0.0, no_chance())
    assert episode.rewards.sum() == pytest.approx(task.expected(theta))


@pytest.mark.parametrize("weights", [[0.5, 1.0, 9.0, 2.0, 0.1], [0.0, 0.0, 0.0, 0.0, 0.0]])
def test_without_exploration_a_pole_s_episode_is_as_long_as_its_trial(weights: list[float]) -> None:
    task, theta = BiasedCartPole(0.1, 200), np.array(weights)
    for seed in range(5):
        episode = problem_episode(task, theta, 0.0, np.random.default_rng(seed))
        assert episode.rewards.sum() == task.value(theta, np.random.default_rng(seed))
        assert len(episode.rewards) in (episode.rewards.sum() + 1, 200)


def test_actions_are_linear_in_the_states_of_the_episode_plus_exploration() -> None:
    theta, task = 0.05 * THETAS[0], FourCorners().task(0)
    episode = problem_episode(task, theta, 0.02, no_chance())
    actions = np.tanh(episode.states @ theta[episode.layout].T + episode.exploration)
    moves = np.diff(episode.states[:, :2], axis=0)
    np.testing.assert_allclose(moves, np.clip(actions, -0.1, 0.1)[:-1], atol=1e-12)
    assert episode.exploration.std() == pytest.approx(0.02, rel=0.2)


def test_the_return_s_noise_comes_with_the_last_step() -> None:
    quiet, noisy = (problem_episode(FourCorners(noise=noise).task(0), THETAS[0], 0.1, no_chance()) for noise in (0.0, 3.0))
    np.testing.assert_array_equal(quiet.rewards[:-1], noisy.rewards[:-1])
    assert quiet.rewards[-1] != noisy.rewards[-1]


def test_a_problem_without_steps_is_refused() -> None:
    problem = NoisyQuadratic()
    with pytest.raises(UserError, match="steps"):
        problem_episode(problem.sample(no_chance()), problem.start(), 0.1, no_chance())
