"""MetaState: all that changes while training, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardware.types import FloatArray
from robot_adapt.optim.ascent import AscentConfig, make_ascent
from robot_adapt.optim.space import Space
from robot_adapt.policy.normalizer import Moments


@dataclass(frozen=True)
class CurvePoint:
    """Held-out returns (m, where robots walk) after so many iterations: means over tasks and their standard errors."""

    iteration: int
    trials: int
    before: float
    before_se: float
    after: float
    after_se: float


@dataclass(frozen=True, eq=False)
class MetaState:
    """After so many iterations.

    Attributes:
        theta: the meta-parameters (d,).
        moments: of all observations so far; they make the normalizer.
        space: what was learned of where adaptation searches; None is the full weight space.
        returns: the mean return of every iteration's trials that count, as far as it has one.
        ascent: what the stage's ascent remembers; None at a stage's beginning.

    """

    iteration: int
    trials: int
    theta: FloatArray
    moments: Moments
    curve: tuple[CurvePoint, ...] = ()
    space: Space | None = None
    returns: tuple[float, ...] = ()
    ascent: dict[str, Any] | None = None

    def ascend(self, config: AscentConfig, gradient: FloatArray) -> tuple[FloatArray, dict[str, Any]]:
        """The step (n,) up a gradient (n,), and what the ascent remembers after it."""
        ascent = make_ascent(config, gradient.size)
        if self.ascent is not None:
            ascent.restore(self.ascent)
        return ascent.step(gradient), ascent.state()
