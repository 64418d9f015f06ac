"""Work items of a repertoire's training: one specialist, or one row of the return matrix. Run in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import SpecialistConfig
from robot_adapt.repertoire.trace import trace
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial


class Lane:
    """One simulated robot in one world, for trials whose noise the index decides."""

    def __init__(self, policy: LinearPolicy, robot: SimulatedRobotConfig, trial_s: float, seed: int) -> None:
        self.policy, self._trial_s, self._seed = policy, trial_s, seed
        self._rig, _ = simulated_rig(robot)
        self._rig.robot.connect()
        self.trials = 0

    def trial(self, theta: FloatArray, *index: int) -> Trial:
        """Raises RuntimeError when it is aborted: simulation has no excuse."""
        self._rig.reset(generator(self._seed, "repertoire trial", *index))
        self.trials += 1
        trial = rollout(self._rig.robot, self._rig.clock, self.policy.with_parameters(theta), self._rig.returns, self._trial_s)
        if trial.value is None:
            raise RuntimeError(f"trial aborted: {trial.reason}")
        return trial

    def value(self, theta: FloatArray, *index: int) -> float:
        value = self.trial(theta, *index).value
        assert value is not None  # noqa: S101  see trial
        return value

    def close(self) -> None:
        self._rig.robot.close()


@dataclass(frozen=True)
class SpecialistItem:
    """ES from `start` (d,) on one world; `fresh` trials measure start and end."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    start: FloatArray
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
    c, lane, theta = item.config, Lane(item.policy, item.robot, item.trial_s, item.seed), item.start.copy()
    try:
        for k in range(c.iterations):
            g = generator(item.seed, "specialist", item.task, k).standard_normal((c.pairs, theta.size))
            differences = np.array(
                [
                    lane.value(theta + c.sigma * one, item.task, k, pair)
                    - lane.value(theta - c.sigma * one, item.task, k, pair)
                    for pair, one in enumerate(g)
                ]
            )
            theta = theta + es_step(g, differences, c.step + (c.final_step - c.step) * k / c.iterations)
        before, after = (
            float(np.mean([lane.value(one, item.task, 2**31, i) for i in range(item.fresh)])) for one in (item.start, theta)
        )
        return Specialist(theta, before, after, lane.trials)
    finally:
        lane.close()


@dataclass(frozen=True)
class RowItem:
    """All members (K, d) on one world, so many trials each."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    members: FloatArray
    trials: int
    seed: int
    task: int


@dataclass(frozen=True)
class Row:
    """Returns (K, trials) and the trace (F,) of the first member's first trial."""

    returns: FloatArray
    trace: FloatArray
    trials: int

    def __str__(self) -> str:
        means = self.returns.mean(axis=1)
        return f"meta-policy {means[0]:.2f}, best member {means.max():.2f} m"


def measure_row(item: RowItem) -> Row:
    """Every trial has noise of its own, the same for all members."""
    lane = Lane(item.policy, item.robot, item.trial_s, item.seed)
    try:
        first = lane.trial(item.members[0], item.task, 2**32 - 1)
        returns = [[lane.value(member, item.task, 2**30, i) for i in range(item.trials)] for member in item.members]
        return Row(np.array(returns), trace(first.telemetry, round(item.trial_s / item.policy.period_s)), lane.trials)
    finally:
        lane.close()
