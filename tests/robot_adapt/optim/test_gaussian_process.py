from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.optim.gaussian_process import KernelName, correlation, fit


def data(n: int = 12, noise: float = 0.1) -> tuple[FloatArray, FloatArray]:
    generator = np.random.default_rng(0)
    z = generator.standard_normal((n, 2))
    values: FloatArray = 3.0 + np.sin(z[:, 0]) - 0.5 * z[:, 1] + noise * generator.standard_normal(n)
    return z, values


def distance(a: FloatArray, b: FloatArray) -> FloatArray:
    lengths: FloatArray = np.linalg.norm(a[:, None] - b, axis=2)
    return lengths


@pytest.mark.parametrize("kernel", ["matern", "rbf"])
def test_the_posterior_is_the_textbook_s(kernel: KernelName) -> None:
    z, values = data()
    points = np.random.default_rng(1).standard_normal((5, 2))
    found = fit(z, values, kernel)
    covariance = found.signal**2 * correlation(kernel, distance(z, z) / found.length) + found.noise**2 * np.eye(len(z))
    cross = found.signal**2 * correlation(kernel, distance(points, z) / found.length)
    inverse = np.linalg.inv(covariance)
    mean, sd = found.posterior(points)
    np.testing.assert_allclose(mean, found.mean + cross @ inverse @ (values - found.mean))
    np.testing.assert_allclose(np.square(sd), found.signal**2 - np.einsum("pi,ij,pj->p", cross, inverse, cross), rtol=1e-6)
    np.testing.assert_allclose(found.mean, inverse.sum(axis=0) @ values / inverse.sum())


def log_density(values: FloatArray, covariance: FloatArray, mean: float) -> float:
    _, log_determinant = np.linalg.slogdet(2.0 * np.pi * covariance)
    centred = values - mean
    return float(-0.5 * (centred @ np.linalg.solve(covariance, centred) + log_determinant))


def test_the_chosen_scales_are_the_most_probable_of_those_that_can_be_chosen() -> None:
    """By brute force: the density of the values, integrated over the mean, at the fit and with twice and half of each scale."""
    z, values = data(30)
    found = fit(z, values, "rbf", length=2.0)

    def evidence(signal: float, noise: float) -> float:
        covariance = signal**2 * correlation("rbf", distance(z, z) / 2.0) + noise**2 * np.eye(len(z))
        densities = [log_density(values, covariance, mean) for mean in np.linspace(-30.0, 30.0, 1201)]
        return float(np.logaddexp.reduce(densities))

    best = evidence(found.signal, found.noise)
    for signal, noise in ((2.0, 1.0), (0.5, 1.0), (1.0, 2.0), (1.0, 0.5)):
        assert best > evidence(signal * found.signal, noise * found.noise)


def test_kernels_are_one_at_zero_and_fall_off() -> None:
    for kernel in ("matern", "rbf"):
        values = correlation(kernel, np.array([0.0, 0.5, 1.0, 3.0]))
        assert values[0] == 1.0
        assert (np.diff(values) < 0.0).all()
    assert correlation("matern", np.array([1.0]))[0] == pytest.approx((1 + 5**0.5 + 5 / 3) * np.exp(-(5**0.5)))


def test_noise_is_told_from_structure() -> None:
    generator = np.random.default_rng(3)
    z = generator.standard_normal((60, 2))
    smooth = fit(z, z[:, 0] + 0.01 * generator.standard_normal(60), "matern")
    noisy = fit(z, z[:, 0] + 1.0 * generator.standard_normal(60), "matern")
    assert smooth.noise < 0.1 < 0.5 < noisy.noise < 2.0


def test_what_is_given_is_kept_and_one_value_is_enough() -> None:
    z, values = data()
    found = fit(z, values, "rbf", length=1.7, noise=0.3)
    assert (found.length, found.noise) == (1.7, 0.3)
    one = fit(z[:1], values[:1], "matern")
    mean, sd = one.posterior(z)
    assert mean[0] == pytest.approx(values[0])
    assert np.isfinite(sd).all()
