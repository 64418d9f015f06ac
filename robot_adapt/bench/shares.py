"""Figures from the table: shares of the gap, intervals over seeds and hobbles, and what is significantly worse.

The gap of a hobble is oracle - zero-shot, both means over seeds; a method's share of it is (its return - zero-shot) / gap, a
ratio of means, so that no single draw without a gap decides. Intervals are percentiles of bootstrap samples that draw hobbles
and, in each, seeds; all methods are drawn together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.types import FloatArray
from robot_adapt.bench.recovery import HEALTHY, ORACLE, Row
from robot_adapt.errors import UserError
from robot_adapt.randomness import generator
from robot_adapt.report.recovery import confidence_interval_95

_SAMPLES = 2000
_LEAST_GAP_M = 0.05  # below it a hobble has taken too little for a share to mean anything


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "-" if np.isnan(self.value) else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, eq=False)
class Returns:
    """Of one rig: all returns (m) of hobbles x seeds that every method has, and the oracle.

    Attributes:
        start, oracle: (H, S), NaN without an oracle; raised by as much as any method is above it in a hobble's mean: a ceiling
            that something passes is none.
        adapted: method and budget (0: what it began with) -> (H, S); `fell` is the share of fresh trials that fell, `falls`
            counts those on the way.
        healthy: the mean return of the zero-shot policy on the robot unhobbled; NaN where that was not run.
        left_out: hobbles with a gap under 5 cm, all of them without an oracle; they are in no share.
        unsettled: how many oracles ran out of iterations: ceilings that are too low.

    """

    hobbles: tuple[str, ...]
    start: FloatArray
    oracle: FloatArray
    adapted: dict[tuple[str, int], FloatArray]
    fell: dict[tuple[str, int], FloatArray]
    falls: dict[tuple[str, int], FloatArray]
    healthy: float
    left_out: tuple[str, ...]
    unsettled: int

    @property
    def seeds(self) -> int:
        return self.start.shape[1]


def returns(rows: Sequence[Row], rig: str, methods: Sequence[str], start: str) -> Returns:
    """Of the seeds that are complete; `start` is the method whose 0 trials are zero-shot. Raises UserError when none is."""
    of_rig = {(row.hobble, row.seed, row.method, row.trials): row for row in rows if row.rig == rig}
    hobbles = tuple(dict.fromkeys(row.hobble for row in rows if row.rig == rig and row.hobble != HEALTHY))
    budgets = sorted({row.trials for row in rows if row.method in methods and row.trials})
    oracles = {(row.hobble, row.seed): row for row in rows if row.rig == rig and row.method == ORACLE}

    def is_complete(seed: int) -> bool:
        wanted = ((hobble, seed, method, budget) for hobble in hobbles for method in methods for budget in (0, *budgets))
        known = not oracles or all((hobble, seed) in oracles for hobble in hobbles)
        return known and all(key in of_rig for key in wanted)

    seeds = [seed for seed in sorted({row.seed for row in rows if row.rig == rig}) if is_complete(seed)]
    if not seeds:
        raise UserError(f"{rig}: no seed has all its bouts yet")

    def table(name: str, method: str, budget: int) -> FloatArray:
        return np.array([[getattr(of_rig[h, s, method, budget], name) for s in seeds] for h in hobbles], dtype=float)

    def tables(name: str) -> dict[tuple[str, int], FloatArray]:
        return {(method, budget): table(name, method, budget) for method in methods for budget in (0, *budgets)}

    zero = table("return_m", start, 0)
    healthy = [of_rig[key].return_m if (key := (HEALTHY, seed, HEALTHY, 0)) in of_rig else np.nan for seed in seeds]
    oracle = np.array([[oracles[h, s].return_m if oracles else np.nan for s in seeds] for h in hobbles])
    adapted = tables("return_m")
    highest = np.max([values.mean(axis=1) for values in adapted.values()], axis=0)
    oracle += np.maximum(highest - oracle.mean(axis=1), 0.0)[:, None]
    has_gap = (oracle - zero).mean(axis=1) >= _LEAST_GAP_M
    return Returns(
        hobbles, zero, oracle, adapted, tables("fell"), tables("falls"), float(np.mean(healthy)),
        tuple(name for name, one in zip(hobbles, has_gap, strict=True) if not one),
        sum(seed in seeds and not row.settled for (_, seed), row in oracles.items()),
    )  # fmt: skip


def shares(of: Returns, method: str, budget: int) -> dict[str, float]:
    """Share of the gap by hobble, without those left out."""
    gained, gap = (of.adapted[method, budget] - of.start).mean(axis=1), (of.oracle - of.start).mean(axis=1)
    return {name: float(gained[i] / gap[i]) for i, name in enumerate(of.hobbles) if name not in of.left_out}


def median_share(of: Returns, method: str, budget: int) -> Interval:
    """Over hobbles, with its bootstrap interval."""
    kept = [i for i, name in enumerate(of.hobbles) if name not in of.left_out]
    gained, gap = (of.adapted[method, budget] - of.start)[kept], (of.oracle - of.start)[kept]
    return _bootstrapped(gained, gap)


def median_of_oracle(of: Returns, method: str, budget: int) -> Interval:
    """Adapted return / oracle's, the median over all hobbles."""
    return _bootstrapped(of.adapted[method, budget], of.oracle)


def worse(of: Returns, method: str, budget: int) -> list[str]:
    """Hobbles after which it ends worse than zero-shot, the paired 95 % interval over seeds clear of zero."""
    return [name for name, (_, high) in _paired(of, of.adapted[method, budget] - of.start).items() if high < 0.0]


def ahead(of: Returns, method: str, other: str, budget: int) -> tuple[list[str], list[str]]:
    """Hobbles on which a method is ahead of another on average, and those with the paired 95 % interval clear of zero."""
    differences = of.adapted[method, budget] - of.adapted[other, budget]
    means = dict(zip(of.hobbles, differences.mean(axis=1), strict=True))
    clear = [name for name, (low, _) in _paired(of, differences).items() if low > 0.0]
    return [name for name, mean in means.items() if mean > 0.0], clear


def behind(of: Returns, method: str, other: str, budget: int, by: float = 0.1) -> list[str]:
    """Hobbles on which a method is behind another, the paired 95 % interval clear of this share of the gap.

    Clear of zero where there is no oracle.
    """
    gap = np.nan_to_num((of.oracle - of.start).mean(axis=1))
    margin = by * np.maximum(gap, 0.0)[:, None]
    differences = of.adapted[method, budget] - of.adapted[other, budget] + margin
    return [name for name, (_, high) in _paired(of, differences).items() if high < 0.0]


def rise(of: Returns, method: str, early: int, late: int, below: float = 0.8) -> tuple[int, Interval]:
    """Of the hobbles whose share after the early budget is below that: how many there are, and how much it rises (mean).

    They are picked by the same trials that the rise is measured from: of few seeds some of it is regression to the mean.
    """
    low = {name for name, share in shares(of, method, early).items() if share < below}
    kept = [i for i, name in enumerate(of.hobbles) if name in low]
    gained = (of.adapted[method, late] - of.adapted[method, early])[kept]
    return len(kept), _bootstrapped(gained, (of.oracle - of.start)[kept], np.mean, _LEAST_GAP_M / 2)


def _paired(of: Returns, differences: FloatArray) -> dict[str, tuple[float, float]]:
    """Student's interval by hobble; of a single seed it is everything."""
    rows = (confidence_interval_95([float(value) for value in row]) for row in differences)
    return {name: row or (-np.inf, np.inf) for name, row in zip(of.hobbles, rows, strict=True)}


def _bootstrapped(
    numerators: FloatArray, denominators: FloatArray, average: Callable[..., Any] = np.median, least: float = 0.0
) -> Interval:
    """The average over hobbles (rows) of the ratio of means over seeds (columns), those above `least` in a sample."""
    count, seeds = numerators.shape
    if not count or np.isnan(denominators).any():
        return Interval(np.nan, np.nan, np.nan)
    value = float(average(numerators.mean(axis=1) / denominators.mean(axis=1)))
    randomness = generator(0, "bench bootstrap")
    averages = []
    for _ in range(_SAMPLES):
        rows = randomness.integers(count, size=count)[:, None]
        columns = randomness.integers(seeds, size=(count, seeds))
        above, below = numerators[rows, columns].mean(axis=1), denominators[rows, columns].mean(axis=1)
        has_gap = below > least  # of few seeds all may be drawn from those without one
        if has_gap.any():
            averages.append(average(above[has_gap] / below[has_gap]))
    low, high = np.percentile(averages, [2.5, 97.5])
    return Interval(value, float(low), float(high))
