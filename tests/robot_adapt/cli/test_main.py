"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import yaml

from robot_adapt import array_file
from robot_adapt.config import read_yaml
from robot_adapt.policy import policy_file
from tests.builders import policy_with_repertoire, write_yaml
from tests.robot_adapt.cli.verbs import ROOT, refused, run, running, said


def test_help_names_every_verb() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in (
        "demo",
        "meta-train",
        "check",
        "calibrate",
        "monitor",
        "emulate",
        "adapt",
        "aggregate",
        "send",
        "report",
        "render",
        "doctor",
    ):
        assert verb in done.stdout
        assert run(verb, "--help").returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; import robot_adapt.cli.main;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'numpy', 'grpc', 'google', 'pybullet', 'matplotlib',"
        "'pydantic', 'yaml', 'PIL', 'serial', 'jinja2', 'sim', 'hardware'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_version() -> None:
    assert run("--version").stdout == "robot-adapt 0.1.0\n"


def test_an_unknown_option_or_verb_or_a_value_out_of_range_is_one_line() -> None:
    assert "--colour" in refused("demo", "--colour")
    assert "fly" in refused("fly")
    assert "--seed" in refused("demo", "--seed", "-1")
    assert refused("meta-train") == "Missing argument 'config'."


def test_without_a_verb_it_shows_the_help() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "meta-train" in done.stdout


def test_wrong_input_is_one_line_with_file_and_key(tmp_path: Path) -> None:
    hobble = {"name": "h", "changes": [{"kind": "low_battery", "battery_v": 10.0, "colour": "red"}]}
    path = write_yaml(tmp_path / "hobble.yaml", hobble)
    assert refused("demo", "--hobble", path) == f"{path}: unknown key changes.0.colour"
    assert refused("demo", "--hobble", "unheard").startswith("no hobbles named unheard: there is dead_motor, ")
    assert refused("demo", "--robot", "cat").startswith("no rigs named cat: there is ")
    assert refused("demo", "--robot", "cat.yaml") == "cat.yaml: no such file"
    assert "'simulated' is not one of 'pybullet', 'mujoco'" in refused("demo", "--backend", "simulated")
    assert (
        refused("demo", "--robot", "mock") == f"{ROOT}/configs/rigs/mock.yaml: backend: Input should be 'simulated', not 'mock'"
    )
    tail = write_yaml(
        tmp_path / "tail.yaml", {"name": "tail", "changes": [{"kind": "weak_leg", "leg": "tail", "strength": 0.5}]}
    )
    assert refused("demo", "--hobble", tail).startswith(f"{tail}: changes.0.leg: minitaur has no leg tail; it has ")
    assert refused("meta-train", tmp_path / "gone.yaml") == f"{tmp_path}/gone.yaml: no such file"
    assert refused("demo", "--policy", tmp_path / "gone.safetensors").endswith("no such file")
    assert refused("report", tmp_path).startswith(f"{tmp_path}: not a run folder")
    assert refused("send", tmp_path).startswith(f"{tmp_path}: not a run folder")
    for address in ("nonsense", "", "host:port", "host:²"):
        assert "should be HOST:PORT" in refused("adapt", "mock", "--aggregator", address)
    assert refused("adapt", "mock", "--note", "a\x7fb").endswith("holds characters that cannot be shown")
    assert refused("adapt", "mock", "--resume", tmp_path) == f"{tmp_path}/session.json: no such file"
    assert refused("aggregate", "--listen", "nowhere") == "--listen nowhere: should be HOST:PORT, like 127.0.0.1:50051"


def test_the_demo_of_a_robot_of_ones_own_says_what_to_give(tmp_path: Path) -> None:
    model = read_yaml(ROOT / "configs" / "robots" / "laikago.yaml")
    model["body"]["name"] = "mine"
    rig = write_yaml(tmp_path / "mine.yaml", {"backend": "simulated", "robot": model})
    assert refused("demo", "--robot", rig) == "no demo is shipped for the robot mine: give --hobble NAME"
    said = refused("demo", "--robot", rig, "--hobble", "payload")
    assert said == "no policy is shipped for the robot mine: give --policy FILE, and --config for its trials"


def test_a_truncated_policy_or_one_of_another_robot_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    shipped = ROOT / "configs" / "policies" / "minitaur.safetensors"
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(shipped.read_bytes()[:-1])
    out = tmp_path / "run"
    assert "damaged, cut short" in refused("demo", "--policy", cut, "--out", out)
    arrays, values, _ = array_file.read(shipped)
    other = tmp_path / "other.safetensors"
    other.write_bytes(array_file.encode(arrays, {**values, "robot": "laikago"}))
    assert refused("demo", "--policy", other, "--out", out) == "this policy is for the robot laikago, not for minitaur"
    assert not out.exists()


def test_a_run_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    assert refused("demo", "--out", tmp_path).startswith(f"{tmp_path}: holds files already")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_robot_s_computer_needs_no_pybullet_and_says_so_where_it_does(tmp_path: Path) -> None:
    config = {"trial_s": 0.1, "operator": {"population": 1, "rounds": 1, "sigma": 0.02}, "fresh_trials": 2}
    path = write_yaml(tmp_path / "short.yaml", config)
    answers = "".join(f"\n{0.1 * trial}\n" for trial in range(6))
    out = tmp_path / "run"
    done = run("adapt", "mock", "--config", path, "--out", out, stdin=answers, blocked="pybullet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(out)
    assert "Adapted: 0.45 m a trial" in done.stdout
    assert {path.name for path in out.iterdir()} >= {"journal", "adapted_policy.safetensors", "recovery.json", "report.html"}
    demo = run("demo", "--out", tmp_path / "demo", blocked="pybullet")
    assert demo.returncode == 2
    assert "needs PyBullet" in demo.stderr
    assert not (tmp_path / "demo").exists()


def test_a_demo_on_mujoco_without_mujoco_says_what_to_install(tmp_path: Path) -> None:
    done = run("demo", "--backend", "mujoco", "--out", tmp_path / "demo", blocked="mujoco")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("pip install 'robot-adapt[mujoco]'\n")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "demo").exists()


def test_an_unreachable_aggregator_is_said_the_session_is_complete_and_sent_later(tmp_path: Path) -> None:
    config = {"trial_s": 0.2, "operator": {"population": 1, "rounds": 1, "sigma": 0.02}, "fresh_trials": 2}
    path = write_yaml(tmp_path / "short.yaml", config)
    out, database = tmp_path / "run", tmp_path / "trials.sqlite"
    done = run("adapt", "minitaur_training", "--config", path, "--out", out, "--aggregator", "127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert "the aggregator at 127.0.0.1:1 does not answer" in done.stderr
    assert "6 trials are not sent; they are complete on disk" in done.stderr
    assert "does not answer" in refused("send", out, "--aggregator", "127.0.0.1:1")

    with running("aggregate", "--database", database, "--listen", "127.0.0.1:0") as process:
        address = said(process).split()[2].rstrip(",")
        for _ in "ab":
            assert run("send", out, "--aggregator", address).returncode == 0
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == 130
    assert complaint == f"robot-adapt: interrupted; {database} is complete\n"
    assert sqlite3.connect(database).execute("SELECT count(*) FROM trials").fetchone() == (6,)


def test_meta_training_that_cannot_work_is_refused_before_it_begins(tmp_path: Path) -> None:
    values = yaml.safe_load((ROOT / "configs" / "meta_train" / "minitaur.yaml").read_text())
    values["tasks"]["dynamics"]["strength"]["tail"] = 0.5
    path = write_yaml(tmp_path / "tail.yaml", values)
    why = f"{path}: tasks.dynamics.strength: minitaur has no joint or leg tail"
    assert refused("meta-train", path, "--out", tmp_path / "x").startswith(why)
    config = ROOT / "configs" / "meta_train" / "minitaur.yaml"
    (tmp_path / "file").write_text("x")
    assert "Not a directory" in refused("meta-train", config, "--out", tmp_path / "file" / "x")
    without = run("meta-train", config, "--out", tmp_path / "x", blocked="pybullet")
    assert (without.returncode, "needs PyBullet" in without.stderr) == (2, True)
    assert not (tmp_path / "x").exists()
    short = write_yaml(tmp_path / "short.yaml", {**yaml.safe_load(config.read_text()), "trial_s": 0.01})
    assert refused("meta-train", short) == f"{short}: trial_s 0.01 is shorter than period_s 0.02"


def test_a_robot_that_falls_at_once_has_a_report_too(tmp_path: Path) -> None:
    change = {"kind": "payload", "mass_kg": 3.0, "position_m": [0.0, 0.3, 0.055]}
    path = write_yaml(tmp_path / "topple.yaml", {"name": "topple", "changes": [change]})
    done = run("demo", "--hobble", path, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / "run" / "recovery.json").read_text())
    assert numbers["hobbled"]["falls"] == numbers["hobbled"]["trials"]
    assert (tmp_path / "run" / "walk.gif").is_file()


def test_doctor_says_what_works_here() -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stderr
    assert "ok  simulation: the five-bar Minitaur loads, and the shipped policy fits it" in done.stdout
    assert "cores" in done.stdout
    without = run("doctor", blocked="pybullet")
    assert without.returncode == 0
    assert "NO  simulation needs PyBullet" in without.stdout


def test_progress_on_a_pipe_is_plain_lines(tmp_path: Path) -> None:
    config = {"trial_s": 0.1, "operator": {"population": 1, "rounds": 1, "sigma": 0.02}, "fresh_trials": 2}
    path = write_yaml(tmp_path / "short.yaml", config)
    done = run("adapt", "minitaur_training", "--config", path, "--out", tmp_path / "run")
    assert "\x1b" not in done.stderr
    assert any(line.startswith("before: 2/2, ") and line.endswith(" m") for line in done.stderr.splitlines())


def test_any_operator_is_a_line_of_the_adaptation_s_yaml(tmp_path: Path) -> None:
    search = {"kind": "recombination", "pairs": 2, "rounds": 1, "sigma": 0.02}
    settings = {"trial_s": 0.1, "fresh_trials": 2, "operator": {"kind": "duel", "pairs": 4, "search": search}}
    path, answers = write_yaml(tmp_path / "duel.yaml", settings), "\n0.1\n" * 16
    done = run("adapt", "mock", "--config", path, "--out", tmp_path / "run", stdin=answers)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "run" / "journal").glob("*.trial"))) == 16


def test_a_repertoire_is_searched_where_the_yaml_says_so_and_the_report_says_who_was_tried(tmp_path: Path) -> None:
    settings = {"trial_s": 0.1, "fresh_trials": 2, "operator": {"kind": "repertoire", "member_trials": 3}}
    path, policy, alone = (tmp_path / name for name in ("repertoire.yaml", "with.safetensors", "alone.safetensors"))
    write_yaml(path, settings)
    policy_file.save(policy_with_repertoire(ticks=5), policy)
    policy_file.save(replace(policy_with_repertoire(ticks=5), repertoire=None), alone)
    out = tmp_path / "run"
    options = ("adapt", "minitaur_training", "--config", path)
    assert refused(*options, "--policy", alone, "--out", out).startswith("operator: kind repertoire: this policy has none")
    done = run(*options, "--policy", policy, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").read_text().count("expected") == 2
    refusal = refused("demo", "--config", "repertoire", "--policy", alone, "--out", tmp_path / "demo")
    assert refusal.startswith("operator: kind repertoire: this policy has none")
    assert not (tmp_path / "demo").exists()


def test_an_operator_that_needs_a_library_says_so_before_anything_moves(tmp_path: Path) -> None:
    operator = {"kind": "cma_es", "population": 4, "rounds": 1, "sigma": 0.02}
    settings = write_yaml(tmp_path / "cma.yaml", {"trial_s": 0.1, "fresh_trials": 2, "operator": operator})
    done = run("adapt", "mock", "--config", settings, "--out", tmp_path / "run", blocked="cmaes")
    assert done.returncode == 2
    assert done.stderr == "robot-adapt: the operator cma_es needs cmaes: pip install 'robot-adapt[optim]'\n"
    assert not list((tmp_path / "run").glob("*"))
