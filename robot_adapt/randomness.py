"""Every random number comes from a generator made here, from (seed, purpose, index...): the same ones in any process."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """An independent stream for one purpose; never share one between two."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *index])
