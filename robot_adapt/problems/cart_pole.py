"""Cart-pole with a biased angle sensor: NoRML's (arXiv 1903.01063; google-research `norml/envs/cartpole_sensor_bias_env.py`).

    theta'' = (g sin theta - cos theta (F + m l theta'^2 sin theta) / M) / (l (4/3 - m cos^2 theta / M))
    x''     = (F + m l theta'^2 sin theta - m l theta'' cos theta) / M
with M = cart + pole and l = half the pole's length (Florian 2007, eq. 23 and 24), by Euler's method as in Gym. A step earns 1
while |x| < 2.4 m and |theta| < 12 degrees. The bias is U(-10, 10) degrees, the start U(-0.05, 0.05): it differs between trials.
Ours: a linear policy in place of their network, F = 10 tanh(w . (x, x', theta + sensor bias, theta') + b).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray

State = tuple[float, float, float, float]
"""x (m), x' (m/s), theta (rad, 0 upright), theta' (rad/s)."""

GRAVITY = 9.8
CART_KG, POLE_KG = 1.0, 0.1
HALF_POLE_M = 0.5
STEP_S = 0.02
MAX_FORCE_N = 10.0
MAX_X_M, MAX_ANGLE_RAD = 2.4, math.radians(12.0)
MAX_BIAS_RAD = math.radians(10.0)

_TOTAL_KG = CART_KG + POLE_KG


def accelerations(theta: float, theta_dot: float, force_n: float) -> tuple[float, float]:
    """x'' and theta''."""
    sine, cosine = math.sin(theta), math.cos(theta)
    push = (force_n + POLE_KG * HALF_POLE_M * theta_dot * theta_dot * sine) / _TOTAL_KG
    inertia = HALF_POLE_M * (4.0 / 3.0 - POLE_KG * cosine * cosine / _TOTAL_KG)
    theta_ddot = (GRAVITY * sine - cosine * push) / inertia
    return push - POLE_KG * HALF_POLE_M * theta_ddot * cosine / _TOTAL_KG, theta_ddot


def step(state: State, force_n: float, step_s: float = STEP_S) -> State:
    """The state after one step."""
    x, x_dot, theta, theta_dot = state
    x_ddot, theta_ddot = accelerations(theta, theta_dot, force_n)
    return x + step_s * x_dot, x_dot + step_s * x_ddot, theta + step_s * theta_dot, theta_dot + step_s * theta_ddot


@dataclass(frozen=True)
class BiasedCartPole:
    """A Task: one bias of the sensor. The best return is the horizon."""

    bias_rad: float
    horizon: int

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        x, x_dot, angle, angle_dot = randomness.uniform(-0.05, 0.05, 4).tolist()
        return float(self.balanced(theta, (x, x_dot, angle, angle_dot)))

    def balanced(self, theta: FloatArray, state: State) -> int:
        """For how many steps parameters (5,) keep the pole up from a state."""
        w_x, w_x_dot, w_theta, w_theta_dot, b = theta.tolist()
        for done in range(self.horizon):
            x, x_dot, angle, angle_dot = state
            drive = w_x * x + w_x_dot * x_dot + w_theta * (angle + self.bias_rad) + w_theta_dot * angle_dot + b
            state = step(state, MAX_FORCE_N * math.tanh(drive))
            if not (abs(state[0]) < MAX_X_M and abs(state[2]) < MAX_ANGLE_RAD):
                return done
        return self.horizon


@dataclass(frozen=True)
class BiasedSensorCartPole:
    """A Problem."""

    horizon: int = 500

    @property
    def parameters(self) -> int:
        return 5

    def start(self) -> FloatArray:
        return np.zeros(5)

    def sample(self, randomness: np.random.Generator) -> BiasedCartPole:
        return BiasedCartPole(float(randomness.uniform(-MAX_BIAS_RAD, MAX_BIAS_RAD)), self.horizon)
