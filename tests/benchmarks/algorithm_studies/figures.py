"""Each figure from its table of results, and from nothing else. Bars and bands are 95 % intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tests.benchmarks.algorithm_studies.table import Row, distinct, having, numbers

# Hill climbers in one hue, what averages over a round in another, models of the return in a third.
_STYLES = {
    "BHC": ("#b2182b", "-", "o"),
    "BHC, remeasured": ("#d6604d", "--", "s"),
    "averaging": ("#f4a582", "-", "^"),
    "sequential": ("#8c564b", ":", "v"),
    "ES gradient": ("#053061", "-", "o"),
    "recombination": ("#2166ac", "--", "s"),
    "guided ES": ("#4393c3", "-.", "^"),
    "active-subspace ES": ("#92c5de", ":", "v"),
    "CMA-ES": ("#1b7837", "-", "D"),
    "GP-UCB": ("#000000", "-", "*"),
}
_COLORS = ("#b2182b", "#2166ac", "#1b7837", "#e08214", "#762a83", "#1a1a1a")


def noise_tolerance(rows: list[Row]) -> Figure:
    """Share of the gap over noise: a row of panels for each ground, a column for each budget."""
    grounds, budgets, noises = (distinct(rows, name) for name in ("ground", "trials", "noise"))
    figure = Figure(figsize=(4.0 * len(budgets) + 2.0, 2.9 * len(grounds)), layout="constrained")
    panels = figure.subplots(len(grounds), len(budgets), squeeze=False, sharex=True, sharey="row")
    for (i, ground), (j, trials) in product(enumerate(grounds), enumerate(budgets)):
        axes = panels[i, j]
        here = having(rows, ground=ground, trials=trials)
        for k, method in enumerate(distinct(here, "method")):
            color, line, marker = _STYLES[str(method)]
            nudge = 0.05 * (k - 4.5)
            _with_errors(axes, having(here, method=method), np.arange(len(noises)) + nudge, color, line, marker, str(method))
        axes.set_title(f"{ground}, {trials:g} trials", fontsize=10)
        axes.set_xticks(range(len(noises)), [f"{noise:g}" for noise in noises])
        axes.axhline(0.0, color="#999999", linewidth=0.8)
        axes.set_ylim(max(axes.get_ylim()[0], _FLOOR), 1.05)
    _label(panels[:, 0], "share of the gap recovered")
    for axes in panels[-1]:
        axes.set_xlabel("noise of a return (1: the gap)")
    handles, labels = panels[-1, -1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=9)
    return figure


def bhc_against(rows: list[Row]) -> Figure:
    """By how much BHC's share of the gap exceeds another method's, paired by task."""
    others = [name for name in ("averaging", "sequential", "ES gradient", "recombination") if having(rows, method=name)]
    grounds, budgets, noises = (distinct(rows, name) for name in ("ground", "trials", "noise"))
    figure = Figure(figsize=(3.4 * len(grounds), 2.6 * len(others)), layout="constrained")
    panels = figure.subplots(len(others), len(grounds), squeeze=False, sharex=True, sharey=True)
    for (i, other), (j, ground) in product(enumerate(others), enumerate(grounds)):
        axes = panels[i, j]
        for k, trials in enumerate(budgets):
            curve = having(rows, method=other, ground=ground, trials=trials)
            at = np.arange(len(noises)) + 0.12 * (k - 1)
            _with_errors(axes, curve, at, _COLORS[k], "none", "o", f"{trials:g} trials")
        axes.axhline(0.0, color="#999999", linewidth=0.8)
        axes.set_title(f"BHC - {other}\n{ground}", fontsize=9)
        axes.set_xticks(range(len(noises)), [f"{noise:g}" for noise in noises])
    _label(panels[:, 0], "difference of shares")
    for axes in panels[-1]:
        axes.set_xlabel("noise of a return (1: the gap)")
    panels[0, 0].legend(fontsize=8)
    return figure


def four_corners(rows: list[Row]) -> Figure:
    """Learning curves: share of the gap after adaptation."""
    noises = distinct(rows, "noise")
    figure = Figure(figsize=(5.5 * len(noises) + 1.0, 4.6), layout="constrained")
    panels = figure.subplots(1, len(noises), squeeze=False, sharey=True)[0]
    for axes, noise in zip(panels, noises, strict=True):
        for color, method in zip(_COLORS, distinct(rows, "method"), strict=False):
            curve = having(rows, method=method, noise=noise)
            trials = np.array(numbers(curve, "trials")) / 1000.0
            axes.plot(trials, numbers(curve, "mean"), color=color, label=str(method))
            axes.fill_between(trials, numbers(curve, "low"), numbers(curve, "high"), color=color, alpha=0.15, linewidth=0.0)
        axes.axhline(1.0, color="#999999", linestyle="--", linewidth=0.8)
        axes.set_title(f"noise of a return {noise:g} of the gap", fontsize=10)
        axes.set_xlabel("thousand trials of meta-training")
        axes.set_ylim(0.0, 1.05)
    _label(panels[:1], "share of the gap after 50 trials; 1: analytic best")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize=9, ncols=3)
    return figure


def gradients(rows: list[Row]) -> Figure:
    """Cosines with the true gradient: perturbations; estimators on clean and on corrupted values."""
    figure = Figure(figsize=(13.5, 4.4), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    sampled = having(rows, estimator="mean", corrupted=0.0)
    kinds = list(dict.fromkeys(str(name).rpartition(", ")[0] for name in distinct(sampled, "sampling")))
    for name in distinct(sampled, "sampling"):
        kind, _, side = str(name).rpartition(", ")
        line, color = "-" if side == "mirrored" else "--", _COLORS[kinds.index(kind)]
        _over_trials(panels[0], having(sampled, sampling=name), color, line, str(name))
    panels[0].set_title("perturbations, the mean of values", fontsize=10)
    for axes, corrupted in zip(panels[1:], distinct(rows, "corrupted"), strict=True):
        here = [row for row in having(rows, sampling="Gaussian, forward", corrupted=corrupted) if float(row["trials"]) > 10]
        for color, name in zip(_COLORS, distinct(rows, "estimator"), strict=True):
            _over_trials(axes, having(here, estimator=name), color, "-", str(name))
        axes.set_title(f"estimators, {100 * float(corrupted):g} % of the values corrupted", fontsize=10)
    for axes in panels:
        axes.set_xlabel("trials")
        axes.set_ylim(-0.1, 1.03)
        axes.legend(fontsize=8)
    _label(panels[:1], "cosine with the true gradient (10-D)")
    return figure


def adaptation(rows: list[Row]) -> Figure:
    """Shares of the gap by two steps of gradient ascent: clean and corrupted returns, one row of panels a ground."""
    grounds, budgets = distinct(rows, "ground"), distinct(rows, "trials")
    figure = Figure(figsize=(12.0, 4.2 * len(grounds)), layout="constrained")
    panels = figure.subplots(len(grounds), 2, squeeze=False, sharey=True, width_ratios=(3, 2))
    for (i, ground), (j, corrupted) in product(enumerate(grounds), enumerate(distinct(rows, "corrupted"))):
        axes, here = panels[i, j], having(rows, ground=ground, corrupted=corrupted)
        names = list(dict.fromkeys(_way(row) for row in here))
        for k, trials in enumerate(budgets):
            now = having(here, trials=trials)
            at = np.array([names.index(_way(row)) + 0.16 * (k - 0.5) for row in now])
            _with_errors(axes, now, at, _COLORS[k], "none", "o", f"mean, {trials:g} trials")
            dashes = {"color": _COLORS[k], "linestyle": "none", "marker": "_", "markersize": 11}
            axes.plot(at, numbers(now, "median"), label=f"median, {trials:g} trials", **dashes)
            for x, row in zip(at, now, strict=True):
                if float(row["mean"]) < _FLOOR:
                    axes.text(x, _FLOOR + 0.03, f"{row['mean']:.1f}", ha="center", fontsize=7, color=_COLORS[k])
        axes.axhline(0.0, color="#999999", linewidth=0.8)
        axes.set_ylim(_FLOOR, 1.05)
        axes.set_title(f"{ground}, {100 * float(corrupted):g} % of the returns corrupted", fontsize=10)
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=8)
    _label(panels[:, 0], "share of the gap recovered")
    panels[-1, -1].legend(fontsize=8)
    return figure


_FLOOR = -0.5
"""Where figures of shares end: of what is lower, its mean is written there, or it is out of sight."""


def _way(row: Row) -> str:
    return f"{row['sampling']}, {row['estimator']}"


FIGURES: dict[str, Callable[[list[Row]], Figure]] = {
    "noise_tolerance": noise_tolerance,
    "bhc_against": bhc_against,
    "four_corners": four_corners,
    "gradients": gradients,
    "adaptation": adaptation,
}
"""By the name of the table that each is drawn from."""


def save(figure: Figure, path: Path) -> None:
    """As PNG, the same bytes for the same table."""
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _over_trials(axes: Axes, rows: list[Row], color: str, line: str, label: str) -> None:
    _with_errors(axes, rows, np.array(numbers(rows, "trials")), color, line, "o", label)


def _with_errors(
    axes: Axes, rows: list[Row], at: NDArray[np.floating[Any]], color: str, line: str, marker: str, label: str
) -> None:
    means, lows, highs = (np.array(numbers(rows, name)) for name in ("mean", "low", "high"))
    errors = np.nan_to_num(np.stack((means - lows, highs - means)))
    axes.errorbar(
        at[: len(means)], means, errors, color=color, linestyle=line, marker=marker, markersize=4, linewidth=1.2,
        elinewidth=0.9, label=label,
    )  # fmt: skip


def _label(panels: NDArray[np.object_], text: str) -> None:
    for axes in panels:
        axes.set_ylabel(text, fontsize=9)
