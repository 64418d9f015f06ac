"""An antithetic evolution-strategies step (arXiv 1703.03864), with signed ranks against the heavy tails that falls make."""

from __future__ import annotations

import numpy as np

from hardware.types import FloatArray


def signed_ranks(differences: FloatArray) -> FloatArray:
    """Each difference (n,) replaced by its sign times the rank of its size, scaled to a mean square of 1.

    Differences of a mirrored pair cancel what a task is worth in itself, so they compare across tasks (returns do not);
    ranks bound what one fall can do. Aborted pairs are NaN and get 0. Ties share their mean rank.
    """
    shaped = np.zeros(len(differences))
    valid = np.flatnonzero(np.isfinite(differences))
    sizes = np.abs(differences[valid])
    below = (sizes[None, :] < sizes[:, None]).sum(axis=1)
    equal = (sizes[None, :] == sizes[:, None]).sum(axis=1)
    shaped[valid] = np.sign(differences[valid]) * (below + (equal + 1) / 2)
    scale = np.sqrt(np.mean(np.square(shaped))) if valid.size else 0.0
    return shaped / scale if scale > 0.0 else shaped


def es_step(perturbations: FloatArray, differences: FloatArray, step: float) -> FloatArray:
    """The ascent step (d,) from mirrored pairs theta +- sigma g_i.

    step * (1/n) sum_i u_i g_i, with u the shaped differences f(theta + sigma g_i) - f(theta - sigma g_i): the antithetic
    ES gradient (arXiv 1910.01215, eq. 4) in units of the differences' spread.

    Args:
        perturbations: g, (n, d), standard normal.
        differences: (n,), NaN where a side was aborted.
        step: length of the step per unit of gradient.

    """
    ascent: FloatArray = signed_ranks(differences) @ perturbations
    return step / len(differences) * ascent
