"""A point on a plane under a linear policy: what the navigation problems share (google-research `es_maml/task.py`).

    a = tanh(W s + b),    s <- clip(s + clip(a, -0.1, 0.1), -limit, limit),    s_0 = 0
theta = (W by rows, b), 6 numbers: `es_maml/policies.py`, DeterministicNumpyPolicy without hidden layers. Ours: noisy returns,
states that are not normalized.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from hardware.types import FloatArray

PARAMETERS = 6
SPEED = 0.1


@dataclass(frozen=True)
class PointTask:
    """A Task.

    Attributes:
        reward: of positions (t, 2), the one after each step, to what each of them earns (t,).
        limit: of either coordinate.
        horizon: steps.
        noise: standard deviation of a return.
        best: the highest return without noise, of any walk; None where it has no closed form.

    """

    reward: Callable[[FloatArray], FloatArray]
    limit: float
    horizon: int
    noise: float
    best: float | None

    def expected(self, theta: FloatArray) -> float:
        """The return of parameters (6,) without noise."""
        return float(self.reward(walk(theta, self.horizon, self.limit)).sum())

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        return self.expected(theta) + self.noise * float(randomness.standard_normal())


def walk(theta: FloatArray, horizon: int, limit: float, exploration: FloatArray | None = None) -> FloatArray:
    """Positions (horizon, 2) after each step: one by one, as each follows from the last; plain floats are fastest here.

    Exploration (horizon, 2) is added to W s + b.
    """
    w_xx, w_xy, w_yx, w_yy, b_x, b_y = theta.tolist()
    x = y = 0.0
    positions = []
    for e_x, e_y in repeat((0.0, 0.0), horizon) if exploration is None else exploration.tolist():
        a_x = math.tanh(w_xx * x + w_xy * y + b_x + e_x)
        a_y = math.tanh(w_yx * x + w_yy * y + b_y + e_y)
        x += SPEED if a_x > SPEED else -SPEED if a_x < -SPEED else a_x
        y += SPEED if a_y > SPEED else -SPEED if a_y < -SPEED else a_y
        x = limit if x > limit else -limit if x < -limit else x
        y = limit if y > limit else -limit if y < -limit else y
        positions.append((x, y))
    return np.array(positions)


def fastest(goal: FloatArray, horizon: int) -> FloatArray:
    """Positions (horizon, 2) of who is as near a goal (2,) as can be after every step: both axes at full speed, then still."""
    reach = SPEED * np.arange(1, horizon + 1)
    positions: FloatArray = np.sign(goal) * np.minimum(np.abs(goal), reach[:, None])
    return positions
