"""What our own code costs beside the numpy calls that it cannot avoid: ratios of neighbours in time, medians over rounds.

- Outer loop: an iteration of 300 perturbations of 10,000 parameters (sampling, work items of a problem that costs nothing,
  estimating, updating, a checkpoint on disk) against drawing the normals and one matrix-vector product: at most 3.
- DPP: 20 of 100 rows in 10,000 dimensions against the kernel and its eigendecomposition: at most 3.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.types import FloatArray
from robot_adapt.config import load, shipped
from robot_adapt.meta import checkpoint
from robot_adapt.meta.arena import ProblemArena
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.es_maml import EsMaml
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.plan import Plan
from robot_adapt.meta.zero_order import StageConfig
from robot_adapt.optim.dpp import rbf_kernel, sample_k_dpp
from robot_adapt.randomness import generator
from tests.benchmarks.algorithm_studies.table import Row

LIMIT = 3.0
_PARAMETERS, _PERTURBATIONS = 10_000, 300
_CANDIDATES, _CHOSEN = 100, 20


@dataclass(frozen=True)
class _Free:
    """A Problem and its only Task: as good as no cost."""

    parameters: int = _PARAMETERS

    def start(self) -> FloatArray:
        return np.zeros(self.parameters)

    def sample(self, randomness: np.random.Generator) -> _Free:
        return self

    def value(self, theta: FloatArray, randomness: np.random.Generator) -> float:
        return float(theta[0])


def study(quick: bool) -> list[Row]:
    """Both ratios."""
    rounds = 1 if quick else 41
    with tempfile.TemporaryDirectory() as folder:
        return [
            _row("outer loop", _outer_loop(Path(folder) / "checkpoint"), _normals_and_product, rounds),
            _row("DPP", _dpp, _kernel_and_eigenvectors, rounds),
        ]


def _row(name: str, ours: Callable[[], object], unavoidable: Callable[[], object], rounds: int) -> Row:
    """Ours before and after what it is compared with; the first round warms up."""
    ratios, times = [], []
    for _ in range(rounds + 1):
        first, between, last = (_seconds(function) for function in (ours, unavoidable, ours))
        ratios.append((first + last) / 2 / between)
        times.append(((first + last) / 2, between))
    ours_s, unavoidable_s = (statistics.median(column) for column in zip(*times[1:], strict=True))
    ratio = statistics.median(ratios[1:])
    low, high = np.quantile(ratios[1:], (0.25, 0.75))
    return {
        "cost": name, "ratio": round(ratio, 3), "lower_quartile": round(float(low), 3), "upper_quartile": round(float(high), 3),
        "limit": LIMIT, "holds": str(ratio <= LIMIT), "rounds": rounds,
        "ours_ms": round(1e3 * ours_s, 2), "unavoidable_ms": round(1e3 * unavoidable_s, 2),
    }  # fmt: skip


def _seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def _outer_loop(path: Path) -> Callable[[], object]:
    config = load(shipped("meta_train", "minitaur.yaml"), MetaTrainConfig)
    stage = StageConfig(name="free", iterations=1000, pairs=_PERTURBATIONS, sigma=0.1, step=0.01, final_step=0.01)
    algorithm = EsMaml(Plan(seed=0, stages=(stage,)), ProblemArena(_Free()), InProcessExecutor())
    state = algorithm.start()

    def iterate() -> None:
        nonlocal state
        state = algorithm.iterate(state)
        checkpoint.save(state, config, path)

    return iterate


def _normals_and_product() -> FloatArray:
    g = generator(0, "outer", 0).standard_normal((_PERTURBATIONS, _PARAMETERS))
    product: FloatArray = _WEIGHTS @ g
    return product


def _dpp() -> object:
    return sample_k_dpp(rbf_kernel(_ROWS), _CHOSEN, generator(0, "dpp benchmark"))


def _kernel_and_eigenvectors() -> object:
    return np.linalg.eigh(rbf_kernel(_ROWS))


_WEIGHTS = generator(0, "weights").standard_normal(_PERTURBATIONS)
_ROWS = generator(0, "dpp rows").standard_normal((_CANDIDATES, _PARAMETERS))
