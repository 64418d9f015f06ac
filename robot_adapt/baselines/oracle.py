"""Oracle: evolution strategies on the hobbled robot itself until they stop improving: what adaptation could reach at best.

No adaptation may have its budget (thousands of trials, with simulation's common random numbers); its return is the ceiling of
the gap that the others close. From scratch (theta = 0: the trajectory generator alone), from the meta-policy or from a member
of a repertoire it may end on different hills: the caller chooses where it begins.

The rule: every so many iterations theta is measured, each time under the same noise. After `patience` measurements in a row
that are not `worth_m` better than the best one sigma and step are halved, and the search goes on from that best one (wide
finds another walk, narrow betters it); at the last of `halvings` it stops instead.
"""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.randomness import generator

_CHECK = 2**31


class OracleConfig(BaseModel):
    """See the rule above.

    Attributes:
        most: iterations, whether it still improves or not.
        every: iterations between measurements.
        check: trials a measurement.

    """

    model_config = FROZEN
    kind: Literal["oracle"] = "oracle"
    pairs: Count
    sigma: Positive
    step: Positive
    most: Count = 1000
    every: Count = 10
    check: Count = 16
    worth_m: NonNegative = 0.01
    patience: Count = 2
    halvings: Count = 3


class Ground(Protocol):
    """What is climbed: of Lane, what it takes."""

    def mean(self, theta: FloatArray, trials: int, *index: int) -> float: ...
    def differences(self, theta: FloatArray, steps: FloatArray, *index: int) -> FloatArray: ...


def climb(
    ground: Ground, start: FloatArray, config: OracleConfig, seed: int, task: int
) -> tuple[FloatArray, tuple[float, ...], bool]:
    """The best theta measured, all measurements, and whether the rule ended it."""
    c, theta, sigma, step = config, start, config.sigma, config.step
    best, failures, halvings = start, 0, 0
    checks = [ground.mean(start, c.check, task, _CHECK)]
    highest = checks[0]
    for k in range(c.most):
        g = generator(seed, "oracle", task, k).standard_normal((c.pairs, theta.size))
        theta = theta + es_step(g, ground.differences(theta, sigma * g, task, k), step)
        if (k + 1) % c.every:
            continue
        checks.append(ground.mean(theta, c.check, task, _CHECK))
        if checks[-1] > highest + c.worth_m:
            best, highest, failures = theta, checks[-1], 0
            continue
        failures += 1
        if failures == c.patience:
            theta, sigma, step, failures, halvings = best, sigma / 2.0, step / 2.0, 0, halvings + 1
            if halvings == c.halvings:
                return best, tuple(checks), True
    return best, tuple(checks), False
