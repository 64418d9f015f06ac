"""Episodes of the problems whose trials have steps: what policy gradients need beside a return."""

from __future__ import annotations

import numpy as np

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient import Episode
from robot_adapt.errors import UserError
from robot_adapt.problems import cart_pole
from robot_adapt.problems.cart_pole import BiasedCartPole
from robot_adapt.problems.point_robot import PointTask, walk
from robot_adapt.problems.problem import Task


def problem_episode(task: Task, theta: FloatArray, std: float, randomness: np.random.Generator) -> Episode:
    """The task's trial with noise on what its policy puts into the tanh, N(W s + b, std^2 I)."""
    match task:
        case PointTask():
            return _point_episode(task, theta, std, randomness)
        case BiasedCartPole():
            return _cart_pole_episode(task, theta, std, randomness)
        case _:
            raise UserError("policy gradients need a problem whose trials have steps")


def _point_episode(task: PointTask, theta: FloatArray, std: float, randomness: np.random.Generator) -> Episode:
    layout = np.array([[0, 1, 4], [2, 3, 5]])  # theta is W by rows, then b
    exploration = std * randomness.standard_normal((task.horizon, 2))
    positions = walk(theta, task.horizon, task.limit, exploration)
    rewards = np.array(task.reward(positions), dtype=np.float64)
    rewards[-1] += task.noise * randomness.standard_normal()
    states = np.ones((task.horizon, 3))
    states[0, :2], states[1:, :2] = 0.0, positions[:-1]
    return Episode(states, exploration, rewards, layout)


def _cart_pole_episode(task: BiasedCartPole, theta: FloatArray, std: float, randomness: np.random.Generator) -> Episode:
    x, x_dot, angle, angle_dot = randomness.uniform(-0.05, 0.05, 4).tolist()
    exploration = std * randomness.standard_normal((task.horizon, 1))
    states, rewards = [], []
    for one in exploration[:, 0].tolist():
        states.append((x, x_dot, angle + task.bias_rad, angle_dot, 1.0))
        force_n = cart_pole.MAX_FORCE_N * np.tanh(float(theta @ states[-1]) + one)
        x, x_dot, angle, angle_dot = cart_pole.step((x, x_dot, angle, angle_dot), float(force_n))
        rewards.append(float(abs(x) < cart_pole.MAX_X_M and abs(angle) < cart_pole.MAX_ANGLE_RAD))
        if not rewards[-1]:
            break
    return Episode(np.array(states), exploration[: len(states)], np.array(rewards), np.arange(5)[None])
