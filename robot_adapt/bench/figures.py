"""The benchmark's pictures and words, from its table."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from robot_adapt.bench.shares import Returns, ahead, behind, median_of_oracle, median_share, rise, shares, worse

_COLORS = [matplotlib.colormaps["tab20"](k) for k in range(20)]
_AT = 20  # trials: the minute of the headline


def draw(of: dict[str, Returns], methods: Sequence[str], path: Path) -> None:
    """A row a rig: the mean return over trials, and every hobble's after a minute; dotted is the oracle, if there is one."""
    figure = Figure(figsize=(13.0, 4.2 * len(of)), layout="constrained")
    axes = figure.subplots(len(of), 2, squeeze=False, width_ratios=(1, 2))
    for (rig, one), (curve, bars) in zip(of.items(), axes, strict=True):
        budgets = sorted({budget for _, budget in one.adapted})
        at, places, width = _nearest(budgets), np.arange(len(one.hobbles)), 0.8 / len(methods)
        for k, (method, color) in enumerate(zip(methods, itertools.cycle(_COLORS), strict=False)):
            means = [one.adapted[method, budget].mean() for budget in budgets]
            curve.plot(budgets, means, "o-", color=color, label=method, ms=3)
            shift = (k - (len(methods) - 1) / 2) * width
            bars.bar(places + shift, one.adapted[method, at].mean(axis=1), width, color=color)
        curve.axhline(float(one.oracle.mean()), color="black", lw=0.8, ls=":")  # NaN draws nothing
        curve.set(xlabel="trials", ylabel="mean return of fresh trials (m)", title=f"{rig}: all hobbles")
        ends = places[:, None] + np.array([-0.45, 0.45])
        known = [(one.start, "-", "zero-shot"), (one.oracle, ":", "oracle")]
        for values, style, label in known if np.isfinite(one.oracle).all() else known[:1]:
            for place, mean in zip(ends, values.mean(axis=1), strict=True):
                bars.plot(place, [mean, mean], color="black", lw=1.2, ls=style, label=label if place[0] < 0 else None)
        bars.axhline(0.0, color="black", lw=0.6)
        bars.set(title=f"{rig}: every hobble after {at} trials, means of {one.seeds} seeds", ylabel="m")
        bars.set_xticks(places, [name.replace("_", " ").replace(" and ", "\n+ ") for name in one.hobbles], rotation=45)
        bars.margins(y=0.15)
        bars.legend(fontsize=7, loc="upper left", ncols=2)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), fontsize=8, ncols=5, loc="outside lower center")
    figure.savefig(path, dpi=110)


def table(of: Returns, methods: Sequence[str], trial_s: float) -> str:
    """Markdown, a row a method: mean return over hobbles and, with an oracle, the median share of the gap and its interval.

    The seconds in which a share is reached are robot time: trials of `trial_s`.
    """
    budgets = sorted({budget for _, budget in of.adapted})
    at, last = _nearest(budgets), budgets[-1]
    head = ["method", *(f"{b} trials" if b else "before" for b in budgets)]
    head += [f"{at} to {last} trials, hobbles below 0.8", f"of the oracle's return ({at})", "to 80 %, 90 %", "worst hobble"]
    head += [f"falls in {at} trials", f"falls after, % ({at})", f"hobbles worse than zero-shot ({at})"]

    def risen(method: str) -> str:
        count, more = rise(of, method, at, last)
        return f"{count}: {more}" if count and last > at else "-"

    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for method in methods:
        medians = [median_share(of, method, budget) for budget in budgets]
        by_hobble = shares(of, method, at)
        low = min(by_hobble, key=lambda name: by_hobble[name], default="")
        worst = f"{low.replace('_', ' ')} {by_hobble[low]:.2f}" if low else "-"
        steps = list(zip((f"{budget} ({budget * trial_s:.0f} s)" for budget in budgets), medians, strict=True))
        reached = [next((step for step, median in steps if median.value >= share), "-") for share in (0.8, 0.9)]
        means = (f"{of.adapted[method, budget].mean():.2f} m" for budget in budgets)
        cells = [
            method,
            *(f"{mean}; {median}" for mean, median in zip(means, medians, strict=True)),
            risen(method),
            str(median_of_oracle(of, method, at)),
            ", ".join(reached),
        ]
        cells += [worst, f"{of.falls[method, at].mean():.1f}"]
        cells += [f"{100 * of.fell[method, at].mean():.0f}", str(len(worse(of, method, at)))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def words(rig: str, of: Returns, methods: Sequence[str]) -> list[str]:
    """What the table says, in sentences."""
    first, *others = methods
    at = _nearest(sorted({budget for _, budget in of.adapted}))
    healthy = "" if np.isnan(of.healthy) else f"healthy {of.healthy:.2f} m, "
    said = [f"{rig}: {of.seeds} seeds of {len(of.hobbles)} hobbles; zero-shot {healthy}hobbled {of.start.mean():.2f} m."]
    if not np.isnan(oracle := of.oracle.mean()):
        without = f" Without a gap, and in no share: {', '.join(of.left_out)}." if of.left_out else ""
        short = f", {of.unsettled} of them not settled" if of.unsettled else ""
        said = [f"{said[0]} The oracles: {oracle:.2f} m{short}.{without}"]
    for other in others:
        more, clear = ahead(of, first, other, at)
        less = f", clearly behind on {', '.join(names)}" if (names := behind(of, first, other, at)) else ""
        said.append(
            f"{rig}: after {at} trials {first} is ahead of {other} on {len(more)} of {len(of.hobbles)} hobbles, "
            f"the interval clear of zero on {len(clear)}{less}."
        )
    return said


def _nearest(budgets: Sequence[int]) -> int:
    return min(budgets, key=lambda budget: abs(budget - _AT))
