"""Gaussian-process regression of noisy values at few points, in closed form (Rasmussen & Williams 2006, chapters 2 and 5).

y = m + f(z) + noise, f ~ GP(0, s^2 k(|z - z'| / l)). What is not given of l, s and the noise is the most probable on a grid, m
integrated out: few trials say little about them, and a grid cannot run away. A priori l is lognormal and grows with sqrt(k), as
distances in R^k do (arXiv 2402.02229); without it, noise is too easily taken for structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray

KernelName = Literal["matern", "rbf"]

_LENGTHS = np.geomspace(0.5, 6.0, 8)  # times sqrt(k)
_LENGTH_MEDIAN, _LENGTH_LOG_SD = 3.0, 0.5  # times sqrt(k); of its logarithm
_SIGNALS = np.geomspace(0.25, 4.0, 5)  # times the values' standard deviation
_NOISES = np.geomspace(0.05, 2.0, 8)  # times the values' standard deviation


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """What `fit` found.

    Attributes:
        z: points (n, k).
        mean, length, signal, noise: m, l, s and the noise's standard deviation.
        eigenvectors: Q (n, n) of s^2 K + noise^2 I = Q diag(eigenvalues) Q^T.
        eigenvalues: (n,).
        residuals: Q^T (y - m), (n,).

    """

    kernel: KernelName
    z: FloatArray
    mean: float
    length: float
    signal: float
    noise: float
    eigenvectors: FloatArray
    eigenvalues: FloatArray
    residuals: FloatArray

    def posterior(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of m + f, free of noise, at points (p, k) (eq. 2.25 and 2.26)."""
        cross = self.signal**2 * correlation(self.kernel, _distances(points, self.z) / self.length) @ self.eigenvectors
        variance = self.signal**2 - (np.square(cross) / self.eigenvalues).sum(axis=1)
        return self.mean + cross @ (self.residuals / self.eigenvalues), np.sqrt(np.maximum(variance, 0.0))


def correlation(kernel: KernelName, distances: FloatArray) -> FloatArray:
    """k of distances in units of l: Matern 5/2 (eq. 4.17) or the radial basis function (eq. 4.9)."""
    if kernel == "rbf":
        return np.exp(-0.5 * np.square(distances))
    scaled = np.sqrt(5.0) * distances
    matern: FloatArray = (1.0 + scaled + np.square(scaled) / 3.0) * np.exp(-scaled)
    return matern


def fit(
    z: FloatArray, values: FloatArray, kernel: KernelName, length: float | None = None, noise: float | None = None
) -> GaussianProcess:
    """The process given values (n,) at points z (n, k); length and noise are fitted where None."""
    spread = float(values.std()) or 1.0
    lengths = _LENGTHS * np.sqrt(z.shape[1]) if length is None else np.array([length])
    noises = _NOISES * spread if noise is None else np.array([noise])
    distances = _distances(z, z)
    fits = [_fit_scales(kernel, z, values, distances, float(one), _SIGNALS * spread, noises) for one in lengths]
    log_priors = -0.5 * np.square(np.log(lengths / (_LENGTH_MEDIAN * np.sqrt(z.shape[1]))) / _LENGTH_LOG_SD)
    return max(zip(fits, log_priors, strict=True), key=lambda found: found[0][0] + found[1])[0][1]


def _fit_scales(
    kernel: KernelName, z: FloatArray, values: FloatArray, distances: FloatArray,
    length: float, signals: NDArray[np.floating[Any]], noises: NDArray[np.floating[Any]],
) -> tuple[float, GaussianProcess]:  # fmt: skip
    """The log evidence (eq. 5.8, with m integrated out: eq. 2.45) of the best s and noise for a length, and the process."""
    eigenvalues, eigenvectors = np.linalg.eigh(correlation(kernel, distances / length))
    # (signals, noises, n): one eigendecomposition serves them all.
    scaled = np.square(signals)[:, None, None] * np.maximum(eigenvalues, 0.0) + np.square(noises)[:, None]
    y, ones = values @ eigenvectors, eigenvectors.sum(axis=0)
    precision = (np.square(ones) / scaled).sum(axis=-1, keepdims=True)
    means = (y * ones / scaled).sum(axis=-1, keepdims=True) / precision
    misfit = (np.square(y - means * ones) / scaled).sum(axis=-1)
    evidence = -0.5 * (misfit + np.log(scaled).sum(axis=-1) + np.log(precision[..., 0]))
    s, n = np.unravel_index(int(evidence.argmax()), evidence.shape)
    mean = float(means[s, n, 0])
    return float(evidence[s, n]), GaussianProcess(
        kernel, z, mean, length, float(signals[s]), float(noises[n]), eigenvectors, scaled[s, n], y - mean * ones
    )


def _distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between rows: (p, k) and (n, k) to (p, n)."""
    squares = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2.0 * a @ b.T
    distances: FloatArray = np.sqrt(np.maximum(squares, 0.0))
    return distances
