from __future__ import annotations

import numpy as np
import pytest

from sim.sensors import DelayLine, NoiseLevels, NoiseSource


def delayed(delay_s: float, samples: int) -> float:
    line = DelayLine(delay_s, 0.002)
    for step in range(samples):
        line.push((float(step),))
    return line.delayed()[0]


def test_no_delay_gives_the_newest() -> None:
    assert delayed(0.0, 5) == 4.0


def test_a_delay_of_whole_steps_gives_an_old_sample() -> None:
    assert delayed(0.006, 10) == 6.0


def test_a_delay_between_steps_is_interpolated() -> None:
    assert delayed(0.003, 10) == pytest.approx(7.5)


def test_before_enough_samples_the_oldest_stands_for_all() -> None:
    assert delayed(0.02, 1) == 0.0
    assert delayed(0.02, 5) == 0.0


def test_clearing_forgets() -> None:
    line = DelayLine(0.004, 0.002)
    for value in (1.0, 2.0, 3.0):
        line.push((value,))
    line.clear()
    line.push((9.0,))
    assert line.delayed() == (9.0,)


def test_noise_has_the_levels_asked_for_and_follows_its_generator() -> None:
    source = NoiseSource(NoiseLevels(joint_rad=0.01, orientation_rad=0.02, gyro_rad_s=0.1), joints=8)
    source.restart(np.random.default_rng(1))
    draws = [np.concatenate(source.draw()) for _ in range(4000)]
    np.testing.assert_allclose(np.std(draws, axis=0), [0.01] * 8 + [0.02] * 3 + [0.1] * 3, rtol=0.06)
    source.restart(np.random.default_rng(1))
    np.testing.assert_array_equal(np.concatenate(source.draw()), draws[0])
