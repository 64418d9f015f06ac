"""`robot-adapt bench` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robot_adapt.policy import policy_file
from tests.builders import write_yaml
from tests.robot_adapt.bench.test_recovery import BENCH
from tests.robot_adapt.cli.verbs import refused, run

CMA_ES = {"policy": "minitaur", "operator": {"kind": "cma_es", "population": 4, "rounds": 1, "sigma": 0.1}}
ZERO_SHOT = {"policy": "minitaur", "operator": None}


def _config(folder: Path) -> Path:
    methods = {"zero-shot": ZERO_SHOT, "CMA-ES": CMA_ES, "DR": {"policy": str(folder / "none.safetensors"), "operator": None}}
    return write_yaml(folder / "small.yaml", {**BENCH, "seeds": 1, "methods": methods})


def test_what_is_not_there_is_left_out_and_named_and_the_others_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("bench", "recovery", "--config", _config(tmp_path), "--out", out, "--processes", "0", blocked="cmaes")
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert "left out: methods.CMA-ES: the operator cma_es needs cmaes: pip install 'robot-adapt[optim]'" in said
    assert f"left out: methods.DR: {tmp_path / 'none.safetensors'}: no such file" in said
    assert "| zero-shot |" in (out / "recovery.md").read_text()
    assert "CMA-ES" not in (out / "recovery.csv").read_text()


def test_nothing_but_what_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refused("bench", "recovery", "--config", _config(tmp_path), "--out", tmp_path, "--only", "DR")
    assert said == f"methods.DR: {tmp_path / 'none.safetensors'}: no such file"


def test_another_policy_takes_the_place_of_the_start_s(tmp_path: Path) -> None:
    policy = policy_file.load(policy_file.path_of("minitaur"))
    file, missing = tmp_path / "other.safetensors", tmp_path / "missing.safetensors"
    policy_file.save(policy.with_parameters(np.zeros_like(policy.parameters)), file)
    zero_shot = ("bench", "recovery", "--config", _config(tmp_path), "--only", "zero-shot", "--processes", "0")
    for name, start in (("shipped", "minitaur"), ("other", file)):
        done = run(*zero_shot, "--policy", start, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    shipped, other = ((tmp_path / name / "recovery.csv").read_text().splitlines() for name in ("shipped", "other"))
    assert len(shipped) == len(other)
    assert shipped[1] != other[1]
    assert refused(*zero_shot, "--policy", missing) == f"methods.zero-shot: {missing}: no such file"
