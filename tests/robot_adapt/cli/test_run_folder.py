from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from robot_adapt.cli.run_folder import run_folder
from robot_adapt.errors import UserError
from tests.robot_adapt.cli.verbs import ROOT, refused


def test_a_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    with run_folder(folder), pytest.raises(UserError, match="one: another run works in it"):
        run_folder(folder).__enter__()
    with run_folder(folder):
        assert folder.is_dir()


@pytest.mark.parametrize(
    ("verb", "config"),
    [
        ("meta-train", "configs/meta_train/minitaur.yaml"),
        ("grow-repertoire", "configs/repertoire/minitaur.yaml"),
        ("map-elites", "configs/baselines/minitaur_map_elites.yaml"),
        ("bench", "recovery"),
    ],
)
def test_a_long_command_does_not_work_where_another_run_does(tmp_path: Path, verb: str, config: str) -> None:
    with FileLock(tmp_path / ".lock"):
        said = refused(verb, config if verb == "bench" else ROOT / config, "--out", tmp_path, "--processes", "0")
    assert said == f"{tmp_path}: another run works in it"
