"""What every training of a growth gained, as CSV and PNG."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from robot_adapt.array_file import write_atomically

_COLUMNS = ("round", "family", "before_m", "after_m")


def write(log: Sequence[tuple[int, str, float, float]], folder: Path) -> None:
    """Writes growth.csv and growth.png into the folder; `log` is GrowthState's, in m: generalists come first, in round 0."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows((index, family, f"{before:.4f}", f"{after:.4f}") for index, family, before, after in log)
    write_atomically(folder / "growth.csv", text.getvalue().encode())
    families = list(dict.fromkeys(family for _, family, _, _ in log))
    figure = Figure(figsize=(8.0, 1.5 + 0.3 * len(families)), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(families):
        gains = [(before, after) for _, family, before, after in log if family == name]
        heights = [place + 0.7 * ((k + 1) / (len(gains) + 1) - 0.5) for k in range(len(gains))]
        axes.hlines(heights, *zip(*gains, strict=True), color="#bbbbbb", lw=1.2)
        for color, label, returns in zip(("#e45756", "#54a24b"), ("before", "after"), zip(*gains, strict=True), strict=True):
            axes.plot(returns, heights, "o", color=color, ms=3, label=None if place else label)
    axes.set_yticks(range(len(families)), [family.replace("_", " ") for family in families])
    axes.invert_yaxis()
    axes.set_xlabel("return on its own tasks (m), before and after each training; the first on top")
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "growth.png", dpi=110)
