"""Sinusoid regression: the network against a layer-by-layer loop, the noise and tasks as stated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot_adapt.problems.sinusoid import Sinusoid, SinusoidRegression, predict
from robot_adapt.randomness import generator


def test_the_network_is_that_of_the_paper() -> None:
    assert SinusoidRegression().parameters == (1 + 1) * 40 + (40 + 1) * 40 + (40 + 1) * 1


def test_the_network_answers_as_units_do_one_by_one() -> None:
    theta = generator(1, "test theta").standard_normal(SinusoidRegression((3, 2)).parameters)
    w1, b1, w2, b2, w3, b3 = np.split(theta, [3, 6, 12, 14, 16])
    points = np.array([-3.0, -2.0, -1.0, -0.3, 0.0, 0.4, 1.1, 2.2, 3.0])
    answers = predict(theta, (1, 3, 2, 1), points)
    assert len(set(answers)) > 4  # not all units rest
    for x, answer in zip(points, answers, strict=True):
        first = [max(0.0, w1[i] * x + b1[i]) for i in range(3)]
        second = [max(0.0, sum(w2[3 * j + i] * first[i] for i in range(3)) + b2[j]) for j in range(2)]
        assert answer == pytest.approx(sum(w3[j] * second[j] for j in range(2)) + b3[0])


def test_a_network_without_hidden_layers_is_a_line() -> None:
    np.testing.assert_allclose(predict(np.array([2.0, 0.5]), (1, 1), np.array([0.0, 1.0])), [0.5, 2.5])


def test_saying_nothing_loses_the_power_of_the_curve() -> None:
    task = Sinusoid(2.0, 0.7, (1, 1), 100)
    randomness = generator(0, "test trials")
    values = np.array([task.value(np.zeros(2), randomness) for _ in range(2000)])
    # E sin^2(x - phase) for x ~ U(-5, 5).
    power = 0.5 - 0.5 * math.cos(2 * 0.7) * math.sin(10.0) / 10.0
    assert values.mean() == pytest.approx(-4.0 * power, abs=5 * values.std() / math.sqrt(2000))


def test_more_samples_make_a_return_less_noisy() -> None:
    few, many = (
        np.std([Sinusoid(2.0, 0.7, (1, 1), n).value(np.zeros(2), generator(1, "test trial", i)) for i in range(500)])
        for n in (25, 400)
    )
    assert few / many == pytest.approx(4.0, rel=0.25)


def test_amplitudes_and_phases_are_uniform_over_their_ranges() -> None:
    randomness = generator(2, "test tasks")
    tasks = [SinusoidRegression().sample(randomness) for _ in range(2000)]
    for drawn, low, high in (
        (np.array([task.amplitude for task in tasks]), 0.1, 5.0),
        (np.array([task.phase for task in tasks]), 0.0, math.pi),
    ):
        assert low <= drawn.min() < low + 0.02 * (high - low)
        assert high >= drawn.max() > high - 0.02 * (high - low)
        assert drawn.mean() == pytest.approx((low + high) / 2, abs=5 * (high - low) / math.sqrt(12 * 2000))
