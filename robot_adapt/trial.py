"""Trial: what one run of a policy on a robot came to."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray


class Status(enum.Enum):
    """How a trial ended; only an aborted one has no return."""

    COMPLETED = "completed"
    FELL = "fell"
    ABORTED = "aborted"


@dataclass(frozen=True)
class Trial:
    """What happened: `value` is the return, or None when the trial was aborted (an aborted trial is never a score).

    `telemetry` arrays have one row a control tick (`path_m` one more: where it began), `late_s` how late that tick began;
    `missed_ticks` counts deadlines that had passed and were skipped.
    """

    status: Status
    reason: str
    value: float | None
    duration_s: float
    missed_ticks: int
    telemetry: dict[str, NDArray[np.float32]] = field(repr=False)
    observations: FloatArray = field(repr=False)

    def scored(self) -> float:
        """The return (m). Raises RuntimeError when the trial was aborted: simulation has no excuse."""
        if self.value is None:
            raise RuntimeError(f"trial aborted: {self.reason}")
        return self.value
