"""The benchmark's pictures and words, from its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from robot_adapt.bench.shares import Returns, ahead, median_of_oracle, median_share, shares, worse

_COLORS = ("#54a24b", "#88d27a", "#e45756", "#f2a0a0", "#4c78a8", "#9ecae9", "#9d755d", "#b279a2", "#72b7b2", "#9d9d9d")
_AT = 20  # trials: the minute of the headline


def draw(of: dict[str, Returns], methods: Sequence[str], path: Path) -> None:
    """A row a rig: the median share of the gap over trials with its interval, and every hobble's share after a minute."""
    figure = Figure(figsize=(13.0, 4.2 * len(of)), layout="constrained")
    axes = figure.subplots(len(of), 2, squeeze=False, width_ratios=(1, 2))
    for (rig, one), (curve, bars) in zip(of.items(), axes, strict=True):
        budgets = sorted({budget for _, budget in one.adapted})
        at = _nearest(budgets)
        kept = [name for name in one.hobbles if name not in one.left_out]
        for k, (method, color) in enumerate(zip(methods, _COLORS, strict=False)):
            intervals = [median_share(one, method, budget) for budget in budgets]
            curve.plot([0, *budgets], [0.0, *(each.value for each in intervals)], "o-", color=color, label=method, ms=3)
            curve.fill_between(
                budgets, [each.low for each in intervals], [each.high for each in intervals], color=color, alpha=0.12, lw=0
            )
            width = 0.8 / len(methods)
            heights = [shares(one, method, at)[name] for name in kept]
            bars.bar(np.arange(len(kept)) + (k - (len(methods) - 1) / 2) * width, heights, width, color=color)
        curve.set(
            xlabel="trials of 3 s", ylabel="share of the gap won back", ylim=(-0.5, 1.1), title=f"{rig}: median of hobbles"
        )
        bars.set(ylim=(-0.5, 1.3), title=f"{rig}: every hobble after {at} trials, means of {one.seeds} seeds")
        bars.set_xticks(np.arange(len(kept)), [name.replace("_", " ").replace(" and ", "\n+ ") for name in kept], rotation=30)
        for each in (curve, bars):
            each.axhline(0.0, color="black", lw=0.6)
            each.axhline(1.0, color="black", lw=0.6, ls=":")
    axes[0][0].legend(fontsize=7, loc="lower right")
    figure.savefig(path, dpi=110)


def table(of: Returns, methods: Sequence[str]) -> str:
    """Markdown: a row a method."""
    budgets = sorted({budget for _, budget in of.adapted})
    at = _nearest(budgets)
    head = ["method", *(f"{b} trials" for b in budgets), f"of the oracle's return ({at})", "to 80 %, 90 %", "worst hobble"]
    head += [f"falls in {at} trials", f"falls after, % ({at})", f"hobbles worse than before ({at})"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for method in methods:
        medians = [median_share(of, method, budget) for budget in budgets]
        by_hobble = shares(of, method, at)
        low = min(by_hobble, key=lambda name: by_hobble[name], default="")
        worst = f"{low.replace('_', ' ')} {by_hobble[low]:.2f}" if low else "-"
        steps = list(zip(budgets, medians, strict=True))
        reached = [next((str(budget) for budget, median in steps if median.value >= share), "-") for share in (0.8, 0.9)]
        cells = [method, *map(str, medians), str(median_of_oracle(of, method, at)), ", ".join(reached)]
        cells += [worst, f"{of.falls[method, at].mean():.1f}"]
        cells += [f"{100 * of.fell[method, at].mean():.0f}", str(len(worse(of, method, at)))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def words(rig: str, of: Returns, methods: Sequence[str]) -> list[str]:
    """What the table says, in sentences."""
    first, *others = methods
    at = _nearest(sorted({budget for _, budget in of.adapted}))
    zero, gap = of.start.mean(), (of.oracle - of.start).mean()
    said = [
        f"{rig}: {of.seeds} seeds of {len(of.hobbles)} hobbles; zero-shot {zero:.2f} m, the oracle {gap:.2f} m more."
        + (f" Without a gap, and in no share: {', '.join(of.left_out)}." if of.left_out else "")
    ]
    for other in others:
        more, clear = ahead(of, first, other, at)
        said.append(
            f"{rig}: after {at} trials {first} is ahead of {other} on {len(more)} of {len(of.hobbles)} hobbles, "
            f"the interval clear of zero on {len(clear)}."
        )
    return said


def _nearest(budgets: Sequence[int]) -> int:
    return min(budgets, key=lambda budget: abs(budget - _AT))
