"""The learning curve: held-out return before and after adaptation, as CSV and PNG."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from robot_adapt.array_file import write_atomically
from robot_adapt.meta.state import CurvePoint


def write(curve: Sequence[CurvePoint], folder: Path) -> None:
    """Writes curve.csv and curve.png into the folder."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([field.name for field in dataclasses.fields(CurvePoint)])
    table.writerows(dataclasses.astuple(point) for point in curve)
    write_atomically(folder / "curve.csv", text.getvalue().encode())
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    trials = [point.trials for point in curve]
    for name, color in (("before", "#e45756"), ("after", "#54a24b")):
        means = [getattr(point, name) for point in curve]
        errors = [getattr(point, f"{name}_se") for point in curve]
        axes.errorbar(trials, means, errors, color=color, marker="o", capsize=4, label=f"{name} adaptation")
    axes.set_xlabel("simulated trials")
    axes.set_ylabel("held-out return (m), mean and standard error")
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "curve.png", dpi=110)
