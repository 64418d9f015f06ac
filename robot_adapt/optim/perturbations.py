"""Perturbations: directions g to try, standard normal each, that cover a space more evenly than independent ones."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from robot_adapt.config import FROZEN
from robot_adapt.optim.dpp import KERNELS, sample_k_dpp


class GaussianConfig(BaseModel):
    """Independent: g_i ~ N(0, I)."""

    model_config = FROZEN
    kind: Literal["gaussian"] = "gaussian"


class OrthogonalConfig(BaseModel):
    """Orthogonal directions as long as Gaussian ones (arXiv 1804.02395): in blocks of d where n > d."""

    model_config = FROZEN
    kind: Literal["orthogonal"]


class DppConfig(BaseModel):
    """n of rho n Gaussian ones, those that are unlike each other the likelier: a k-DPP (DPPMC, Choromanski et al. 2019)."""

    model_config = FROZEN
    kind: Literal["dpp"]
    kernel: Literal["rbf", "cosine"] = "rbf"
    rho: Annotated[float, Field(ge=1.0, le=100.0)] = 5.0


PerturbationConfig = Annotated[GaussianConfig | OrthogonalConfig | DppConfig, Field(discriminator="kind")]


def draw(config: PerturbationConfig, n: int, dimensions: int, randomness: np.random.Generator) -> FloatArray:
    """Perturbations g (n, dimensions)."""
    match config:
        case GaussianConfig():
            return randomness.standard_normal((n, dimensions))
        case OrthogonalConfig():
            return orthogonal(n, dimensions, randomness)
        case DppConfig():
            candidates = randomness.standard_normal((round(config.rho * n), dimensions))
            return candidates[sample_k_dpp(KERNELS[config.kernel](candidates), n, randomness)]


def orthogonal(n: int, dimensions: int, randomness: np.random.Generator) -> FloatArray:
    """Rows (n, d), each by itself N(0, I): uniform in direction, chi-distributed in length; orthogonal within a block of d."""
    blocks = []
    for first in range(0, n, dimensions):
        q, r = np.linalg.qr(randomness.standard_normal((dimensions, min(dimensions, n - first))))
        blocks.append((q * np.sign(np.diag(r))).T)  # without R's signs Q is not uniform (Mezzadri, math-ph/0609050)
    lengths = np.sqrt(randomness.chisquare(dimensions, n))
    rows: FloatArray = lengths[:, None] * np.vstack(blocks)
    return rows


def mirrored(g: FloatArray) -> FloatArray:
    """Antithetic pairs (2n, d): g_0, -g_0, g_1, -g_1, ..."""
    both = np.repeat(g, 2, axis=0)
    both[1::2] *= -1.0
    return both


def as_pairs(steps: FloatArray, values: FloatArray, positions: NDArray[np.int_], pairs: int) -> tuple[FloatArray, FloatArray]:
    """What was scored of `mirrored`, as pairs again: g (pairs, d) and values (pairs, 2), NaN where a side was not scored.

    Args:
        steps: (m, d), the mirrored perturbations that were scored.
        values: (m,).
        positions: (m,), their rows in `mirrored`.
        pairs: how many there were.

    """
    g, sides = np.zeros((2 * pairs, steps.shape[1])), np.full(2 * pairs, np.nan)
    g[positions], sides[positions] = steps, values
    return g[0::2], sides.reshape(pairs, 2)
