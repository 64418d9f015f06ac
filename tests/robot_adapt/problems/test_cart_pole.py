"""The cart-pole's physics against Lagrange's equations, its energy, and a step by hand; its tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot_adapt.problems import cart_pole
from robot_adapt.problems.cart_pole import BiasedCartPole, BiasedSensorCartPole, State, accelerations, step
from robot_adapt.randomness import generator

# Keeps cart and pole up wherever the sensor is not biased.
STABLE = np.array([0.1, 0.2, 2.0, 0.5, 0.0])


def _energy(state: State) -> float:
    """Of a cart and a uniform pole of 2 l, its moment of inertia about the pivot 4/3 m l^2."""
    _, x_dot, theta, theta_dot = state
    m, length, total = cart_pole.POLE_KG, cart_pole.HALF_POLE_M, cart_pole.CART_KG + cart_pole.POLE_KG
    kinetic = total * x_dot**2 / 2 + m * length * x_dot * theta_dot * math.cos(theta) + 2 / 3 * m * length**2 * theta_dot**2
    return kinetic + m * cart_pole.GRAVITY * length * math.cos(theta)


def test_accelerations_solve_the_equations_of_motion() -> None:
    m, length, total = cart_pole.POLE_KG, cart_pole.HALF_POLE_M, cart_pole.CART_KG + cart_pole.POLE_KG
    for theta, theta_dot, force in generator(0, "test states").uniform(-3.0, 3.0, (20, 3)).tolist():
        x_ddot, theta_ddot = accelerations(theta, theta_dot, force)
        cart = total * x_ddot + m * length * (theta_ddot * math.cos(theta) - theta_dot**2 * math.sin(theta))
        pole = m * length * (x_ddot * math.cos(theta) + 4 / 3 * length * theta_ddot - cart_pole.GRAVITY * math.sin(theta))
        assert cart == pytest.approx(force, abs=1e-12)
        assert pole == pytest.approx(0.0, abs=1e-12)


def test_energy_is_kept_without_force_as_steps_get_small() -> None:
    def drift(step_s: float) -> float:
        state = (0.0, 0.3, 0.4, -0.5)
        before = _energy(state)
        for _ in range(round(1.0 / step_s)):
            state = step(state, 0.0, step_s)
        return abs(_energy(state) - before)

    assert drift(1e-4) < 2e-3
    assert drift(1e-4) == pytest.approx(drift(2e-4) / 2, rel=0.05)  # Euler's method is of first order


def test_a_force_does_its_work() -> None:
    state, work = (0.0, 0.0, 0.1, 0.0), 0.0
    before = _energy(state)
    for _ in range(5000):
        after = step(state, 3.0, 1e-4)
        work += 3.0 * (after[0] - state[0])
        state = after
    assert _energy(state) - before == pytest.approx(work, rel=2e-3)


def test_a_step_by_hand() -> None:
    state = step((0.1, 0.2, 0.0, 0.0), 1.1)
    # Upright and at rest: push = 1, theta'' = -1 / (0.5 (4/3 - 1/11)), x'' = 1 + theta'' / -22.
    theta_ddot = -1.0 / (0.5 * (4 / 3 - 1 / 11))
    np.testing.assert_allclose(state, [0.104, 0.2 + 0.02 * (1.0 - 0.05 * theta_ddot / 1.1), 0.0, 0.02 * theta_ddot], rtol=1e-14)


def test_a_good_policy_balances_to_the_end_and_none_falls_soon() -> None:
    task = BiasedCartPole(0.0, 500)
    assert [task.value(STABLE, generator(0, "test trial", i)) for i in range(5)] == [500.0] * 5
    assert max(task.value(np.zeros(5), generator(0, "test trial", i)) for i in range(5)) < 200.0


def test_a_bias_is_felt_and_one_parameter_undoes_it() -> None:
    bias = math.radians(10.0)
    start = (0.0, 0.0, 0.0, 0.0)
    assert BiasedCartPole(bias, 500).balanced(STABLE, start) < 500
    undone = STABLE - np.array([0.0, 0.0, 0.0, 0.0, STABLE[2] * bias])
    assert BiasedCartPole(bias, 500).balanced(undone, start) == 500


def test_biases_are_up_to_ten_degrees_either_way() -> None:
    randomness = generator(0, "test tasks")
    biases = np.degrees([BiasedSensorCartPole().sample(randomness).bias_rad for _ in range(2000)])
    assert np.abs(biases).max() <= 10.0
    assert np.abs(biases).max() > 9.9
    assert biases.mean() == pytest.approx(0.0, abs=5 * 10.0 / math.sqrt(3 * 2000))
