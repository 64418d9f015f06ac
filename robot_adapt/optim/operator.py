"""AdaptationOperator: the seam between what proposes parameters and what tries them, in a simulator or on a robot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray

Outcome = float | None
"""A return, or None when the trial was aborted: an aborted trial is never a score."""

Telemetry = Mapping[str, NDArray[np.float32]]
"""What a robot measured in a trial, a row a tick; see Trial."""


@dataclass(frozen=True)
class Candidate:
    """Parameters (d,) to try once; ids count up from 0 and are never used twice. `why` is for people."""

    id: int
    parameters: FloatArray
    why: str = ""


@dataclass(frozen=True)
class Best:
    """What the operator believes best; `value` is its worth by what was told, noise and luck included; -inf when never told."""

    parameters: FloatArray
    value: float


class AdaptationOperator(Protocol):
    """Ask, try, tell, until nothing is asked."""

    @property
    def best(self) -> Best: ...

    def ask(self) -> list[Candidate]:
        """The candidates of this round not told yet, the same ones however often asked; none when the budget is spent."""

    def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
        """The outcome of a candidate asked for, and the trial's telemetry for those who have use for it.

        Raises ValueError for any other id, or a return that is not finite.
        """

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on identically, as plain JSON values."""

    def restore(self, state: dict[str, Any]) -> None: ...


def check_outcome(outcome: Outcome) -> None:
    """Raises ValueError for a return that is not finite."""
    if outcome is not None and not math.isfinite(outcome):
        raise ValueError(f"a return must be finite or None (aborted), not {outcome}")


def finite_vector(parameters: FloatArray) -> FloatArray:
    """A copy of a start point (d,) as float64. Raises ValueError when it holds a value that is not finite."""
    vector = np.array(parameters, dtype=np.float64)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError("the start parameters must be one finite vector")
    return vector
