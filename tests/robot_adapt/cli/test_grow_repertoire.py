from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import yaml

from robot_adapt.config import shipped
from robot_adapt.policy import policy_file
from tests.builders import shipped_policy
from tests.robot_adapt.cli.verbs import refused, run
from tests.robot_adapt.repertoire.test_config import TINY_GROWTH


def test_another_seed_grows_another_repertoire_in_a_folder_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY_GROWTH))
    for arguments in ((), ("--seed", "2")):
        done = run("grow-repertoire", path, "--processes", "0", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = (tmp_path / "runs" / name / "policy.safetensors" for name in ("repertoire-tiny", "repertoire-tiny-seed-2"))
    one, two = policy_file.load(first), policy_file.load(second)
    assert [grown.provenance["repertoire"]["config"]["seed"] for grown in (one, two)] == [1, 2]
    assert one.repertoire is not None
    assert two.repertoire is not None
    assert one.repertoire.returns.tolist() != two.repertoire.returns.tolist()
    with (first.parent / "growth.csv").open() as file:
        gained = [(int(row["round"]), row["family"], float(row["after_m"])) for row in csv.DictReader(file)]
    log = one.provenance["repertoire"]["specialists"]
    assert gained == [(index, family, round(after, 4)) for index, family, _, after in log] != []
    again = ("grow-repertoire", path, "--processes", "0", "--out", first.parent, "--seed", "3")
    assert "a checkpoint of another config" in refused(*again)


def test_growths_of_other_seeds_join(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY_GROWTH))
    grow = ("grow-repertoire", path, "--processes", "0")
    one, two, both = files = [tmp_path / name / "policy.safetensors" for name in ("one", "two", "both")]
    assert run(*grow, "--seed", "2", "--out", two.parent).returncode == 0
    assert run(*grow, "--out", one.parent).returncode == 0
    assert run(*grow, "--join", two, "--out", both.parent).returncode == 0
    counts = [len(found.members) for file in files if (found := policy_file.load(file).repertoire) is not None]
    assert counts[2] == counts[0] + counts[1] - 1
    (joined,) = policy_file.load(both).provenance["repertoire"]["joined"]
    assert joined["seed"] == 2
    assert joined["specialists"] == policy_file.load(two).provenance["repertoire"]["specialists"]
    assert "a growth with seed 2 is there already" in refused(*grow, "--join", two, "--join", two, "--out", tmp_path / "none")
    assert "not the growth of this config" in refused(*grow, "--seed", "3", "--join", both, "--out", tmp_path / "none")


def test_a_policy_of_another_robot_or_gait_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    path, gait = tmp_path / "tiny.yaml", tmp_path / "gait.safetensors"
    policy, laikago = shipped_policy("minitaur"), shipped("policies", "laikago.safetensors")
    policy_file.save(replace(policy, trot=policy.trot.model_copy(update={"frequency_hz": 9.0})), gait)
    said = {
        str(laikago): "this policy is for the robot laikago, not for minitaur",
        str(gait): "this policy's trajectory generator is not that of the robot minitaur",
    }
    for name, message in said.items():
        path.write_text(yaml.safe_dump({**TINY_GROWTH, "policy": name}))
        assert refused("grow-repertoire", path, "--out", tmp_path / "out") == f"{path}: policy: {name}: {message}"
    assert not (tmp_path / "out").exists()
