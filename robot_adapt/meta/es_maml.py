"""ES-MAML's outer loop (arXiv 1910.01215): stage by stage, work items out, an ascent step in, tests on tasks never trained on.

The state after every iteration is a function of plan and arena alone, whatever executor ran the work, in whatever order it came
back, and however often training was interrupted, as long as no work item failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Protocol, TypeVar

import numpy as np

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient_maml import PolicyGradientMaml, PolicyGradientStageConfig
from robot_adapt.errors import UserError
from robot_adapt.meta.arena import Arena
from robot_adapt.meta.executors import Executor, Item, gather
from robot_adapt.meta.first_order import FirstOrder, FirstOrderStageConfig
from robot_adapt.meta.plan import HeldOutConfig, Plan
from robot_adapt.meta.state import CurvePoint, MetaState
from robot_adapt.meta.subspace import Subspace, SubspaceStageConfig
from robot_adapt.meta.task import TaskItem, run_task
from robot_adapt.meta.zero_order import StageConfig, ZeroOrder
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator


class DivergedError(UserError):
    """Meta-training was given up; the message says why."""


class Measured(Protocol):
    """What every work item's result tells."""

    @property
    def value(self) -> float: ...
    @property
    def trials(self) -> int: ...
    @property
    def moments(self) -> Moments: ...


Done = TypeVar("Done", bound=Measured)


class Iteration(Protocol[Item, Done]):
    """One iteration of one algorithm: what to run, in any process, and what follows from the results."""

    @property
    def items(self) -> Mapping[int, Item]: ...
    @property
    def run(self) -> Callable[[Item], Done]: ...
    def learn(self, results: Sequence[Done | None]) -> MetaState:
        """The state with what was learned from the results, in the items' order; None stands for a failed item."""


class EsMaml:
    """Advances a MetaState; holds only what does not change."""

    def __init__(self, plan: Plan, arena: Arena, executor: Executor) -> None:
        self._plan, self._arena, self._executor = plan, arena, executor

    def start(self) -> MetaState:
        return self._arena.start()

    def iterate(self, state: MetaState, on_trials: Callable[[int], None] = lambda _: None) -> MetaState:
        """One outer step; then, every so often, a point of the learning curve. Raises DivergedError."""
        stage, done = self._plan.stage_at(state.iteration)
        given = done, self._arena, self._plan.seed, state
        match stage:
            case StageConfig():
                state = self._advance(state, ZeroOrder(stage, *given), on_trials)
            case FirstOrderStageConfig():
                state = self._advance(state, FirstOrder(stage, *given), on_trials)
            case PolicyGradientStageConfig():
                state = self._advance(state, PolicyGradientMaml(stage, *given), on_trials)
            case SubspaceStageConfig():
                state = self._advance(state, Subspace(stage, *given), on_trials)
        if done + 1 == stage.iterations:
            state = replace(state, ascent=None)
        self._check(state)
        if (test := self._plan.test_after(state.iteration)) is not None:
            state = replace(state, curve=(*state.curve, self._held_out(test, state, on_trials)))
        return state

    def is_good(self, state: MetaState) -> bool:
        """Whether there is a rule against diverging, and no window of iterations was better than the last one."""
        levels = self._levels(state)
        return bool(levels.size) and bool(levels[-1] == levels.max())

    def _advance(self, state: MetaState, iteration: Iteration[Item, Done], on_trials: Callable[[int], None]) -> MetaState:
        results = self._run(iteration.run, iteration.items, on_trials)
        learned = iteration.learn(results)
        done = [result for result in results if result is not None]
        return replace(
            learned,
            iteration=state.iteration + 1,
            trials=state.trials + sum(result.trials for result in done),
            moments=reduce(Moments.merge, (result.moments for result in done), state.moments),
            returns=(*state.returns, float(np.mean([result.value for result in done]))),
        )

    def _check(self, state: MetaState) -> None:
        if not np.isfinite(state.theta).all():
            raise DivergedError(f"meta-training diverged in iteration {state.iteration}: theta is no longer finite")
        rule, levels = self._plan.divergence, self._levels(state)
        if rule is not None and levels.size and levels[-1] < levels.max() - rule.drop:
            best = int(levels.argmax())
            raise DivergedError(
                f"meta-training diverged: the mean return of iterations {state.iteration - rule.window} to "
                f"{state.iteration - 1} is {levels[-1]:.3g}, that of {best} to {best + rule.window - 1} was "
                f"{levels[best]:.3g}, and divergence.drop is {rule.drop:g}"
            )

    def _levels(self, state: MetaState) -> FloatArray:
        """The mean return of every window of iterations that the rule looks at."""
        rule = self._plan.divergence
        if rule is None or len(state.returns) < rule.window:
            return np.zeros(0)
        return np.convolve(state.returns, np.full(rule.window, 1.0 / rule.window), "valid")

    def _held_out(self, test: HeldOutConfig, state: MetaState, on_trials: Callable[[int], None]) -> CurvePoint:
        seed = self._plan.seed
        items = {
            task: TaskItem(
                self._arena.world(state.moments, generator(seed, "held-out task", task)), state.theta, test.adaptation,
                state.space, test.fresh_trials, True, seed, (2**31, task), test.common_noise,
            )
            for task in range(test.tasks)
        }  # fmt: skip
        done = [result for result in self._run(run_task, items, on_trials) if result is not None]
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

    def _run(
        self, function: Callable[[Item], Done], items: Mapping[int, Item], on_trials: Callable[[int], None]
    ) -> list[Done | None]:
        """Results in the items' order; None for a failed one. Raises RuntimeError when more than half failed."""
        results = gather(self._executor, function, items, lambda result: on_trials(result.trials))
        return [results.get(key) for key in items]


def train(algorithm: EsMaml, iterations: int, state: MetaState | None = None) -> MetaState:
    """So many iterations in all, from the start or a state."""
    state = algorithm.start() if state is None else state
    while state.iteration < iterations:
        state = algorithm.iterate(state)
    return state
