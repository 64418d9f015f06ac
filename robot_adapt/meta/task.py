"""One work item of meta-training: a robot in a sampled world, adapted or not, and measured afresh. Runs in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout


@dataclass(frozen=True)
class TaskItem:
    """A policy to adapt on a simulated robot.

    Attributes:
        index: with the seed, decides every random number; both sides of a mirrored pair share it.
        fresh_trials: how many trials before, and after, adaptation are averaged.
        measure_before: also try the policy unadapted; without adaptation, before is after.

    """

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    adaptation: OperatorConfig | None
    fresh_trials: int
    measure_before: bool
    seed: int
    index: tuple[int, ...]


@dataclass(frozen=True)
class TaskResult:
    """Mean returns (m) of fresh trials; `before` is NaN when not measured."""

    before: float
    after: float
    trials: int
    moments: Moments


def check_runs(item: TaskItem) -> None:
    """Opens the item's robot once. Raises RobotError without PyBullet, UserError when the policy does not fit the robot."""
    rig, _ = simulated_rig(item.robot)
    item.policy.check_fits(rig.robot.spec)
    rig.robot.connect()
    rig.robot.close()


def run_task(item: TaskItem) -> TaskResult:
    """Builds the world, adapts, measures on fresh trials. Raises when a trial is aborted: simulation has no excuse."""
    rig, _ = simulated_rig(item.robot)
    moments = Moments.empty(len(item.policy.observation_names))
    trials = 0

    def measure(parameters: FloatArray) -> float:
        nonlocal moments, trials
        rig.reset(generator(item.seed, "trial", *item.index, trials))
        trials += 1
        trial = rollout(rig.robot, rig.clock, item.policy.with_parameters(parameters), rig.returns, item.trial_s)
        if trial.value is None:
            raise RuntimeError(f"trial aborted: {trial.reason}")
        if len(trial.observations):
            moments = moments.merge(Moments.of(trial.observations))
        return trial.value

    def mean_of_fresh(parameters: FloatArray) -> float:
        return float(np.mean([measure(parameters) for _ in range(item.fresh_trials)]))

    rig.robot.connect()
    try:
        theta = item.policy.parameters
        before = mean_of_fresh(theta) if item.measure_before else float("nan")
        if item.adaptation is not None:
            seed = int(generator(item.seed, "operator", *item.index).integers(2**32))
            operator = make_operator(item.adaptation, theta, seed)
            while candidates := operator.ask():
                for candidate in candidates:
                    operator.tell(candidate.id, measure(candidate.parameters))
            theta = operator.best.parameters
        return TaskResult(before, mean_of_fresh(theta), trials, moments)
    finally:
        rig.robot.close()
