"""k-DPP: k of m items, a set S with probability proportional to det(L_S), so unlike ones (Kulesza & Taskar, ICML 2011)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray

# Of the largest eigenvalue. What is below is noise: a kernel of too low a rank still gives k items, the last ones at random.
_FLOOR = 1e-12


def rbf_kernel(x: FloatArray) -> FloatArray:
    """exp(-|x_i - x_j|^2 / (2 h^2)) for rows (m, d), h the median distance between two."""
    products = x @ x.T
    squares = np.diag(products)
    distances = np.maximum(squares[:, None] + squares - 2.0 * products, 0.0)
    between = distances[np.triu_indices(len(x), 1)]
    width = float(np.median(between)) if between.size else 1.0
    kernel: FloatArray = np.exp(distances / (-2.0 * width if width > 0.0 else -1.0))
    np.fill_diagonal(kernel, 1.0)
    return kernel


def cosine_kernel(x: FloatArray) -> FloatArray:
    """The cosines of the angles between rows (m, d)."""
    products = x @ x.T
    lengths = np.sqrt(np.diag(products))
    cosines: FloatArray = products / (lengths[:, None] * lengths)
    return cosines


KERNELS: dict[str, Callable[[FloatArray], FloatArray]] = {"rbf": rbf_kernel, "cosine": cosine_kernel}


def sample_k_dpp(kernel: FloatArray, k: int, randomness: np.random.Generator) -> NDArray[np.int_]:
    """Indices (k,), rising, of a subset drawn from the k-DPP with L = kernel (m, m). Raises ValueError for k > m."""
    if k > len(kernel):
        raise ValueError(f"{k} of {len(kernel)} items cannot be chosen")
    eigenvalues, eigenvectors = np.linalg.eigh(kernel)
    floored = np.maximum(eigenvalues, _FLOOR * eigenvalues[-1])
    return _sample_items(eigenvectors[:, _sample_eigenvectors(np.log(floored), k, randomness)], randomness)


def log_elementary_polynomials(log_values: FloatArray, k: int) -> FloatArray:
    """log e_j of the first i values, [i, j] of (m + 1, k + 1), by e_j(i) = e_j(i - 1) + value_i e_{j-1}(i - 1)."""
    log_e = np.full((len(log_values) + 1, k + 1), -np.inf)
    log_e[:, 0] = 0.0
    for i, log_value in enumerate(log_values):
        np.logaddexp(log_e[i, 1:], log_value + log_e[i, :-1], out=log_e[i + 1, 1:])
    return log_e


def _sample_eigenvectors(log_values: FloatArray, k: int, randomness: np.random.Generator) -> list[int]:
    """k of them, a set with probability proportional to the product of its eigenvalues (Algorithm 8 there)."""
    log_e = log_elementary_polynomials(log_values, k)
    uniform = randomness.random(len(log_values))
    chosen: list[int] = []
    for i in range(len(log_values), 0, -1):
        missing = k - len(chosen)
        if missing and uniform[i - 1] < np.exp(log_values[i - 1] + log_e[i - 1, missing - 1] - log_e[i, missing]):
            chosen.append(i - 1)
    return chosen


def _sample_items(v: FloatArray, randomness: np.random.Generator) -> NDArray[np.int_]:
    """The projection DPP with kernel V V^T, V (m, k) orthonormal: items one by one, each by its variance given the others."""
    m, k = v.shape
    factor = np.zeros((m, k))  # of the Cholesky factorization of V V^T, pivoted by chance
    variance = np.square(v).sum(axis=1)
    items = np.empty(k, dtype=np.int_)
    for t, uniform in enumerate(randomness.random(k)):
        cumulative = np.cumsum(variance)
        item = items[t] = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
        factor[:, t] = (v @ v[item] - factor[:, :t] @ factor[item, :t]) / np.sqrt(variance[item])
        variance = np.maximum(variance - np.square(factor[:, t]), 0.0)
        variance[items[: t + 1]] = 0.0
    return np.sort(items)
