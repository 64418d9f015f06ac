"""Zero-order ES-MAML (arXiv 1910.01215, Algorithm 3): the smoothed gradient of E_T[f_T(U(theta, T))], U any operator.

Antithetic, both sides of a pair meet the same tasks: their difference is free of what a task is worth in itself, so that
differences compare across pairs, each with tasks of its own. Forward, all perturbations of an iteration meet the same tasks,
and the mean over perturbations is taken off each. With `exploration` the operator's space is trained too: phi = (theta, log s),
s the lengths of the space's axes, is what is perturbed and climbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, SerializerFunctionWrapHandler, model_serializer, model_validator

from hardware.types import FloatArray
from robot_adapt.config import FROZEN, Count, NonNegative, Positive
from robot_adapt.meta.arena import Arena
from robot_adapt.meta.neutral import without_defaults
from robot_adapt.meta.state import MetaState
from robot_adapt.meta.task import TaskItem, TaskResult, run_task
from robot_adapt.optim.ascent import AscentConfig, SgdConfig
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.operators import OperatorConfig
from robot_adapt.optim.perturbations import GaussianConfig, PerturbationConfig, draw
from robot_adapt.optim.space import Space
from robot_adapt.randomness import generator


class ExplorationConfig(BaseModel):
    """Of log s: `sigma` of its perturbations; `step` of its ascent, which shrinks as the stage's does."""

    model_config = FROZEN
    sigma: Positive
    step: Positive


class StageConfig(BaseModel):
    """Some iterations of the outer loop with one setting; stages run in order, each from where the last one ended.

    Without `adaptation` the operator is the identity, and ES-MAML is evolution strategies under domain randomization.

    Attributes:
        pairs: perturbations an iteration: mirrored pairs, or, forward, single ones.
        sigma, step: of the outer perturbations and the outer ascent.
        final_step: the step shrinks evenly to this at the stage's end.
        antithetic: False is forward.
        tasks: each perturbation is tried on.
        common_noise: perturbations that meet the same task meet the same noise, trial by trial.
        ascent: its own step multiplies the stage's.
        exploration: also learn the lengths of the axes that adaptation searches.

    """

    model_config = FROZEN
    name: str
    iterations: Count
    pairs: Count
    sigma: Positive
    step: Positive
    final_step: NonNegative
    adaptation: OperatorConfig | None = None
    kind: Literal["zero_order"] = "zero_order"
    antithetic: bool = True
    tasks: Count = 1
    common_noise: bool = True
    perturbations: PerturbationConfig = GaussianConfig()
    gradient: GradientConfig = GradientConfig(shaping="rank")
    ascent: AscentConfig = SgdConfig(step=1.0)
    exploration: ExplorationConfig | None = None

    @model_validator(mode="after")
    def _something_explores(self) -> StageConfig:
        if self.exploration is not None and self.adaptation is None:
            raise ValueError("exploration: there is no adaptation whose exploration could be learned")
        return self

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return without_defaults(self, handler(self), since="kind")

    @property
    def sides(self) -> int:
        return 2 if self.antithetic else 1

    @property
    def trials(self) -> int:
        """An iteration's."""
        return self.pairs * self.sides * self.tasks * (1 + (0 if self.adaptation is None else self.adaptation.trials))


class ZeroOrder:
    """One iteration of a stage, `done` of its iterations after its beginning."""

    run = staticmethod(run_task)

    def __init__(self, stage: StageConfig, done: int, arena: Arena, seed: int, state: MetaState) -> None:
        k, d = state.iteration, state.theta.size
        self._stage, self._state = stage, state
        step = stage.step + (stage.final_step - stage.step) * (done / stage.iterations)
        sigmas: FloatArray = np.full(d, stage.sigma)
        self._steps: FloatArray = np.full(d, step)
        space = state.space
        if (exploration := stage.exploration) is not None:
            space = Space(d) if space is None else space
            sigmas = np.append(sigmas, np.full(space.dimensions, exploration.sigma))
            self._steps = np.append(self._steps, np.full(space.dimensions, exploration.step * step / stage.step))
        self._space = space
        self._g = draw(stage.perturbations, stage.pairs, sigmas.size, generator(seed, "outer", k))
        self.items: dict[int, TaskItem] = {}
        for i, g in enumerate(self._g):
            plus = sigmas * g
            sides = (plus, -plus)[: stage.sides]
            for b in range(stage.tasks):
                task = i * stage.tasks + b if stage.antithetic else b
                world = arena.world(state.moments, generator(seed, "task", k, task))
                for moved in sides:
                    key = len(self.items)
                    index = (k, task) if stage.common_noise else (k, task, key)
                    theta, tried = self._moved(moved)
                    self.items[key] = TaskItem(world, theta, stage.adaptation, tried, 1, False, seed, index)

    def learn(self, results: Sequence[TaskResult | None]) -> MetaState:
        """The state after the outer step; None stands for a failed item."""
        stage = self._stage
        values = np.array([np.nan if result is None else result.after for result in results])
        averaged = average_over_tasks(values.reshape(stage.pairs, stage.tasks, stage.sides))
        step, ascent = self._state.ascend(stage.ascent, gradient(stage.gradient, self._g, averaged))
        theta, space = self._moved(self._steps * step)
        return replace(self._state, theta=theta, space=space, ascent=ascent)

    def _moved(self, step: FloatArray) -> tuple[FloatArray, Space | None]:
        """phi + step, as theta and the space."""
        d = self._state.theta.size
        space = self._space
        if space is not None and step.size > d:
            space = space.stretched(np.exp(step[d:]))
        return self._state.theta + step[:d], space


def average_over_tasks(values: FloatArray) -> FloatArray:
    """(n, tasks, 2) to (n, 2), or (n, tasks, 1) to (n,): means over the tasks where no side failed (NaN), NaN without any.

    Of single sides each task's mean over perturbations is taken off first.
    """
    if values.shape[2] == 1:
        finite = np.isfinite(values)
        values = values - np.where(finite, values, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    whole = np.isfinite(values).all(axis=2, keepdims=True)
    sums, counts = np.where(whole, values, 0.0).sum(axis=1), whole.sum(axis=1)
    means: FloatArray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means if values.shape[2] == 2 else means[:, 0]
