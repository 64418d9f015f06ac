from __future__ import annotations

import json
import signal
import sqlite3
import time
from pathlib import Path

import pytest
import yaml

from robot_adapt.cli import main
from robot_adapt.cli.run_folder import run_folder
from tests.builders import write_yaml
from tests.robot_adapt.cli.verbs import ROOT, refused, run, running, wait_for


def test_a_session_cut_off_is_resumed_as_it_was_started(tmp_path: Path) -> None:
    config = {"trial_s": 0.1, "operator": {"population": 2, "rounds": 1, "sigma": 0.0000001}, "fresh_trials": 2}
    path = write_yaml(tmp_path / "short.yaml", config)
    out = tmp_path / "run"
    cut = run(
        "adapt", "mock", "--config", path, "--out", out, "--seed", "7", "--note", "a leash", stdin="\n0.1\n\n0.2\n\n0.3\n"
    )
    assert cut.returncode == 130, cut.stderr
    assert "standard input has ended" in cut.stderr
    assert len(list((out / "journal").glob("*.trial"))) == 4  # the one that nobody started is there, aborted
    with run_folder(out):
        assert refused("adapt", "mock", "--resume", out).endswith("run: another run works in it")
    rest = "".join(f"\n0.{trial}\n" for trial in range(4, 9))
    done = run("adapt", "mock", "--resume", out, stdin=rest)
    assert done.returncode == 0, done.stderr
    numbers = json.loads((out / "recovery.json").read_text())
    assert (numbers["seed"], numbers["hobble"], numbers["aborted"]) == (7, "a leash", 1)
    assert (numbers["hobbled"]["trials"], numbers["adaptation_trials"], numbers["adapted"]["trials"]) == (2, 4, 2)
    assert refused("adapt", "mock", "--resume", out, "--seed", "8").startswith("--resume goes with --aggregator only")
    assert refused("adapt", "minitaur_training", "--resume", out).endswith(
        "was started on another robot than minitaur_training"
    )


@pytest.mark.parametrize(("before", "ends"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)])
def test_a_lost_terminal_ends_a_verb_as_ctrl_c_does_but_under_nohup(
    before: signal.Handlers, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = {name: signal.getsignal(name) for name in main._ENDINGS}
    seen = []
    monkeypatch.setattr(main, "app", lambda **_: seen.append(signal.getsignal(signal.SIGHUP)))
    try:
        signal.signal(signal.SIGHUP, before)
        with pytest.raises(SystemExit):
            main.main()
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
    assert (seen[0] is main._interrupt) == ends


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_demo_is_status_130_and_leaves_everything_readable(tmp_path: Path, how: signal.Signals) -> None:
    out = tmp_path / "run"
    with running("demo", "--out", out) as process:
        wait_for(out / "journal", "*.trial", 35, process)
        process.send_signal(how)
        time.sleep(0.02)
        process.send_signal(how)  # impatience must not cost the last trial
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.splitlines()[-1] == f"robot-adapt: interrupted; everything up to here is in {out}"
    assert "Traceback" not in stderr
    kept = sqlite3.connect(out / "trials.sqlite").execute("SELECT number, status FROM trials ORDER BY number").fetchall()
    assert [number for number, _ in kept] == list(range(len(list((out / "journal").glob("*.trial")))))
    # The trial that was cut off, if the signal came in one and not between two, is the last: test_session has it in one.
    assert "aborted" not in [status for _, status in kept[:-1]]
    assert run("report", out).returncode == 0
    assert (out / "report.html").is_file()


def test_meta_training_interrupted_and_run_again_gives_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    values = yaml.safe_load((ROOT / "configs" / "meta_train" / "minitaur.yaml").read_text())
    stage = {"name": "one", "iterations": 12, "pairs": 1, "sigma": 0.05, "step": 0.05, "final_step": 0.01}
    search = {"population": 1, "rounds": 1, "sigma": 0.02}
    held_out = {"every": 12, "tasks": 2, "fresh_trials": 1, "adaptation": search}
    config = write_yaml(tmp_path / "tiny.yaml", {**values, "trial_s": 0.5, "stages": [stage], "held_out": held_out})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run("meta-train", config, "--out", whole, "--processes", "0").returncode == 0
    with running("meta-train", config, "--out", cut, "--processes", "1") as process:
        wait_for(cut, "checkpoint.safetensors", 1, process)
        for _ in "abc":
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "run the same command to go on" in stderr
    assert "Traceback" not in stderr
    assert not (cut / "policy.safetensors").exists()
    again = run("meta-train", config, "--out", cut, "--processes", "1")
    assert again.returncode == 0, again.stderr
    assert "going on from iteration" in again.stderr
    for name in ("policy.safetensors", "curve.csv"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
