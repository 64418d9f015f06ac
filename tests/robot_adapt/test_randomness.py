from __future__ import annotations

import zlib

import numpy as np
import pytest

from robot_adapt import MAX_SEED
from robot_adapt.randomness import generator


@pytest.mark.parametrize("index", [(), (0,), (3, 2**31), (2**32 - 1,), (2**32, 5)])
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, MAX_SEED])
def test_the_stream_is_that_of_seed_purpose_and_index_as_plain_integers(seed: int, index: tuple[int, ...]) -> None:
    plain = np.random.default_rng([seed, zlib.crc32(b"a purpose"), *index])
    np.testing.assert_array_equal(generator(seed, "a purpose", *index).integers(2**60, size=4), plain.integers(2**60, size=4))


def test_another_purpose_or_index_is_another_stream() -> None:
    streams = [generator(1, "a", 0), generator(1, "b", 0), generator(1, "a", 1), generator(2, "a", 0), generator(1, "a", 0, 1)]
    first = [stream.integers(2**60) for stream in streams]
    assert len(set(first)) == len(first)
