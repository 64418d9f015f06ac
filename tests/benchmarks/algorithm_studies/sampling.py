"""Evidence 3: other perturbations and other estimators against plain Gaussian sampling and the mean, at equal budgets.

Gradients: the cosine between an estimate and the true gradient of the noisy quadratic (10-D, perturbations .3 long), for every
kind of perturbations, and for every estimator with and without a quarter of the values corrupted (10 gaps too high or too low).
Adaptation: the share of the gap that two steps of ES gradient ascent recover with them, tuned as in noise_tolerance.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeVar

import numpy as np

from hardware.types import FloatArray
from robot_adapt.meta.executors import Executor
from robot_adapt.optim.ascent import SgdConfig
from robot_adapt.optim.es_gradient import EsGradientConfig
from robot_adapt.optim.gradients import GradientConfig, gradient
from robot_adapt.optim.perturbations import DppConfig, GaussianConfig, OrthogonalConfig, PerturbationConfig, draw
from robot_adapt.problems.noisy_quadratic import NoisyQuadratic
from robot_adapt.randomness import generator
from tests.benchmarks.algorithm_studies.noise_tolerance import Ground, ground
from tests.benchmarks.algorithm_studies.table import Row, having, in_parallel, interval

PERTURBATIONS: dict[str, PerturbationConfig] = {
    "Gaussian": GaussianConfig(),
    "orthogonal": OrthogonalConfig(kind="orthogonal"),
    "DPP, RBF": DppConfig(kind="dpp", kernel="rbf"),
    "DPP, cosine": DppConfig(kind="dpp", kernel="cosine"),
}
ESTIMATORS = {
    "mean": GradientConfig(),
    "mean of ranks": GradientConfig(shaping="rank"),
    "least squares": GradientConfig(estimator="least_squares"),
    "ridge": GradientConfig(estimator="ridge", penalty=1.0),
    "lasso": GradientConfig(estimator="lasso", penalty=0.1),
    "L1 decoding": GradientConfig(estimator="l1_decoding"),
}
CORRUPTED = 0.25
_DIMENSIONS = 10
_SIGMA = 0.3 / _DIMENSIONS**0.5
_QUADRATIC = NoisyQuadratic(dimensions=_DIMENSIONS, noise=0.05)
_BUDGETS = (10, 20, 40, 80)


@dataclass(frozen=True)
class Case:
    """One way to estimate a gradient, and on how many tasks it is tried."""

    perturbations: str
    estimator: str
    antithetic: bool
    trials: int
    corrupted: float
    seeds: int

    def columns(self) -> Row:
        sampling = f"{self.perturbations}, {'mirrored' if self.antithetic else 'forward'}"
        return {"sampling": sampling, "estimator": self.estimator, "trials": self.trials, "corrupted": self.corrupted}


def cosines(case: Case) -> tuple[FloatArray, float]:
    """(seeds,), and seconds."""
    begin = time.process_time()
    found = [_cosine(case, seed) for seed in range(case.seeds)]
    return np.array(found), time.process_time() - begin


def _cosine(case: Case, seed: int) -> float:
    task = _QUADRATIC.sample(generator(seed, "sampling task"))
    n = case.trials // 2 if case.antithetic else case.trials
    g = draw(PERTURBATIONS[case.perturbations], n, _DIMENSIONS, generator(seed, "sampling perturbations"))
    randomness = generator(seed, "sampling trials")
    points = np.concatenate((g, -g)) if case.antithetic else g
    values = np.array([task.value(_SIGMA * point, randomness) for point in points])
    wrong = randomness.permutation(len(values))[: round(case.corrupted * len(values))]
    values[wrong] += randomness.choice([-10.0, 10.0], len(wrong))
    estimate = gradient(ESTIMATORS[case.estimator], g, values.reshape(2, n).T if case.antithetic else values, _SIGMA)
    true = task.gradient(np.zeros(_DIMENSIONS))
    length = float(np.linalg.norm(estimate) * np.linalg.norm(true))
    return float(estimate @ true) / length if length > 0.0 else 0.0


@dataclass(frozen=True)
class Climb:
    """One way to adapt in one setting."""

    ground: str
    perturbations: str
    estimator: str
    corrupted: float
    trials: int
    tuning: int
    seeds: int

    def columns(self) -> Row:
        way: Row = {"ground": self.ground, "sampling": self.perturbations, "estimator": self.estimator}
        return {**way, "corrupted": self.corrupted, "trials": self.trials}


def climb(case: Climb) -> tuple[FloatArray, float]:
    """Shares of the gap (seeds,) after two rounds, and seconds. Regressions fit single values, the mean mirrored pairs."""
    begin, where = time.process_time(), ground(case.ground, 0.1)
    antithetic = case.estimator.startswith("mean")
    estimator = GradientConfig(shaping="standardize") if case.estimator == "mean" else ESTIMATORS[case.estimator]
    configs = []
    for length, step in product((0.25, 0.5, 1.0), (0.5, 1.0, 2.0)):
        sigma = length * where.reach / where.space.dimensions**0.5
        # Values without a shape have a unit: of a quadratic, a step of 2 is from the start to its top.
        unit = 1.0 if antithetic else where.reach**2 / (4.0 * sigma**2 * (where.best - where.worst))
        configs.append(
            EsGradientConfig(
                kind="es_gradient", directions=case.trials // (4 if antithetic else 2), rounds=2, antithetic=antithetic,
                sigma=sigma, ascent=SgdConfig(step=step * unit), perturbations=PERTURBATIONS[case.perturbations],
                gradient=estimator,
            )
        )  # fmt: skip
    chosen = max(configs, key=lambda config: float(_shares(where, config, "tuning", case.tuning, case.corrupted).mean()))
    return _shares(where, chosen, "test", case.seeds, case.corrupted), time.process_time() - begin


def _shares(where: Ground, config: EsGradientConfig, stream: str, seeds: int, corrupted: float) -> FloatArray:
    return np.array([where.share(config, f"sampling {stream}", seed, corrupted) for seed in range(seeds)])


def gradient_cases(quick: bool) -> list[Case]:
    """Perturbations on clean values, estimators on clean and corrupted ones."""
    seeds, budgets = (4, _BUDGETS[1:2]) if quick else (400, _BUDGETS)
    sampled = [Case(p, "mean", a, n, 0.0, seeds) for p, a, n in product(PERTURBATIONS, (True, False), budgets)]
    # Least squares and L1 decoding need more values than dimensions.
    enough = [n for n in budgets if n > _DIMENSIONS]
    estimated = [Case("Gaussian", e, False, n, c, seeds) for e, c, n in product(ESTIMATORS, (0.0, CORRUPTED), enough)]
    return list(dict.fromkeys(sampled + estimated))


def climbs(quick: bool) -> list[Climb]:
    """Perturbations on clean returns, estimators on clean and corrupted ones."""
    tuning, seeds = (1, 2) if quick else (12, 100)
    grounds = ("quadratic, its 4-D subspace",) if quick else ("quadratic, its 4-D subspace", "four corners, 6-D")
    budgets = (20,) if quick else (20, 60)
    sampled = [Climb(where, p, "mean", 0.0, n, tuning, seeds) for where, p, n in product(grounds, PERTURBATIONS, budgets)]
    estimated = [
        Climb(where, "Gaussian", e, c, n, tuning, seeds)
        for where, e, c, n in product(grounds, ESTIMATORS, (0.0, CORRUPTED), budgets)
    ]
    return list(dict.fromkeys(sampled + estimated))


def study(executor: Executor, quick: bool) -> tuple[list[Row], list[Row]]:
    """Cosines of gradients; shares of the gap after adaptation. Each with its difference to plain sampling, paired by task."""
    cases, ways = gradient_cases(quick), climbs(quick)
    estimated = dict(zip(cases, in_parallel(executor, cosines, cases), strict=True))
    climbed = dict(zip(ways, in_parallel(executor, climb, ways), strict=True))
    gradients = [_row(case.columns(), result, estimated[_plain(case)]) for case, result in estimated.items()]
    adaptations = [_row(way.columns(), result, climbed[_plain(way)]) for way, result in climbed.items()]
    return gradients, adaptations


Way = TypeVar("Way", Case, Climb)


def _plain(way: Way) -> Way:
    """The same by plain sampling and the mean."""
    return replace(way, perturbations="Gaussian", estimator="mean")


def _row(columns: Row, result: tuple[FloatArray, float], plain: tuple[FloatArray, float]) -> Row:
    against = interval(result[0] - plain[0])
    gain: Row = {"over_plain": against["mean"], "over_low": against["low"], "over_high": against["high"]}
    return {**columns, **interval(result[0]), **gain, "seconds": round(result[1], 2)}


def finding(gradients: list[Row], adaptations: list[Row]) -> dict[str, object]:
    """In how many cells each variant does better than plain sampling and the mean, worse, or neither."""
    found: dict[str, object] = {}
    for rows, what in ((gradients, "gradients"), (adaptations, "adaptation")):
        for name in PERTURBATIONS:
            if name != "Gaussian":
                ours = [row for row in having(rows, estimator="mean") if str(row["sampling"]).startswith(name)]
                found[f"{what}: {name} perturbations"] = _counts(ours)
        for name, corrupted in product(ESTIMATORS, (0.0, CORRUPTED)):
            if name != "mean":
                words = "a quarter of the values corrupted" if corrupted else "values as they are"
                found[f"{what}: {name}, {words}"] = _counts(having(rows, estimator=name, corrupted=corrupted))
    return found


def _counts(rows: list[Row]) -> dict[str, int]:
    better, worse = sum(float(row["over_low"]) > 0.0 for row in rows), sum(float(row["over_high"]) < 0.0 for row in rows)
    return {"better": better, "worse": worse, "neither": len(rows) - better - worse}
