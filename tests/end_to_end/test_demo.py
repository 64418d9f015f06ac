"""The main job, whole, twice: what it leaves, what it shows, and that a seed gives the same bytes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from robot_adapt.config import shipped
from robot_adapt.policy import policy_file

SHIPPED = policy_file.load(shipped("policies", "minitaur.safetensors"))


def demo(out: Path) -> list[str]:
    command = [sys.executable, "-m", "robot_adapt", "demo", "--out", str(out), "--seed", "0"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "run"
    assert demo(out)[-1] == str(out)
    return out


@pytest.fixture(scope="module")
def numbers(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "recovery.json").read_text())
    return loaded


def rows(folder: Path) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(folder / "trials.sqlite")
    try:
        query = "SELECT robot, session, number, phase, status, sha256, payload FROM trials ORDER BY sequence"
        return database.execute(query).fetchall()
    finally:
        database.close()


def test_the_run_folder_holds_what_the_readme_says(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "trials.sqlite", "journal", "start_policy.safetensors", "adapted_policy.safetensors",
        "recovery.json", "recovery.png", "report.html", "walk.gif",
    }  # fmt: skip


def test_every_trial_reached_the_database_in_order(folder: Path, numbers: dict[str, Any]) -> None:
    stored = rows(folder)
    assert [row[2] for row in stored] == list(range(len(stored)))
    phases = [row[3] for row in stored]
    assert phases == ["healthy"] * 15 + ["hobbled"] * 15 + ["adaptation"] * 20 + ["adapted"] * 15
    assert numbers["adaptation_trials"] == 20
    assert numbers["robot_seconds"] <= 60.0


def test_the_report_says_who_of_the_repertoire_was_tried_and_why(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "meta-policy: what is wrong shows in its walk" in page
    assert "not tried yet" in page


def test_the_robot_walked_was_hobbled_and_recovered_a_good_part(numbers: dict[str, Any]) -> None:
    assert numbers["healthy"]["mean"] > 1.2
    assert numbers["hobbled"]["ci95"][1] < numbers["healthy"]["ci95"][0]
    assert numbers["adapted"]["mean"] > numbers["hobbled"]["ci95"][1]
    assert numbers["recovered_share"] > 0.7
    assert numbers["policy_sha256"] == policy_file.sha256(SHIPPED)


def test_the_adapted_policy_is_the_one_that_was_measured(folder: Path) -> None:
    adapted = policy_file.load(folder / "adapted_policy.safetensors")
    assert adapted.provenance["adapted"]["from"] == policy_file.sha256(SHIPPED)
    assert adapted.provenance["config"]["seed"] == SHIPPED.provenance["config"]["seed"]
    assert not np.array_equal(adapted.weights, SHIPPED.weights)


def test_the_pictures_and_the_page_are_whole(folder: Path) -> None:
    with Image.open(folder / "walk.gif") as walk:
        assert getattr(walk, "n_frames", 1) == 30
        assert walk.width == 3 * 280
    with Image.open(folder / "recovery.png") as picture:
        picture.verify()
    page = (folder / "report.html").read_text()
    assert "data:image/gif;base64," in page
    assert 'src="data:' in page
    assert "http" not in page


def test_the_same_seed_gives_the_same_trials_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    demo(tmp_path / "again")
    assert rows(tmp_path / "again") == rows(folder)
    for name in ("recovery.json", "adapted_policy.safetensors", "walk.gif"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
