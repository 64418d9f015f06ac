"""Evidence 1: what share of the gap each operator recovers at several noise levels and budgets.

Noise is the standard deviation of a return in units of what there is to gain. Every operator's step lengths and population are
tuned for every cell, on tasks of their own; what counts is the noise-free return of what it ends with, on other tasks, the same
for all operators.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import product

import numpy as np

from hardware.types import FloatArray
from robot_adapt.meta.executors import Executor
from robot_adapt.optim.active_subspace_es import ActiveSubspaceEsConfig
from robot_adapt.optim.ascent import SgdConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.bayesian_optimization import BayesianOptimizationConfig
from robot_adapt.optim.cma_es import CmaEsConfig
from robot_adapt.optim.es_gradient import EsGradientConfig
from robot_adapt.optim.gradients import GradientConfig
from robot_adapt.optim.guided_es import GuidedEsConfig
from robot_adapt.optim.hill_climbing import HillClimbingConfig
from robot_adapt.optim.operators import OperatorConfig, make_operator
from robot_adapt.optim.recombination import RecombinationConfig
from robot_adapt.optim.space import Space
from robot_adapt.problems.four_corners import FourCorners
from robot_adapt.problems.noisy_quadratic import NoisyQuadratic
from robot_adapt.randomness import generator
from tests.benchmarks.algorithm_studies.table import Row, having, in_parallel, interval

METHODS = (
    "BHC", "BHC, remeasured", "averaging", "sequential", "ES gradient", "recombination", "guided ES", "active-subspace ES",
    "CMA-ES", "GP-UCB",
)  # fmt: skip
CLIMBERS = METHODS[:4]
GROUNDS = ("quadratic, 60-D", "quadratic, its 4-D subspace", "four corners, 6-D", "four corners, biases only")
NOISES = (0.0, 0.1, 0.3, 1.0)
BUDGETS = (10, 20, 50)
_LENGTHS = (0.125, 0.25, 0.5, 1.0, 2.0)
_STEPS = (0.5, 1.0, 2.0)
# Stays in the middle, and goes wherever its biases point to, at most twice as far as the corner: hand-made, ours.
_STANDS_STILL = np.array([-0.1, 0.0, 0.0, -0.1, 0.0, 0.0])


@dataclass(frozen=True)
class Ground:
    """What is searched, from where.

    Attributes:
        reach: how far from the start the best parameters are.
        worst, best: returns, of the start and of the best.

    """

    problem: NoisyQuadratic | FourCorners
    start: FloatArray
    space: Space
    reach: float
    worst: float
    best: float

    def share(self, config: OperatorConfig, stream: str, seed: int, corrupted: float = 0.0) -> float:
        """Of the gap, after adaptation to one task; a share of the returns told is `corrupted`."""
        task = self.problem.sample(generator(seed, f"{stream} task"))
        randomness = generator(seed, f"{stream} trials")
        operator = make_operator(config, self.start, seed, self.space)
        while candidates := operator.ask():
            for candidate in candidates:
                value = task.value(candidate.parameters, randomness)
                if corrupted and randomness.random() < corrupted:
                    value += float(randomness.choice([-10.0, 10.0])) * (self.best - self.worst)
                operator.tell(candidate.id, value)
        return (task.expected(operator.best.parameters) - self.worst) / (self.best - self.worst)


def ground(name: str, noise: float) -> Ground:
    """One of GROUNDS."""
    if name.startswith("quadratic"):
        quadratic = NoisyQuadratic(noise=noise)
        space = Space(60) if "60-D" in name else Space(60, None, quadratic.basis)
        return Ground(quadratic, quadratic.start(), space, 1.0, -1.0, 0.0)
    gap = FourCorners().best - FourCorners().worst
    corners = FourCorners(noise=noise * gap)
    space = Space(6) if "6-D" in name else Space(6, None, np.eye(6)[:, 4:])
    return Ground(corners, _STANDS_STILL, space, 0.1 * np.sqrt(8.0), corners.worst, corners.best)


def grid(method: str, trials: int, reach: float, dimensions: int) -> list[OperatorConfig]:
    """The configs that are tried for a method and a budget; perturbations are about `_LENGTHS` of the reach long."""
    sigmas = [length * float(reach) / dimensions**0.5 for length in _LENGTHS]
    stepped = list(product(sigmas, [SgdConfig(step=step) for step in _STEPS]))
    fives = [n for n in (1, 5) if trials % (2 * n) == 0]
    match method:
        case "BHC":
            return [BatchHillClimbingConfig(population=p, rounds=trials // p - 1, sigma=s) for p in (2, 5) for s in sigmas]
        case "BHC, remeasured":
            return [
                BatchHillClimbingConfig(population=p, rounds=trials // (p + 1), sigma=s, incumbent="remeasure")
                for p in (1, 4) for s in sigmas
            ]  # fmt: skip
        case "averaging":
            return [
                HillClimbingConfig(kind="hill_climbing", repeats=p, rounds=trials // p - 1, sigma=s)
                for p in (2, 5) for s in sigmas
            ]  # fmt: skip
        case "sequential":
            return [HillClimbingConfig(kind="hill_climbing", repeats=1, rounds=trials - 1, sigma=s) for s in sigmas]
        case "ES gradient":
            shaping = GradientConfig(shaping="standardize")
            return [
                EsGradientConfig(
                    kind="es_gradient", directions=n, rounds=trials // (2 * n), sigma=s, ascent=a, gradient=shaping
                )
                for n in fives for s, a in stepped
            ]  # fmt: skip
        case "recombination":
            return [
                RecombinationConfig(kind="recombination", pairs=n, rounds=trials // (2 * n), sigma=s, step=a.step)
                for n in fives for s, a in stepped
            ]  # fmt: skip
        case "guided ES":
            return [
                GuidedEsConfig(kind="guided_es", pairs=n, rounds=trials // (2 * n), sigma=s, ascent=a)
                for n in fives for s, a in stepped
            ]  # fmt: skip
        case "active-subspace ES":
            return [
                ActiveSubspaceEsConfig(kind="active_subspace_es", pairs=5, rounds=trials // 10, sigma=s, ascent=a)
                for s, a in stepped
            ]  # fmt: skip
        case "CMA-ES":
            return [CmaEsConfig(kind="cma_es", population=p, rounds=trials // p, sigma=s) for p in (5, 10) for s in sigmas]
        case "GP-UCB":
            return [
                BayesianOptimizationConfig(kind="bayesian_optimization", trials=trials, initial=5, sigma=s) for s in sigmas[2:]
            ]
    raise ValueError(method)


@dataclass(frozen=True)
class Cell:
    """One method in one setting, and how many tasks it is tuned and measured on."""

    ground: str
    noise: float
    trials: int
    method: str
    tuning: int
    seeds: int


@dataclass(frozen=True)
class Recovered:
    """Shares of the gap (seeds,), by what config, in how many seconds of one core, tuning included."""

    shares: FloatArray
    config: OperatorConfig
    seconds: float


def recover(cell: Cell) -> Recovered:
    """Tunes, then measures."""
    begin, where = time.process_time(), ground(cell.ground, cell.noise)
    configs = grid(cell.method, cell.trials, where.reach, where.space.dimensions)

    def shares(config: OperatorConfig, stream: str, seeds: int) -> FloatArray:
        return np.array([where.share(config, f"noise tolerance {stream}", seed) for seed in range(seeds)])

    chosen = max(configs, key=lambda config: float(shares(config, "tuning", cell.tuning).mean()))
    return Recovered(shares(chosen, "test", cell.seeds), chosen, time.process_time() - begin)


def cells(quick: bool) -> list[Cell]:
    """All that there are; GP-UCB, made for few dimensions and slow, not in 60, and on fewer tasks."""
    tuning, seeds = (1, 2) if quick else (12, 100)
    slow = (1, 2) if quick else (6, 30)
    return [
        Cell(name, noise, trials, method, *(slow if method == "GP-UCB" else (tuning, seeds)))
        for name, noise, trials, method in product(
            GROUNDS[1:2] if quick else GROUNDS, NOISES[1:2] if quick else NOISES, BUDGETS[:1] if quick else BUDGETS, METHODS
        )
        if not (method == "GP-UCB" and "60-D" in name)
    ]


def study(executor: Executor, quick: bool) -> tuple[list[Row], list[Row]]:
    """Shares of the gap; and by how much BHC's exceeds each other's, paired by task."""
    every = cells(quick)
    # The slowest first, or they run alone at the end.
    ordered = sorted(every, key=lambda cell: (cell.method != "GP-UCB", -cell.trials))
    results = dict(zip(ordered, in_parallel(executor, recover, ordered), strict=True))
    bhc = {(cell.ground, cell.noise, cell.trials): result for cell, result in results.items() if cell.method == "BHC"}
    shares, differences = list[Row](), list[Row]()
    for cell in every:
        result = results[cell]
        where: Row = {"ground": cell.ground, "noise": cell.noise, "trials": cell.trials, "method": cell.method}
        worse = float(np.mean(result.shares < -1e-9))
        tuned: Row = {"seconds": round(result.seconds, 2), "config": result.config.model_dump_json(exclude_defaults=True)}
        shares.append({**where, **interval(result.shares), "worse": worse, **tuned})
        if cell.method != "BHC":
            ours = bhc[cell.ground, cell.noise, cell.trials].shares[: cell.seeds]
            differences.append({**where, **interval(ours - result.shares)})
    return shares, differences


def finding(differences: list[Row]) -> dict[str, object]:
    """In how many cells BHC recovers more than a method, less, or neither (the 95 % interval holds 0)."""
    found: dict[str, object] = {}
    for method in METHODS[1:]:
        rows = having(differences, method=method)
        more, less = sum(float(row["low"]) > 0.0 for row in rows), sum(float(row["high"]) < 0.0 for row in rows)
        found[method] = {"more": more, "less": less, "neither": len(rows) - more - less}
    return found
