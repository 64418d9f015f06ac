"""Every random number comes from a generator made here, from (seed, purpose, index...): the same ones in any process."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """An independent stream for one purpose; never share one between two."""
    words = [seed, zlib.crc32(purpose.encode()), *index]
    if max(words) < 2**32:  # the same stream: a list would be converted number by number, which takes longer than all else
        return np.random.default_rng(np.array(words, dtype=np.uint32))
    return np.random.default_rng(words)
