"""TrialRecord: what is kept of a trial, on disk and on the wire.

No wall-clock time enters: the same seed gives the same bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.trial import Status


class Phase(enum.Enum):
    """What a trial was for."""

    HEALTHY = "healthy"
    HOBBLED = "hobbled"
    ADAPTATION = "adaptation"
    ADAPTED = "adapted"


@dataclass(frozen=True, eq=False)
class TrialRecord:
    """One trial of a session; `number` counts from 0 in a session, `candidate` is the operator's number, if any.

    `value` (m) is None for an aborted trial. `hobble` says in words what was done to the robot; empty for nothing.
    `why` says in words why the operator tried its candidate, where it has a reason; `reason`, why the trial did not complete.
    `events` counts by reason what the robot's drivers and its safety supervisor did on their own, from the trial's reset on.
    """

    robot: str
    session: str
    number: int
    phase: Phase
    status: Status
    reason: str
    value: float | None
    return_source: str
    seed: int
    candidate: int | None
    hobble: str
    duration_s: float
    period_s: float
    missed_ticks: int
    parameters: FloatArray = field(repr=False)
    telemetry: dict[str, NDArray[np.float32]] = field(repr=False)
    events: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
