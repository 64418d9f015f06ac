"""Zero-order ES-MAML (arXiv 1910.01215, Algorithm 3): ascend E_T[f_T(U(theta, T))], U any adaptation operator.

Antithetic: both sides of a pair meet the same task and the same noise. The state (theta, moments, iteration) after every
iteration is a function of config and seed alone, whatever executor ran the work and however often it was interrupted, as long
as no work item failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware.types import FloatArray
from robot_adapt import __version__
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.executors import Executor, Failure
from robot_adapt.meta.task import TaskItem, TaskResult, check_runs, run_task
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.optim.operators import OperatorConfig
from robot_adapt.policy.linear import LinearPolicy, observation_names
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator
from sim.dynamics import Dynamics


@dataclass(frozen=True)
class CurvePoint:
    """Held-out returns (m) after so many iterations: means over tasks and their standard errors."""

    iteration: int
    trials: int
    before: float
    before_se: float
    after: float
    after_se: float


@dataclass(frozen=True)
class MetaState:
    """All that changes while training."""

    iteration: int
    trials: int
    theta: FloatArray
    moments: Moments
    curve: tuple[CurvePoint, ...]


class EsMaml:
    """Advances a MetaState; holds only what does not change."""

    def __init__(self, config: MetaTrainConfig, executor: Executor) -> None:
        self._config = config
        self._executor = executor

    def start(self) -> MetaState:
        trot = self._config.robot.robot.trot
        observations = len(observation_names(trot))
        size = (2 + 2 * trot.legs) * (observations + 1)
        return MetaState(0, 0, np.zeros(size), Moments.empty(observations), ())

    def check(self) -> None:
        """Raises what would make every work item fail: UserError for a joint that is not there, RobotError without PyBullet."""
        check_runs(self._item(self.policy(self.start()), self._config.robot.dynamics, None, 1, False, ()))

    def policy(self, state: MetaState) -> LinearPolicy:
        """The policy of a state, with what made it."""
        config, observations = self._config, state.moments.mean.size
        return LinearPolicy(
            config.robot.robot.body.name,
            config.period_s,
            config.robot.robot.trot,
            state.theta.reshape(-1, observations + 1),
            state.moments.normalizer(),
            {
                "made_by": f"robot_adapt {__version__} meta-train",
                "iterations": state.iteration,
                "trials": state.trials,
                "config": config.model_dump(mode="json"),
            },
        )

    def iterate(self, state: MetaState, on_trials: Callable[[int], None] = lambda _: None) -> MetaState:
        """One outer step; then, every so often, a point of the learning curve."""
        stage, within = self._config.stage_at(state.iteration)
        k = state.iteration
        policy = self.policy(state)
        perturbations = generator(self._config.seed, "outer", k).standard_normal((stage.pairs, state.theta.size))
        items = {}
        for pair, g in enumerate(perturbations):
            dynamics = self._sample(generator(self._config.seed, "task", k, pair))
            for side, sign in enumerate((1.0, -1.0)):
                moved = policy.with_parameters(state.theta + sign * stage.sigma * g)
                items[2 * pair + side] = self._item(moved, dynamics, stage.adaptation, 1, False, (k, pair))
        results = self._run(items, on_trials)
        values = [result.after if result is not None else math.nan for result in results]
        differences = np.array(values[0::2]) - np.array(values[1::2])
        fraction = within / stage.iterations
        step = stage.step + (stage.final_step - stage.step) * fraction
        moments, trials = state.moments, state.trials
        for result in results:
            if result is not None:
                moments, trials = moments.merge(result.moments), trials + result.trials
        theta = state.theta + es_step(perturbations, differences, step)
        state = replace(state, iteration=k + 1, trials=trials, theta=theta, moments=moments)
        if self._is_tested(state.iteration):
            state = replace(state, curve=(*state.curve, self._held_out(state, on_trials)))
        return state

    def trials_in(self, iteration: int) -> int:
        """How many trials that iteration (from 0) runs, its held-out test included; for progress."""
        stage, _ = self._config.stage_at(iteration)
        trials = 2 * stage.pairs * (1 + (stage.adaptation.trials if stage.adaptation is not None else 0))
        if self._is_tested(iteration + 1):
            test = self._config.held_out
            trials += test.tasks * (2 * test.fresh_trials + test.adaptation.trials)
        return trials

    def _is_tested(self, iterations: int) -> bool:
        return iterations % self._config.held_out.every == 0 or iterations == self._config.iterations

    def _held_out(self, state: MetaState, on_trials: Callable[[int], None]) -> CurvePoint:
        test, seed = self._config.held_out, self._config.seed
        policy = self.policy(state)
        items = {}
        for task in range(test.tasks):
            dynamics = self._sample(generator(seed, "held-out task", task))
            items[task] = self._item(policy, dynamics, test.adaptation, test.fresh_trials, True, (2**31, task))
        done = [result for result in self._run(items, on_trials) if result is not None]
        if len(done) < 2:
            raise RuntimeError("held-out evaluation needs two tasks that do not fail")
        before, after = np.array([r.before for r in done]), np.array([r.after for r in done])
        se = 1.0 / math.sqrt(len(done))
        return CurvePoint(
            state.iteration,
            state.trials,
            float(before.mean()),
            float(before.std(ddof=1) * se),
            float(after.mean()),
            float(after.std(ddof=1) * se),
        )

    def _sample(self, randomness: np.random.Generator) -> Dynamics:
        return self._config.tasks.sample(self._config.robot.dynamics, randomness)

    def _item(
        self, policy: LinearPolicy, dynamics: Dynamics, adaptation: OperatorConfig | None,
        fresh_trials: int, measure_before: bool, index: tuple[int, ...],
    ) -> TaskItem:  # fmt: skip
        c = self._config
        robot = c.robot.model_copy(update={"dynamics": dynamics})
        return TaskItem(policy, robot, c.trial_s, adaptation, fresh_trials, measure_before, c.seed, index)

    def _run(self, items: dict[int, TaskItem], on_trials: Callable[[int], None]) -> list[TaskResult | None]:
        """Results in the items' order; None for a failed one. Raises RuntimeError when more than half failed."""
        results: dict[int, TaskResult] = {}
        reason = ""
        for key, result in self._executor.map(run_task, items):
            if isinstance(result, Failure):
                reason = result.reason
            else:
                results[key] = result
                on_trials(result.trials)
        if 2 * len(results) < len(items):
            raise RuntimeError(f"{len(items) - len(results)} of {len(items)} work items failed: {reason}")
        return [results.get(key) for key in items]
