"""Work items of a repertoire's training: one specialist, or one row of the return matrix. Run in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.lane import Lane
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import SpecialistConfig
from robot_adapt.repertoire.trace import trace
from sim.dynamics import Dynamics

_TRIAL = "repertoire trial"


@dataclass(frozen=True)
class SpecialistItem:
    """ES from `start` (d,) in each of `worlds` in turn; `fresh` trials in the first one measure start and end.

    `guide` (k, d) are directions scaled so that Gaussian weights of unit variance make a step as long as a standard normal one.
    """

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    worlds: tuple[Dynamics, ...]
    trial_s: float
    start: FloatArray
    guide: FloatArray
    config: SpecialistConfig
    fresh: int
    seed: int
    task: int


@dataclass(frozen=True)
class Specialist:
    """Where the search ended, and mean returns (m) of fresh trials before and after."""

    theta: FloatArray
    before: float
    after: float
    trials: int

    def __str__(self) -> str:
        return f"specialist {self.before:.2f} -> {self.after:.2f} m"


def train_specialist(item: SpecialistItem) -> Specialist:
    """Evolution strategies with mirrored pairs that share their noise."""
    c, theta = item.config, item.start.copy()

    def lane(world: Dynamics, trial_s: float) -> Lane:
        robot = item.robot.model_copy(update={"dynamics": world})
        return Lane(item.policy, robot, trial_s, item.seed, _TRIAL)

    for k in range(c.iterations):
        sigma, step = c.at(k)
        draw = generator(item.seed, "specialist", item.task, k)
        g = draw.standard_normal((c.pairs, theta.size))
        if c.guided and len(item.guide):
            along = draw.standard_normal((c.pairs, len(item.guide))) @ item.guide
            g = np.sqrt(1.0 - c.guided) * g + np.sqrt(c.guided) * along
        with lane(item.worlds[k % len(item.worlds)], c.trial_s or item.trial_s) as there:
            differences = there.differences(theta, sigma * g, item.task, k)
        theta = theta + es_step(g, differences, step)
    with lane(item.worlds[0], item.trial_s) as first:
        before, after = (first.mean(one, item.fresh, item.task, 2**31) for one in (item.start, theta))
    return Specialist(theta, before, after, c.trials + 2 * item.fresh)


@dataclass(frozen=True)
class RowItem:
    """All members (K, d) on one world, so many trials each; `traced` is the robot that leaves the trace, in the same world."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    traced: SimulatedRobotConfig
    trial_s: float
    members: FloatArray
    trials: int
    seed: int
    task: int


@dataclass(frozen=True)
class Row:
    """Returns (K, trials) and the trace (F,) of the first member's first trial; None when it fell before its first tick."""

    returns: FloatArray
    trace: FloatArray | None
    trials: int

    def __str__(self) -> str:
        means = self.returns.mean(axis=1)
        return f"meta-policy {means[0]:.2f}, best member {means.max():.2f} m"


def measure_row(item: RowItem) -> Row:
    """Every trial has noise of its own, the same for all members."""
    with Lane(item.policy, item.traced, item.trial_s, item.seed, _TRIAL) as lane:
        first = lane.trial(item.members[0], item.task, 2**32 - 1)
    with Lane(item.policy, item.robot, item.trial_s, item.seed, _TRIAL) as lane:
        returns = [[lane.value(member, item.task, 2**30, i) for i in range(item.trials)] for member in item.members]
        walked = len(first.telemetry["position_rad"]) > 0
        features = trace(first.telemetry, item.policy.ticks_in(item.trial_s)) if walked else None
        return Row(np.array(returns), features, lane.trials + 1)
