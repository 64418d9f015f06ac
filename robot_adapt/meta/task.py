"""One work item of meta-training: theta in a sampled world, adapted or not, and measured afresh. Runs in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray
from robot_adapt.meta.arena import World
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.optim.space import Space
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator


@dataclass(frozen=True)
class TaskItem:
    """Parameters to adapt in a world.

    Attributes:
        theta: (d,).
        space: where adaptation searches; None is the full weight space.
        fresh_trials: how many trials before, and after, adaptation are averaged.
        measure_before: also try theta unadapted; without adaptation, before is after.
        seed, index: decide every random number; items that share them meet the same noise trial by trial.
        common_fresh: fresh trials before and after, whatever the adaptation's budget, meet the same noise.

    """

    world: World
    theta: FloatArray
    adaptation: OperatorConfig | None
    space: Space | None
    fresh_trials: int
    measure_before: bool
    seed: int
    index: tuple[int, ...]
    common_fresh: bool = False


@dataclass(frozen=True)
class TaskResult:
    """Mean returns of fresh trials; `before` is NaN when not measured."""

    before: float
    after: float
    trials: int
    moments: Moments

    @property
    def value(self) -> float:
        return self.after


def run_task(item: TaskItem) -> TaskResult:
    """Opens the world, adapts, measures on fresh trials. Raises when a trial is aborted."""
    opened, theta, trials = item.world.open(), item.theta, 0

    def measure(parameters: FloatArray, noise: np.random.Generator | None = None) -> float:
        nonlocal trials
        value = opened.trial(parameters, noise or generator(item.seed, "trial", *item.index, trials))
        trials += 1
        return value

    def mean_of_fresh(parameters: FloatArray) -> float:
        noises = [
            generator(item.seed, "fresh", *item.index, i) if item.common_fresh else None for i in range(item.fresh_trials)
        ]
        values = [measure(parameters, noise) for noise in noises]
        return values[0] if len(values) == 1 else float(np.mean(values))  # outer loops ask for one, hundreds of times

    try:
        before = mean_of_fresh(theta) if item.measure_before else float("nan")
        if item.adaptation is not None:
            seed = int(generator(item.seed, "operator", *item.index).integers(2**32))
            operator = make_operator(item.adaptation, theta, seed, item.space)
            while candidates := operator.ask():
                for candidate in candidates:
                    operator.tell(candidate.id, measure(candidate.parameters))
            theta = operator.best.parameters
        return TaskResult(before, mean_of_fresh(theta), trials, opened.moments)
    finally:
        opened.close()
