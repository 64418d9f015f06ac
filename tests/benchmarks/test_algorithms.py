"""The benchmark of the algorithms runs from end to end, and its pieces say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from robot_adapt.meta.executors.local import InProcessExecutor
from tests.benchmarks import algorithms
from tests.benchmarks.algorithm_studies import figures, noise_tolerance, own_cost, sampling
from tests.benchmarks.algorithm_studies.noise_tolerance import BUDGETS, GROUNDS, METHODS, grid, ground
from tests.benchmarks.algorithm_studies.table import Row, in_parallel, interval, numbers, read, write
from tests.benchmarks.algorithms import STUDIES, run


def test_the_quick_benchmark_gives_every_table_figure_and_finding(tmp_path: Path) -> None:
    summary = run(tmp_path, list(STUDIES), quick=True, processes=1)
    assert set(summary) == set(STUDIES)
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    for name in (*figures.FIGURES, "own_cost"):
        assert read(tmp_path / f"{name}.csv")
    for name in figures.FIGURES:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    costs = read(tmp_path / "own_cost.csv")  # a round on a busy machine: the full ones are held to the limit
    assert [row["holds"] for row in costs] == [str(0.0 < ratio <= own_cost.LIMIT) for ratio in numbers(costs, "ratio")]


def test_the_command_works_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, algorithms.__file__, "--help"]
    assert "--quick" in subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout


@pytest.mark.parametrize("method", METHODS)
def test_every_config_of_a_method_spends_the_same_trials(method: str) -> None:
    for trials in BUDGETS:
        configs = grid(method, trials, 1.0, 4)
        assert {config.trials for config in configs} == {trials}
        assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("name", GROUNDS)
def test_on_every_ground_the_start_is_worth_nothing_and_the_best_is_in_reach(name: str) -> None:
    where = ground(name, 0.0)
    task = where.problem.task(0) if hasattr(where.problem, "task") else where.problem.sample(np.random.default_rng(0))
    assert task.expected(where.start) == pytest.approx(where.worst)
    assert where.space.parameters == where.start.size
    shares = [where.share(grid("sequential", 50, where.reach, where.space.dimensions)[2], "test", i) for i in range(4)]
    assert max(shares) <= 1.0
    assert min(shares) >= 0.0  # without noise a hill climber never ends worse


def test_a_quarter_of_the_values_leads_the_mean_astray_and_not_l1_decoding() -> None:
    def cosine(estimator: str, corrupted: float) -> float:
        return float(sampling.cosines(sampling.Case("Gaussian", estimator, False, 80, corrupted, 20))[0].mean())

    assert cosine("mean", 0.0) > 0.9
    assert cosine("mean", sampling.CORRUPTED) < 0.4
    assert cosine("L1 decoding", sampling.CORRUPTED) > 0.9


def test_a_finding_counts_the_intervals_that_leave_out_zero() -> None:
    rows: list[Row] = [
        {"method": "averaging", "low": low, "high": high} for low, high in ((0.1, 0.2), (0.1, 0.3), (-0.1, 0.1), (-0.2, -0.1))
    ]
    assert noise_tolerance.finding(rows)["averaging"] == {"more": 2, "less": 1, "neither": 1}


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    rows: list[Row] = [{"method": "BHC, remeasured", "noise": 0.1, **interval([1.0, 2.0, 4.0])}]
    write(rows, tmp_path / "table.csv")
    assert read(tmp_path / "table.csv") == rows
    assert rows[0]["seeds"] == 3


def test_a_study_whose_work_fails_says_which() -> None:
    with pytest.raises(SystemExit, match="7: ZeroDivisionError"):
        in_parallel(InProcessExecutor(), lambda item: 1 // (item - 7), [5, 7])
