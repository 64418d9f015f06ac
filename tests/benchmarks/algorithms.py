"""Claims about the algorithms, measured on small problems: tables (CSV), figures (PNG) and a summary, from one command.

    python tests/benchmarks/algorithms.py --out tests/benchmarks/results/algorithms

1. Noise tolerance: what Batch Hill-Climbing and nine other operators recover in 10, 20 and 50 trials, and whether it recovers
   more than averaging repeated trials, as arXiv 2003.01239 has it (algorithm_studies/noise_tolerance.py).
2. Four corners: whether zero-order ES-MAML with hill climbing solves it, in how many trials, and others (four_corners.py).
3. DPP and orthogonal perturbations, and regressions, against plain sampling and the mean (sampling.py).
4. What the outer loop and DPP sampling cost beside the numpy calls that they cannot avoid (own_cost.py).

Every number but 4's is a function of the code alone: seeds are 0, 1, 2, ... `--quick` runs everything once in seconds, `--draw`
only draws the figures from the tables that are there, `--only` runs some studies.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Run by its path, it must find `tests`, which is never installed; its processes too.
sys.path.insert(0, str(Path(__file__).parents[2]))

from robot_adapt.meta.executors import Executor
from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
from tests.benchmarks.algorithm_studies import figures, four_corners, noise_tolerance, own_cost, sampling
from tests.benchmarks.algorithm_studies.table import Row, read, write

Tables = dict[str, list[Row]]


def _noise_tolerance(executor: Executor, quick: bool) -> tuple[Tables, object]:
    shares, differences = noise_tolerance.study(executor, quick)
    return {"noise_tolerance": shares, "bhc_against": differences}, noise_tolerance.finding(differences)


def _four_corners(executor: Executor, quick: bool) -> tuple[Tables, object]:
    rows = four_corners.study(executor, quick)
    return {"four_corners": rows}, four_corners.finding(rows)


def _sampling(executor: Executor, quick: bool) -> tuple[Tables, object]:
    gradients, adaptations = sampling.study(executor, quick)
    return {"gradients": gradients, "adaptation": adaptations}, sampling.finding(gradients, adaptations)


def _own_cost(_: Executor, quick: bool) -> tuple[Tables, object]:
    rows = own_cost.study(quick)
    return {"own_cost": rows}, {row["cost"]: row["ratio"] for row in rows}


STUDIES: dict[str, Callable[[Executor, bool], tuple[Tables, object]]] = {
    "own_cost": _own_cost,
    "noise_tolerance": _noise_tolerance,
    "four_corners": _four_corners,
    "sampling": _sampling,
}


def run(out: Path, names: list[str], quick: bool, processes: int) -> dict[str, object]:
    """Runs the studies; writes their tables, the figures and summary.json. What other runs found stays in the summary."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "summary.json"
    summary: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    executor = InProcessExecutor() if processes == 1 else LocalProcessesExecutor(processes)
    try:
        for name in names:
            begin = time.monotonic()
            tables, finding = STUDIES[name](executor, quick)
            for table, rows in tables.items():
                write(rows, out / f"{table}.csv")
            summary[name] = {
                "finding": finding,
                "seconds": round(time.monotonic() - begin, 1),
                "date": datetime.date.today().isoformat(),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
                "quick": quick,
            }
            path.write_text(json.dumps(summary, indent=2) + "\n")
            print(name, json.dumps(summary[name]), flush=True)
    finally:
        executor.close()
    draw(out)
    return summary


def draw(out: Path) -> None:
    """The figures of the tables that are there."""
    for name, figure in figures.FIGURES.items():
        if (table := out / f"{name}.csv").exists():
            figures.save(figure(read(table)), out / f"{name}.png")


def main() -> None:
    """Runs all, or what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of tables and figures")
    parser.add_argument("--json", type=Path, help="where the summary goes too")
    parser.add_argument("--only", nargs="+", choices=list(STUDIES), default=list(STUDIES))
    parser.add_argument("--quick", action="store_true", help="a few seconds; the numbers mean nothing")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    # Many small products: threads would only wait for each other. Read by processes that are yet to begin.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    if options.draw:
        draw(options.out)
        return
    summary = run(options.out, options.only, options.quick, options.processes)
    if options.json is not None:
        options.json.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"{len(options.only)} studies in {options.out}")


if __name__ == "__main__":
    main()
