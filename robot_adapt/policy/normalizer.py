"""State normalization: running moments gathered by many workers, merged exactly, frozen into a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray


@dataclass(frozen=True)
class Moments:
    """Count, mean (d,) and sum of squared deviations (d,) of observations seen (Chan et al. 1983)."""

    count: float
    mean: FloatArray
    squares: FloatArray

    @classmethod
    def empty(cls, size: int) -> Moments:
        return cls(0.0, np.zeros(size), np.zeros(size))

    @classmethod
    def of(cls, rows: FloatArray) -> Moments:
        """Moments of a batch (k, d)."""
        mean = rows.mean(axis=0)
        return cls(float(len(rows)), mean, np.square(rows - mean).sum(axis=0))

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets together."""
        count = self.count + other.count
        if count == 0.0:
            return self
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        squares = self.squares + other.squares + np.square(shift) * (self.count * other.count / count)
        return Moments(count, mean, squares)

    def normalizer(self) -> Normalizer:
        """The normalizer these moments give; identity below two observations or where nothing varied."""
        if self.count < 2.0:
            return Normalizer(self.mean * 0.0, self.mean * 0.0 + 1.0)
        std = np.sqrt(self.squares / self.count)
        return Normalizer(self.mean, np.where(std > 1e-6, std, 1.0))


@dataclass(frozen=True)
class Normalizer:
    """(x - mean) / std, elementwise (d,)."""

    mean: FloatArray
    std: FloatArray

    def __call__(self, observation: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """In a new array, or in `out`."""
        centred: FloatArray = np.subtract(observation, self.mean, out)
        return np.divide(centred, self.std, centred)
