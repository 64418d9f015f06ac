"""What members of a repertoire are worth on a robot not seen before: a Gaussian, shifted by the trace of the first trial.

The mean is kernel ridge regression from traces to rows of the return matrix; the covariance is that of its leave-one-out
errors, most of all where traces were alike (a robot that walks well leaves less in doubt than one that falls), shrunk towards
its diagonal. Without a trace: the mean and covariance of the rows. Then every trial conditions the Gaussian (Rasmussen &
Williams 2006, eq. 2.25 with K the covariance of members).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hardware.types import FloatArray
from robot_adapt.repertoire.repertoire import Repertoire

_RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)
_LENGTHS = (0.5, 1.0, 2.0, 4.0)
_SHRINK = 0.15
_ALIKE = 0.25  # of the typical distance of traces
_EVERYWHERE = 5.0  # the weight of errors everywhere, in tasks alike


@dataclass(frozen=True)
class Belief:
    """A Gaussian over the members' returns: mean (K,), covariance (K, K)."""

    mean: FloatArray
    covariance: FloatArray

    @property
    def sd(self) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def after(self, member: int, value: float, noise_sd: float) -> Belief:
        """Conditioned on one trial of one member."""
        column = self.covariance[:, member]
        gain = column / (column[member] + noise_sd**2)
        return Belief(self.mean + gain * (value - self.mean[member]), self.covariance - np.outer(gain, column))


class Prior:
    """The belief before any trial, with or without a trace. Fitted once, by leave-one-out error."""

    def __init__(self, repertoire: Repertoire) -> None:
        self._repertoire = repertoire
        traces = repertoire.traces
        self._center, spread = traces.mean(axis=0), traces.std(axis=0)
        self._spread = np.where(spread > 1e-9, spread, 1.0)
        self._rows = self._standard(traces)
        self._average = repertoire.returns.mean(axis=0)

    def belief(self, trace: FloatArray | None = None) -> Belief:
        """Over the members' returns on the robot that left this trace (F,)."""
        returns = self._repertoire.returns
        if trace is None:
            return Belief(self._average, _shrunk(_covariance(returns - self._average)))
        length, weights, errors = self._fit
        here = self._standard(trace)[None]
        near = _kernel(here, self._rows, length)[0]
        alike = _kernel(here, self._rows, _ALIKE * self._typical)[0] + 1e-12  # like none of them: like all of them
        count = alike.sum() ** 2 / np.square(alike).sum()
        there = errors * np.sqrt(alike / alike.mean())[:, None]
        covariance = (count * _covariance(there) + _EVERYWHERE * _covariance(errors)) / (count + _EVERYWHERE)
        return Belief(self._average + near @ weights, _shrunk(covariance))

    def _standard(self, traces: FloatArray) -> FloatArray:
        return np.asarray(np.clip((traces - self._center) / self._spread, -5.0, 5.0))

    @cached_property
    def _typical(self) -> float:
        """Distance of two traces."""
        return float(np.median(_distances(self._rows, self._rows)))

    @cached_property
    def _fit(self) -> tuple[float, FloatArray, FloatArray]:
        """Kernel length, weights (T, K) and leave-one-out errors (T, K) of the best length and ridge."""
        deviations = self._repertoire.returns - self._average
        fits = []
        for length in self._typical * np.array(_LENGTHS):
            kernel = _kernel(self._rows, self._rows, length)
            for ridge in _RIDGES:
                inverse = np.linalg.inv(kernel + ridge * np.eye(len(kernel)))
                weights = inverse @ deviations
                fits.append((float(length), weights, weights / np.diag(inverse)[:, None]))  # leave-one-out, in closed form
        return min(fits, key=lambda fit: float(np.square(fit[2]).mean()))


def _covariance(errors: FloatArray) -> FloatArray:
    return np.asarray(errors.T @ errors / len(errors))


def _shrunk(covariance: FloatArray) -> FloatArray:
    return (1.0 - _SHRINK) * covariance + _SHRINK * np.diag(np.diag(covariance))


def _distances(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=-1))


def _kernel(a: FloatArray, b: FloatArray, length: float) -> FloatArray:
    return np.asarray(np.exp(-0.5 * np.square(_distances(a, b) / max(length, 1e-9))))
