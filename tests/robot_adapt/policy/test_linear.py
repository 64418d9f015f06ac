from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hardware.types import FloatArray, ImuReading, RobotState
from robot_adapt.policy.linear import Controller, LinearPolicy
from robot_adapt.policy.normalizer import Normalizer
from tests.builders import SPEC, shipped_policy


def still() -> LinearPolicy:
    """The bare trajectory generator."""
    policy = shipped_policy()
    return replace(policy, weights=np.zeros_like(policy.weights), normalizer=Normalizer(np.zeros(14), np.ones(14)))


def state(roll_rad: float = 0.0) -> RobotState:
    imu = ImuReading(np.array([math.cos(roll_rad / 2), math.sin(roll_rad / 2), 0.0, 0.0]), np.array([0.1, 0.2, 0.3]))
    return RobotState(0.0, SPEC.stance_rad + np.arange(8) / 100, np.zeros(8), np.zeros(8), imu, 16.0)


def test_the_observation_is_in_the_order_of_its_names() -> None:
    policy = still()
    observation = dict(zip(policy.observation_names, Controller(policy, SPEC).observe(state(0.3)), strict=True))
    assert observation["roll"] == pytest.approx(0.3)
    assert observation["pitch"] == pytest.approx(0.0)
    assert (observation["roll_rate"], observation["pitch_rate"]) == (0.1, 0.2)
    assert (observation["phase_sin"], observation["phase_cos"]) == (0.0, 1.0)
    assert observation["motor_back_rightR_joint"] == pytest.approx(0.07)


def targets(policy: LinearPolicy, ticks: int) -> FloatArray:
    controller = Controller(policy, SPEC)
    return np.array([controller.act(controller.observe(state()), policy.period_s).positions_rad for _ in range(ticks)])


def test_without_weights_the_generator_trots_at_its_frequency() -> None:
    walked = targets(still(), 50)
    np.testing.assert_allclose(walked[:25], walked[25:], atol=1e-9)  # 2 Hz at 50 Hz: 25 ticks a cycle
    swing = (walked[:, 0::2] - walked[:, 1::2]) / 2 * [1, 1, -1, -1]
    np.testing.assert_allclose(swing[:, 0], swing[:, 3], atol=1e-9)  # diagonal legs together
    np.testing.assert_allclose(swing[:, 0], -swing[:, 1], atol=1e-9)  # the other pair half a cycle later
    assert np.abs(swing).max() == pytest.approx(0.3, abs=0.01)


def test_a_leg_shortens_only_while_it_swings_forward() -> None:
    walked = targets(still(), 25) - SPEC.stance_rad
    swing, extension = (walked[:, 0] - walked[:, 1]) / 2, (walked[:, 0] + walked[:, 1]) / 2
    forward = np.gradient(swing) > 0.005
    assert (extension[~forward & (np.gradient(swing) < -0.005)] > -0.06).all()
    assert extension[forward].min() == pytest.approx(-0.35, abs=0.01)


def test_actions_are_clipped() -> None:
    policy = still()
    weights = policy.weights.copy()
    weights[0, -1] = 1e6
    fastest = replace(policy, weights=weights)
    walked = targets(fastest, 200)
    np.testing.assert_allclose(walked[:100], walked[100:], atol=1e-9)  # 3.5 Hz, not more: 7 cycles in 100 ticks
    assert np.isfinite(walked).all()


def test_parameters_go_out_and_come_back() -> None:
    policy = shipped_policy()
    np.testing.assert_array_equal(policy.with_parameters(policy.parameters).weights, policy.weights)
    assert policy.parameters.shape == (150,)


def test_the_policy_sees_the_normalized_observation() -> None:
    """Roll alone drives the front left leg's swing; with mean 0.1 and std 0.5, a roll of 0.3 is 0.4 to the policy."""
    policy = still()
    weights = policy.weights.copy()
    weights[policy.action_names.index("swing_0"), policy.observation_names.index("roll")] = 1.0
    mean, std = np.zeros(14), np.ones(14)
    mean[0], std[0] = 0.1, 0.5
    normalized = replace(policy, weights=weights, normalizer=Normalizer(mean, std))

    def first_target(one: LinearPolicy) -> float:
        controller = Controller(one, SPEC)
        return float(controller.act(controller.observe(state(0.3)), one.period_s).positions_rad[0])

    assert first_target(normalized) - first_target(policy) == pytest.approx(0.4 * policy.trot.residual_rad)
