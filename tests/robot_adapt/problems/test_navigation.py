"""The point robot, four corners, 2-D navigation, combos: against steps taken by hand, closed forms and direct loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.problems.four_corners import CORNERS, FourCorners
from robot_adapt.problems.navigation_2d import Navigation2d
from robot_adapt.problems.navigation_combo import Combo, NavigationCombo, goal_positions
from robot_adapt.problems.point_robot import fastest, walk
from robot_adapt.randomness import generator


def _towards(goal: FloatArray, gain: float) -> FloatArray:
    """tanh(gain (goal - s))."""
    return np.array([-gain, 0.0, 0.0, -gain, gain * goal[0], gain * goal[1]])


def test_a_point_takes_the_steps_of_its_policy() -> None:
    theta = np.array([0.5, -0.3, 0.2, 0.4, 0.05, -0.04])
    first = np.tanh([0.05, -0.04])
    second = first + np.tanh([0.5 * first[0] - 0.3 * first[1] + 0.05, 0.2 * first[0] + 0.4 * first[1] - 0.04])
    np.testing.assert_allclose(walk(theta, 2, 5.0), [first, second], rtol=1e-14)


def test_exploration_is_added_to_what_goes_into_the_tanh() -> None:
    theta, exploration = np.array([0.5, -0.3, 0.2, 0.4, 0.05, -0.04]), np.array([[0.02, -0.01], [-0.03, 0.01]])
    first = np.tanh(np.array([0.05, -0.04]) + exploration[0])
    shifted = theta + np.array([0.0, 0.0, 0.0, 0.0, *exploration[1]])
    second = first + np.tanh(shifted[:4].reshape(2, 2) @ first + shifted[4:])
    np.testing.assert_allclose(walk(theta, 2, 5.0, exploration), [first, second], rtol=1e-14)


def test_a_point_is_no_faster_than_its_speed_and_stays_in_its_square() -> None:
    positions = walk(np.array([0.0, 0.0, 0.0, 0.0, 9.0, -9.0]), 60, 5.0)
    np.testing.assert_allclose(positions[:50, 0], 0.1 * np.arange(1, 51))
    assert positions[-1].tolist() == [5.0, -5.0]


@pytest.mark.parametrize("corner", range(4))
def test_in_four_corners_a_linear_policy_reaches_the_best_return_of_every_corner(corner: int) -> None:
    problem = FourCorners()
    task = problem.task(corner)
    assert task.best == pytest.approx(-(4.0 * 5 + 0.02 * sum(j * j for j in range(15))))  # 5 steps outside, then |s - corner|^2
    assert task.expected(_towards(np.array(CORNERS[corner]), 2.0)) == pytest.approx(task.best)
    assert task.expected(_towards(np.array(CORNERS[(corner + 1) % 4]), 2.0)) == problem.worst


def test_no_policy_beats_the_best_of_four_corners() -> None:
    task, randomness = FourCorners().task(0), generator(0, "test policies")
    better = _towards(np.array(CORNERS[0]), 1.0) + 0.5 * randomness.standard_normal((300, 6))
    values = [task.expected(theta) for theta in better]
    assert max(values) <= FourCorners().best + 1e-9
    assert max(values) > -80.0


def test_four_corners_says_nothing_near_its_start() -> None:
    assert len({FourCorners().task(corner).expected(np.zeros(6)) for corner in range(4)}) == 1


def test_all_corners_are_drawn_equally_often() -> None:
    randomness = generator(0, "test tasks")
    drawn = [FourCorners().sample(randomness).reward for _ in range(4000)]
    counts = [drawn.count(FourCorners().task(corner).reward) for corner in range(4)]
    assert sum(counts) == 4000
    assert max(abs(count - 1000) for count in counts) < 5 * math.sqrt(4000 * 0.25 * 0.75)


def test_a_return_has_the_noise_that_was_asked_for() -> None:
    task, randomness = FourCorners(noise=7.0).task(2), generator(0, "test trials")
    theta = _towards(np.array([-1.5, -1.5]), 0.2)
    values = np.array([task.value(theta, randomness) for _ in range(2000)])
    assert values.mean() == pytest.approx(task.expected(theta), abs=5 * 7.0 / math.sqrt(2000))
    assert values.std() == pytest.approx(7.0, rel=5 / math.sqrt(2 * 2000))


def test_2d_navigation_pays_minus_the_squared_distance_until_the_goal_is_reached() -> None:
    task = Navigation2d().task(np.array([0.35, 0.0]))
    # After steps to 0.1, 0.2, 0.3: the last one is within 0.1.
    expected = -(0.25**2 + 0.15**2 + 0.05**2)
    assert task.best == pytest.approx(expected)
    assert task.expected(_towards(np.array([0.35, 0.0]), 5.0)) == pytest.approx(expected)
    assert task.expected(np.zeros(6)) == pytest.approx(-100 * 0.35**2)


def test_no_policy_beats_the_best_of_2d_navigation_and_a_linear_one_comes_near() -> None:
    randomness = generator(0, "test policies")
    for _ in range(20):
        goal = randomness.uniform(-1.0, 1.0, 2)
        task = Navigation2d().task(goal)
        assert task.best is not None
        assert max(task.expected(_towards(goal, gain)) for gain in randomness.uniform(0.1, 3.0, 10)) <= task.best + 1e-12
        assert task.expected(_towards(goal, 1.0034)) == pytest.approx(task.best, rel=1e-2)  # tanh(1.0034 * 0.1) = 0.1


def test_goals_of_2d_navigation_fill_the_square() -> None:
    randomness = generator(0, "test tasks")
    goals = np.array([getattr(Navigation2d().sample(randomness).reward, "goal") for _ in range(2000)])  # noqa: B009
    assert np.abs(goals).max() <= 1.0
    np.testing.assert_allclose(goals.mean(axis=0), 0.0, atol=5 * math.sqrt(1.0 / 3.0 / 2000))
    np.testing.assert_allclose(np.square(goals).mean(axis=0), 1.0 / 3.0, atol=0.04)


def _combo_by_loop(goals: FloatArray, right: set[int], positions: FloatArray) -> list[float]:
    """The rules told step by step."""
    earned, visited = [], set[int]()
    for position in positions:
        total = 0.0
        for number, goal in enumerate(goals):
            square = float(((position - goal) ** 2).sum())
            if number not in right:
                total += 10_000.0 * min(0.0, square - 4.0)
            elif number not in visited:
                total += max(0.0, 4.0 - square) - 4.0
                if square < 0.01:
                    visited.add(number)
        earned.append(total)
    return earned


def test_combos_pay_what_their_rules_say() -> None:
    goals = goal_positions(6)
    there = fastest(goals[1], 40)
    back_and_on = np.vstack((there, np.linspace(goals[1], goals[2], 30), np.linspace(goals[2], goals[5], 30)))
    for right in ({1, 2}, {1, 5}, {0}, {0, 1, 2, 3, 4, 5}):
        earned = Combo(6, frozenset(right))(back_and_on)
        np.testing.assert_allclose(earned, _combo_by_loop(goals, right, back_and_on), atol=1e-9)
    assert Combo(6, frozenset({1, 2}))(back_and_on)[75] == 0.0  # both visited, no wrong one near


def test_combos_draw_every_set_of_goals_equally_often() -> None:
    randomness = generator(0, "test tasks")
    rewards = [NavigationCombo(4, 2).sample(randomness).reward for _ in range(3000)]
    counts = [rewards.count(reward) for reward in set(rewards)]
    assert len(counts) == 6
    assert max(abs(count - 500) for count in counts) < 5 * math.sqrt(3000 / 6 * 5 / 6)
