"""Pictures of a recovery, drawn from its numbers and trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.report.recovery import Recovery
from robot_adapt.trial import Status

COLORS = {
    Phase.HEALTHY: "#4c78a8",
    Phase.HOBBLED: "#e45756",
    Phase.ADAPTATION: "#9d9d9d",
    Phase.ADAPTED: "#54a24b",
}
MEASURED = (Phase.HEALTHY, Phase.HOBBLED, Phase.ADAPTED)


def draw_recovery(numbers: Recovery, trials: Sequence[TrialRecord], path: Path) -> None:
    """Means with intervals, the return of every adaptation trial, and the paths walked; one PNG."""
    figure = Figure(figsize=(11.0, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 2.2), height_ratios=(1.25, 1))
    figure.suptitle(f"{numbers.robot}: {numbers.hobble or 'as it is'}", fontsize=13, parse_math=False)
    _draw_means(figure.add_subplot(grid[0, 0]), numbers)
    _draw_trials(figure.add_subplot(grid[0, 1]), numbers, trials)
    _draw_paths(figure.add_subplot(grid[1, :]), trials)
    figure.savefig(path, dpi=110)


def _draw_means(axes: Axes, numbers: Recovery) -> None:
    names: list[str] = []
    for phase in MEASURED:
        measured = getattr(numbers, phase.value)
        if measured is None:
            continue
        axes.bar(len(names), measured.mean, color=COLORS[phase], width=0.65)
        if measured.ci95 is not None:
            axes.errorbar(len(names), measured.mean, measured.mean - measured.ci95[0], color="black", capsize=6)
        names.append(f"{phase.value}\n{measured.mean:.2f} m")
    axes.set_xticks(range(len(names)), names)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylabel("return (m), mean of fresh trials, 95 %")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_trials(axes: Axes, numbers: Recovery, trials: Sequence[TrialRecord]) -> None:
    tried = [t for t in trials if t.phase is Phase.ADAPTATION]
    scored = [(i + 1, t.value, t.status) for i, t in enumerate(tried) if t.value is not None]
    for status, marker, phase in ((Status.COMPLETED, "o", Phase.ADAPTATION), (Status.FELL, "x", Phase.HOBBLED)):
        points = [(number, value) for number, value, ended in scored if ended is status]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=COLORS[phase], label=f"trial that {status.value}")
    if scored:
        numbered, values, _ = zip(*scored, strict=True)
        axes.step(numbered, np.maximum.accumulate(values), where="post", color="black", label="best single trial")
    for phase in MEASURED:
        if (measured := getattr(numbers, phase.value)) is not None:
            axes.axhline(measured.mean, color=COLORS[phase], linestyle="--", label=f"{phase.value}, fresh trials")
    axes.set_xlabel("adaptation trial")
    axes.set_ylabel("return (m)")
    axes.legend(fontsize=8, loc="best", ncols=2)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_paths(axes: Axes, trials: Sequence[TrialRecord]) -> None:
    for phase in MEASURED:
        paths = [t.telemetry["path_m"] for t in trials if t.phase is phase and "path_m" in t.telemetry]
        for i, path in enumerate(paths):
            axes.plot(path[:, 0], path[:, 1], color=COLORS[phase], alpha=0.6, label=None if i else phase.value)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("walked forward (m)")
    axes.set_ylabel("to the left (m)")
    if axes.lines:
        axes.legend(fontsize=8)
    else:
        axes.text(0.5, 0.5, "this return source does not follow the robot", ha="center", transform=axes.transAxes)
    axes.spines[["top", "right"]].set_visible(False)
