"""Gradients by regression: the slope (d,) of values y (n,) over perturbations x (n, d) (arXiv 1903.02993).

With `intercept` a constant is fitted too and left out of the answer: values then need no baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hardware.types import FloatArray
from robot_adapt.errors import Absent

_LASSO_SWEEPS = 10_000
_LASSO_TOLERANCE = 1e-10


def least_squares(x: FloatArray, y: FloatArray, intercept: bool = False) -> FloatArray:
    """min |y - x g|^2; of several, the shortest."""
    x, y = _centred(x, y, intercept)
    solution: FloatArray = np.linalg.lstsq(x, y, rcond=None)[0].astype(np.float64)
    return solution


def ridge(x: FloatArray, y: FloatArray, penalty: float, intercept: bool = False) -> FloatArray:
    """min |y - x g|^2 + penalty |g|^2: penalty is the noise's variance over that of the slope's entries."""
    x, y = _centred(x, y, intercept)
    n, d = x.shape
    if n < d:  # the same by (X^T X + p I)^-1 X^T = X^T (X X^T + p I)^-1, in the smaller dimension
        dual: FloatArray = x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(n), y)
        return dual
    primal: FloatArray = np.linalg.solve(x.T @ x + penalty * np.eye(d), x.T @ y).astype(np.float64)
    return primal


def lasso(x: FloatArray, y: FloatArray, penalty: float, intercept: bool = False) -> FloatArray:
    """min 1/2 |y - x g|^2 + penalty lambda |g|_1, by FISTA (Beck & Teboulle 2009) with restarts.

    lambda is the least that makes g zero: a penalty from 0 to 1 means the same whatever units y has.
    """
    x, y = _centred(x, y, intercept)
    correlation = x.T @ y
    largest = float(np.abs(correlation).max())
    lipschitz = float(np.linalg.norm(x, 2)) ** 2
    slope = ahead = np.zeros(x.shape[1])
    if largest == 0.0:
        return slope
    threshold, momentum = penalty * largest / lipschitz, 1.0
    for _ in range(_LASSO_SWEEPS):
        descended = ahead + (correlation - x.T @ (x @ ahead)) / lipschitz
        new = np.sign(descended) * np.maximum(np.abs(descended) - threshold, 0.0)
        moved = new - slope
        if (ahead - new) @ moved > 0.0:  # the momentum leads uphill: restart it (O'Donoghue & Candes 2015)
            momentum = 1.0
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead, slope = new + (momentum - 1.0) / following * moved, new
        momentum = following
        if np.abs(moved).max() <= _LASSO_TOLERANCE * np.abs(new).max(initial=1e-300):
            break
    return slope


def linear_programming() -> Callable[..., Any]:
    """What solves l1_decoding's program. Raises Absent without scipy."""
    try:
        from scipy.optimize import linprog
    except ImportError:
        raise Absent("the estimator l1_decoding needs scipy: pip install 'robot-adapt[optim]'") from None
    solve: Callable[..., Any] = linprog
    return solve


def l1_decoding(x: FloatArray, y: FloatArray, intercept: bool = False) -> FloatArray:
    """min |y - x g|_1, a linear program: exact although some values are arbitrarily wrong (Candes & Tao, math/0502327).

    It needs more values than dimensions; the surer, the more. Raises Absent without scipy.
    """
    linprog = linear_programming()
    n, d = x.shape
    columns = np.hstack((x, np.ones((n, 1)))) if intercept else x
    free = columns.shape[1]
    # y - columns g = u - v with u, v >= 0; the sum of both is what is minimized.
    cost = np.concatenate((np.zeros(free), np.ones(2 * n)))
    equal = np.hstack((columns, np.eye(n), -np.eye(n)))
    result = linprog(cost, A_eq=equal, b_eq=y, bounds=[(None, None)] * free + [(0.0, None)] * (2 * n), method="highs")
    solution: FloatArray = np.asarray(result.x[:d], dtype=np.float64)
    return solution


def _centred(x: FloatArray, y: FloatArray, intercept: bool) -> tuple[FloatArray, FloatArray]:
    return (x - x.mean(axis=0), y - y.mean()) if intercept else (x, y)
