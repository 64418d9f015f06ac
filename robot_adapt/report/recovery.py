"""The numbers of a recovery, from trials alone: what was measured afresh before and after, never the winner's lucky score."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.errors import UserError
from robot_adapt.trial import Status

# Student's t, 97.5 % quantile, for 1 to 30 degrees of freedom.
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def confidence_interval_95(values: Sequence[float]) -> tuple[float, float] | None:
    """Of the mean, by Student's t; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = float(np.mean(values))
    t = _T_975[n - 2] if n - 2 < len(_T_975) else 1.96 + 2.4 / (n - 1)
    half = t * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean - half, mean + half


@dataclass(frozen=True)
class Measured:
    """Fresh trials of one policy: mean return (m), its 95 % interval, how many trials, how many of them falls."""

    mean: float
    ci95: tuple[float, float] | None
    trials: int
    falls: int

    @classmethod
    def of(cls, trials: Sequence[TrialRecord]) -> Measured | None:
        values = [trial.value for trial in trials if trial.value is not None]
        if not values:
            return None
        falls = sum(trial.status is Status.FELL for trial in trials)
        return cls(float(np.mean(values)), confidence_interval_95(values), len(values), falls)


@dataclass(frozen=True)
class Recovery:
    """One session told in numbers. A part not measured is None.

    Aborted trials have no return: they count in `aborted`, `events` and what was spent.
    `calibration` says by which file joint angles were measured; empty where there was none, as in simulation.
    """

    robot: str
    session: str
    hobble: str
    seed: int
    policy_sha256: str
    return_source: str
    healthy: Measured | None
    hobbled: Measured | None
    adapted: Measured | None
    adaptation_trials: int
    robot_seconds: float
    aborted: int
    events: Mapping[str, int]
    calibration: str = ""

    @property
    def recovered_share(self) -> float | None:
        """(adapted - hobbled) / (healthy - hobbled): 0 is no better, 1 is as good as before; None when nothing was lost."""
        if self.healthy is None or self.hobbled is None or self.adapted is None:
            return None
        lost = self.healthy.mean - self.hobbled.mean
        return (self.adapted.mean - self.hobbled.mean) / lost if lost > 0.0 else None

    def as_json(self) -> dict[str, Any]:
        def part(measured: Measured | None) -> dict[str, Any] | None:
            return None if measured is None else {**vars(measured)}

        parts = {name: part(getattr(self, name)) for name in ("healthy", "hobbled", "adapted")}
        return {**vars(self), **parts, "recovered_share": self.recovered_share}


def recovery(trials: Sequence[TrialRecord], policy_sha256: str) -> Recovery:
    """The numbers of one session's trials. Raises UserError when there are none."""
    if not trials:
        raise UserError("the session has no trials yet")
    by_phase = {phase: [t for t in trials if t.phase is phase] for phase in Phase}
    adaptation = by_phase[Phase.ADAPTATION]
    last = trials[-1]
    return Recovery(
        robot=last.robot,
        session=last.session,
        hobble=next((t.hobble for t in trials if t.hobble), ""),
        seed=last.seed,
        policy_sha256=policy_sha256,
        return_source=last.return_source,
        healthy=Measured.of(by_phase[Phase.HEALTHY]),
        hobbled=Measured.of(by_phase[Phase.HOBBLED]),
        adapted=Measured.of(by_phase[Phase.ADAPTED]),
        adaptation_trials=len(adaptation),
        robot_seconds=round(sum(t.duration_s for t in adaptation), 6),
        aborted=sum(t.status is Status.ABORTED for t in trials),
        events=dict(sorted(sum((Counter(t.events) for t in trials), Counter[str]()).items())),
    )
