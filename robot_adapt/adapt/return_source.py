"""Where the return of a trial comes from: a robot does not see how far it walked, so this is always said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from robot_adapt.config import FROZEN, NonNegative, Positive

# Farther is a slip of the keys, or centimetres: small legged robots reach 3 m/s; one that falls lands off its start.
_FASTEST_M_S, _SLACK_M = 5.0, 1.0


class ReturnConfig(BaseModel):
    """Return = forward progress, counted up to `top_speed_m_s`, less what work and drift cost.

    Attributes:
        energy_weight_per_j: of the motors' mechanical work.
        drift_weight: of the distance to the side at the trial's end.

    """

    model_config = FROZEN
    top_speed_m_s: Positive
    energy_weight_per_j: NonNegative
    drift_weight: NonNegative = 0.0


class ReturnSource(Protocol):
    """Measures one trial after another."""

    name: str

    def begin(self) -> None:
        """A trial begins here."""

    def tick(self, period_s: float) -> None:
        """One control period has passed."""

    def finish(self) -> float:
        """The return (m) of the trial that began last."""

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        """What else was measured, a row a tick."""


@dataclass(frozen=True)
class Progress:
    """Where the base is (m, world) and the work done since a reset (J)."""

    x_m: float
    y_m: float
    energy_j: float


class MeasuredProgress:
    """The return from a source that follows the base: simulation truth, motion capture. Forward is the world's x."""

    def __init__(self, name: str, measure: Callable[[], Progress], config: ReturnConfig) -> None:
        self.name = name
        self._measure = measure
        self._config = config

    def begin(self) -> None:
        self._last = self._measure()
        self._start_j = self._last.energy_j
        self._path = [(self._last.x_m, self._last.y_m)]
        self._progress_m = 0.0

    def tick(self, period_s: float) -> None:
        now = self._measure()
        self._progress_m += min(now.x_m - self._last.x_m, self._config.top_speed_m_s * period_s)
        self._path.append((now.x_m, now.y_m))
        self._last = now

    def finish(self) -> float:
        work_j, drift_m = self._last.energy_j - self._start_j, abs(self._last.y_m - self._path[0][1])
        return self._progress_m - self._config.energy_weight_per_j * work_j - self._config.drift_weight * drift_m

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        path = np.array(self._path)
        return {"path_m": (path - path[0]).astype(np.float32)}


class OperatorMeasurement:
    """The return a person reads off a tape measure (m), asked again for as long as no robot walks that far in a trial's time.

    Args:
        ask: is given what was wrong with the answer before, or nothing, and returns the next one.

    """

    name = "operator"

    def __init__(self, ask: Callable[[str], float]) -> None:
        self._ask = ask
        self._duration_s = 0.0

    def begin(self) -> None:
        self._duration_s = 0.0

    def tick(self, period_s: float) -> None:
        self._duration_s += period_s

    def finish(self) -> float:
        farthest_m, why = _FASTEST_M_S * self._duration_s + _SLACK_M, ""
        while not abs(walked_m := self._ask(why)) <= farthest_m:  # also of a NaN
            why = f"{walked_m:g} m in {self._duration_s:.1f} s is no distance walked: it is asked for in metres"
        return walked_m

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        return {}
