"""Estimates of the gradient of the smoothed return, J_sigma(theta) = E f(theta + sigma g) with g ~ N(0, I)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative
from robot_adapt.optim.evolution_strategy import signed_ranks
from robot_adapt.optim.regression import l1_decoding, lasso, least_squares, ridge

Shaping = Literal["none", "rank", "standardize"]


class GradientConfig(BaseModel):
    """How values become a gradient.

    Attributes:
        estimator: the Monte-Carlo mean, or a regression of the values on the perturbations, see `regression.py`.
        shaping: values as they are, as ranks, or in units of their spread; of mirrored pairs, their differences.
        top: only so many directions count, those of the highest values (arXiv 1803.07055, Algorithm 2, step 6).
        penalty: of ridge and lasso.

    """

    model_config = FROZEN
    estimator: Literal["monte_carlo", "least_squares", "ridge", "lasso", "l1_decoding"] = "monte_carlo"
    shaping: Shaping = "none"
    top: Count | None = None
    penalty: NonNegative = 0.1


def gradient(
    config: GradientConfig, g: FloatArray, values: FloatArray, sigma: float = 1.0, baseline: float | None = None
) -> FloatArray:
    """The estimate (d,) of grad J_sigma(theta); zeros when fewer than two values are scored (or no whole pair).

    Antithetic, monte_carlo: 1/(2 n sigma) sum_i (f(theta + sigma g_i) - f(theta - sigma g_i)) g_i (arXiv 1910.01215, eq. 4).
    Forward: 1/(n sigma) sum_i (f(theta + sigma g_i) - baseline) g_i; without a baseline it is, for each value, the mean of the
    others, which leaves the estimate unbiased. Of shaped values n counts aborted ones too: the less was learned, the shorter.

    Args:
        config: how.
        g: perturbations (n, d).
        values: (n,) at theta + sigma g, or mirrored (n, 2): at theta + sigma g and theta - sigma g. NaN where aborted.
        sigma: of the perturbations.
        baseline: f(theta), for forward values.

    """
    weights = shaped(values, config.shaping, baseline)
    scored = np.isfinite(weights)
    if config.top is not None:
        reached = values if values.ndim == 1 else values.max(axis=1)
        best_first = np.argsort(-np.where(scored, reached, -np.inf), kind="stable")
        scored[best_first[config.top :]] = False
    count = int(scored.sum())
    fits_intercept = values.ndim == 1 and baseline is None
    if count < 1 + fits_intercept:
        return np.zeros(g.shape[1])
    if config.estimator == "monte_carlo":
        # Of all rows, the others with weight 0: a copy of most of g would cost more than the product.
        total: FloatArray = np.where(scored, weights, 0.0) @ g
        if config.shaping != "none" and config.top is None:
            count = len(g)
        elif fits_intercept and config.top is None:
            count -= 1
        return total / (count * sigma)
    x, y = g[scored], weights[scored]
    match config.estimator:
        case "least_squares":
            slope = least_squares(x, y, fits_intercept)
        case "ridge":
            slope = ridge(x, y, config.penalty, fits_intercept)
        case "lasso":
            slope = lasso(x, y, config.penalty, fits_intercept)
        case "l1_decoding":
            slope = l1_decoding(x, y, fits_intercept)
    return slope / sigma


def shaped(values: FloatArray, shaping: Shaping, baseline: float | None = None) -> FloatArray:
    """What multiplies each perturbation (n,), NaN where aborted; when shaped, see `GradientConfig`, its mean square is 1."""
    if values.ndim == 2:
        centred = (values[:, 0] - values[:, 1]) / 2.0
    else:
        if shaping == "rank":
            values = _ranks(values)
        finite = values[np.isfinite(values)]
        centred = values - (baseline if baseline is not None and shaping != "rank" else finite.mean() if finite.size else 0.0)
    if shaping == "none":
        return centred
    scored = np.isfinite(centred)
    if shaping == "rank" and values.ndim == 2:
        centred[scored] = signed_ranks(centred[scored])
        return centred
    spread = np.sqrt(np.mean(np.square(centred[scored]))) if scored.any() else 0.0
    return centred / spread if spread > 0.0 else centred


def _ranks(values: FloatArray) -> FloatArray:
    """Each value's rank among the finite ones, ties sharing their mean rank; NaN stays."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True, equal_nan=False)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return np.where(np.isfinite(values), ranks, np.nan)
