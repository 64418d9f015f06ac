"""Evidence 2: meta-training on four corners, from a policy that does nothing.

A method is measured as it trains: its meta-policy is adapted to every corner several times, with as many trials as in training;
what counts is the noise-free return of what it ends with. Share 0 is never being near the corner, 1 the analytic best return.
Settings are the best that were tried by hand, on seeds 0 and 1: 17 of zero order, 9 of first order, 8 of policy gradients.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import product

import numpy as np

from hardware.types import FloatArray
from robot_adapt.baselines.policy_gradient import PolicyGradientConfig
from robot_adapt.baselines.policy_gradient_maml import PolicyGradientStageConfig, adapt_in
from robot_adapt.meta.arena import ProblemArena, ProblemWorld
from robot_adapt.meta.es_maml import EsMaml
from robot_adapt.meta.executors import Executor
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.first_order import FirstOrderStageConfig
from robot_adapt.meta.plan import Plan, Stage
from robot_adapt.meta.state import MetaState
from robot_adapt.meta.task_gradient import MetaGradientConfig
from robot_adapt.meta.zero_order import ExplorationConfig, StageConfig
from robot_adapt.optim.ascent import AdamConfig, SgdConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.es_gradient import EsGradientConfig
from robot_adapt.optim.gradients import GradientConfig
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.problems.four_corners import CORNERS, FourCorners
from robot_adapt.problems.point_robot import PointTask
from robot_adapt.randomness import generator
from tests.benchmarks.algorithm_studies.table import Row, distinct, having, in_parallel, interval

NOISES = (0.0, 0.1)
GAP = FourCorners().best - FourCorners().worst
SOLVED = 0.9
K = 50
"""Trials of an adaptation, whatever the method."""
_ITERATIONS = 60
_SIZE = {"zero_order": "pairs", "first_order": "tasks", "policy_gradient_maml": "tasks"}

_BHC = BatchHillClimbingConfig(population=5, rounds=9, sigma=0.3)
_ALPHA, _SIGMA = 2e-4, 0.1


@dataclass(frozen=True)
class Meta:
    """A method: what an iteration does, and how its meta-policy adapts to a task."""

    stage: Stage
    adaptation: OperatorConfig | PolicyGradientConfig


def _zero_order(operator: OperatorConfig, exploration: ExplorationConfig | None = None) -> Meta:
    """An iteration of 30 mirrored pairs."""
    stage = StageConfig(
        name="zero order", iterations=_ITERATIONS, pairs=30, sigma=0.2, step=0.2, final_step=0.05, adaptation=operator,
        exploration=exploration,
    )  # fmt: skip
    return Meta(stage, operator)


def _first_order(hessian: bool) -> Meta:
    """As many trials an iteration as the others, about; and the same step of adaptation as in training."""
    tasks = 20 if hessian else 30
    estimate = MetaGradientConfig(directions=K // 2, sigma=_SIGMA, alpha=_ALPHA, hessian=hessian)
    stage = FirstOrderStageConfig(
        kind="first_order", name="first order", iterations=_ITERATIONS, tasks=tasks, step=1.0, final_step=1.0,
        estimate=estimate, ascent=AdamConfig(kind="adam", step=0.02),
    )  # fmt: skip
    # A step of 1 in units of the perturbations is one of sigma^2.
    step = SgdConfig(step=_ALPHA / _SIGMA**2)
    return Meta(stage, EsGradientConfig(kind="es_gradient", directions=K // 2, rounds=1, sigma=_SIGMA, ascent=step))


def _policy_gradient(second_order: bool) -> Meta:
    """Two steps of half the trials each; the policy explores in adaptation, and is measured without."""
    adaptation = PolicyGradientConfig(episodes=K // 2, steps=2, std=0.5, alpha=0.005)
    stage = PolicyGradientStageConfig(
        kind="policy_gradient_maml", name="policy gradient", iterations=_ITERATIONS, tasks=40, step=1.0, final_step=1.0,
        adaptation=adaptation, second_order=second_order, ascent=AdamConfig(kind="adam", step=0.01),
    )  # fmt: skip
    return Meta(stage, adaptation)


_ES = EsGradientConfig(
    kind="es_gradient", directions=5, rounds=5, sigma=0.1, ascent=SgdConfig(step=1.0),
    gradient=GradientConfig(shaping="standardize"),
)  # fmt: skip
METHODS = {
    "zero order, BHC": _zero_order(_BHC),
    "zero order, BHC, exploration learned": _zero_order(_BHC, ExplorationConfig(sigma=0.4, step=0.4)),
    "zero order, ES gradient": _zero_order(_ES),
    "first order": _first_order(hessian=False),
    "first order, Hessian": _first_order(hessian=True),
    "policy-gradient MAML": _policy_gradient(second_order=True),
}


@dataclass(frozen=True)
class Run:
    """One training."""

    method: str
    noise: float
    seed: int
    iterations: int
    every: int
    repeats: int
    quick: bool


@dataclass(frozen=True)
class Point:
    """After so many trials of training: mean share of the gap over all corners, `repeats` adaptations each; seconds so far."""

    trials: int
    share: float
    seconds: float


def train(run: Run) -> list[Point]:
    """The learning curve of one training."""
    problem, begin = FourCorners(noise=run.noise * GAP), time.process_time()
    method = METHODS[run.method]
    stage = method.stage.model_copy(update={_SIZE[method.stage.kind]: 2}) if run.quick else method.stage
    algorithm = EsMaml(Plan(seed=run.seed, stages=(stage,)), ProblemArena(problem), InProcessExecutor())
    state, points = algorithm.start(), list[Point]()
    while True:
        returns = []
        for corner, repeat in product(range(len(CORNERS)), range(run.repeats)):
            task = problem.task(corner)
            returns.append(task.expected(_adapted(method, state, task, run.seed, repeat)))
        share = (float(np.mean(returns)) - problem.worst) / GAP
        points.append(Point(state.trials, share, time.process_time() - begin))
        if state.iteration == run.iterations:
            return points
        for _ in range(min(run.every, run.iterations - state.iteration)):
            state = algorithm.iterate(state)


def _adapted(method: Meta, state: MetaState, task: PointTask, seed: int, repeat: int) -> FloatArray:
    """Theta after adaptation to a task."""
    if isinstance(method.adaptation, PolicyGradientConfig):
        return adapt_in(ProblemWorld(task), state.theta, method.adaptation, seed, (repeat,))
    operator = make_operator(method.adaptation, state.theta, repeat, state.space)
    randomness = generator(seed, "four corners test", repeat)
    while candidates := operator.ask():
        for candidate in candidates:
            operator.tell(candidate.id, task.value(candidate.parameters, randomness))
    return operator.best.parameters


def study(executor: Executor, quick: bool) -> list[Row]:
    """Learning curves, means over seeds."""
    seeds, iterations, every, repeats = (2, 1, 1, 1) if quick else (3, _ITERATIONS, 10, 10)
    noises = NOISES[:1] if quick else NOISES
    named = product(METHODS, noises, range(seeds))
    runs = [Run(name, noise, seed, iterations, every, repeats, quick) for name, noise, seed in named]
    curves = dict(zip(runs, in_parallel(executor, train, runs), strict=True))
    rows = list[Row]()
    for name, noise in product(METHODS, noises):
        ours = [curve for run, curve in curves.items() if (run.method, run.noise) == (name, noise)]
        rows += [_row(name, noise, points, len(CORNERS) * repeats * seeds) for points in zip(*ours, strict=True)]
    return rows


def _row(method: str, noise: float, points: tuple[Point, ...], adaptations: int) -> Row:
    shares = [point.share for point in points]
    return {
        "method": method, "noise": noise, "trials": points[0].trials, **interval(shares),
        "mean_return": round(FourCorners().worst + GAP * float(np.mean(shares)), 1),
        "best_return": round(FourCorners().best, 1),
        "adaptations": adaptations, "seconds": round(sum(point.seconds for point in points), 1),
    }  # fmt: skip


def finding(rows: list[Row]) -> dict[str, object]:
    """Of every method and noise: the end, and after how many trials nine tenths of the gap were recovered, if ever."""
    found: dict[str, object] = {}
    for name, noise in product(distinct(rows, "method"), distinct(rows, "noise")):
        curve = having(rows, method=name, noise=noise)
        solved = next((row["trials"] for row in curve if float(row["mean"]) >= SOLVED), None)
        end = {key: curve[-1][key] for key in ("mean", "low", "high", "mean_return", "trials")}
        found[f"{name}, noise {noise:g}"] = {"solved_after_trials": solved, **end}
    return found
