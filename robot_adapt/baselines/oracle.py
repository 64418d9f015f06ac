"""Oracle: evolution strategies on the hobbled robot itself until they stop improving: what adaptation could reach at best.

No adaptation may have its budget (thousands of trials, with simulation's common random numbers); its return is the ceiling of
the gap that the others close. From scratch (theta = 0: the trajectory generator alone), from the meta-policy or from a member
of a repertoire it may end on different hills: the caller chooses where it begins.

The rule: every so many iterations theta is measured, each time under the same noise. After `patience` measurements in a row
that are not `worth_m` better than the best one sigma and step are halved, and the search goes on from that best one (wide
finds another walk, narrow betters it); at the last of `halvings` it stops instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.lane import Lane
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator

_CHECK, _FRESH = 2**31, 2**31 + 1


class OracleConfig(BaseModel):
    """See the rule above.

    Attributes:
        most: iterations, whether it still improves or not.
        every: iterations between measurements.
        check: trials a measurement.
        fresh: trials that measure start and end.

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
    fresh: Count = 32


@dataclass(frozen=True, eq=False)
class OracleItem:
    """A hobbled robot, and parameters (d,) to begin with."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    start: FloatArray
    config: OracleConfig
    seed: int
    task: int


@dataclass(frozen=True, eq=False)
class Oracle:
    """Where the search ended.

    Attributes:
        theta: (d,), the best measured.
        before, after: mean returns (m) of fresh trials at the start, and of theta.
        trials: all of them.
        settled: it stopped by the rule; False means that it might have gone on.
        checks: the measurements (m), the first one of the start.

    """

    theta: FloatArray
    before: float
    after: float
    trials: int
    settled: bool
    checks: tuple[float, ...]

    def __str__(self) -> str:
        settled = "" if self.settled else ", not settled"
        return f"oracle {self.before:.2f} -> {self.after:.2f} m in {self.trials} trials{settled}"


def find_oracle(item: OracleItem) -> Oracle:
    """Runs all trials of an item in one world. In any process."""
    with Lane(item.policy, item.robot, item.trial_s, item.seed, "oracle trial") as lane:
        theta, checks, settled = climb(lane, item.start, item.config, item.seed, item.task)
        before, after = (lane.mean(one, item.config.fresh, item.task, _FRESH) for one in (item.start, theta))
        return Oracle(theta, before, after, lane.trials, settled, checks)


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
