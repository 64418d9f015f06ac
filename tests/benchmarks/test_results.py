"""What benchmarks found and what is shipped agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.benchmarks.algorithm_studies.table import read
from tests.benchmarks.fidelity import fastest
from tests.builders import MINITAUR
from tests.hardware.unruly import FAULTS

RESULTS = Path(__file__).parent / "results"


def test_the_minitaur_trains_on_the_fastest_setting_that_is_true_enough() -> None:
    table = json.loads((RESULTS / "fidelity.json").read_text())["settings"]
    simulation = MINITAUR.simulation
    assert fastest(table) == f"{simulation.legs}:{1000.0 * simulation.time_step_s:g}:{simulation.iterations}"
    assert abs(table[fastest(table)]["path"]) < 0.05


def test_a_million_commands_did_the_robot_no_harm() -> None:
    result = json.loads((RESULTS / "safety_million.json").read_text())
    assert result["commands"] >= 1_000_000
    assert result["violations"] == 0
    assert set(result["faults"]) == set(FAULTS)


def test_our_own_code_costs_at_most_three_times_what_cannot_be_avoided() -> None:
    costs = read(RESULTS / "algorithms" / "own_cost.csv")
    assert [(row["cost"], row["holds"]) for row in costs] == [("outer loop", "True"), ("DPP", "True")]


def test_the_readme_has_no_placeholder() -> None:
    assert re.findall(r"@[A-Z_]+@", (Path(__file__).parents[2] / "README.md").read_text()) == []
