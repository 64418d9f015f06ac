from __future__ import annotations

import json

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.ascent import AdamConfig, AscentConfig, MomentumConfig, SgdConfig, make_ascent

CONFIGS: list[AscentConfig] = [
    SgdConfig(step=0.1),
    MomentumConfig(kind="momentum", step=0.03),
    AdamConfig(kind="adam", step=0.05),
]
GRADIENTS = np.random.default_rng(0).standard_normal((6, 3))


def test_plain_steps_are_alpha_times_the_gradient() -> None:
    np.testing.assert_array_equal(make_ascent(CONFIGS[0], 3).step(GRADIENTS[0]), 0.1 * GRADIENTS[0])


def test_momentum_sums_past_gradients_geometrically() -> None:
    ascent = make_ascent(MomentumConfig(kind="momentum", step=2.0, beta=0.5), 3)
    for g in GRADIENTS:
        last = ascent.step(g)
    np.testing.assert_allclose(last, 2.0 * sum(0.5 ** (5 - i) * g for i, g in enumerate(GRADIENTS)))


def test_adam_s_first_step_is_the_gradient_s_sign_and_later_ones_follow_the_paper() -> None:
    ascent = make_ascent(AdamConfig(kind="adam", step=0.05, beta1=0.8, beta2=0.9), 3)
    np.testing.assert_allclose(ascent.step(GRADIENTS[0]), 0.05 * np.sign(GRADIENTS[0]), rtol=1e-6)
    second = ascent.step(GRADIENTS[1])
    m = (0.2 * 0.8 * GRADIENTS[0] + 0.2 * GRADIENTS[1]) / (1 - 0.8**2)
    v = (0.1 * 0.9 * GRADIENTS[0] ** 2 + 0.1 * GRADIENTS[1] ** 2) / (1 - 0.9**2)
    np.testing.assert_allclose(second, 0.05 * m / (np.sqrt(v) + 1e-8))


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_it_climbs_and_goes_on_identically_when_restored(config: AscentConfig) -> None:
    goal = np.array([1.0, -2.0, 0.5])
    theta: FloatArray = np.zeros(3)
    ascent = make_ascent(config, 3)
    for _ in range(300):
        theta = theta + ascent.step(goal - theta)
    np.testing.assert_allclose(theta, goal, atol=0.02)
    restored = make_ascent(config, 3)
    restored.restore(json.loads(json.dumps(ascent.state())))
    for g in GRADIENTS:
        np.testing.assert_array_equal(restored.step(g), ascent.step(g))
