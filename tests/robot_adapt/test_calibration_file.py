from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from robot_adapt import calibration_file
from robot_adapt.errors import UserError
from tests.builders import SPEC
from tests.hardware.test_calibration import CALIBRATION


def test_what_is_written_is_read_back_and_the_one_before_is_kept(tmp_path: Path) -> None:
    path = calibration_file.path_beside(tmp_path / "lab.yaml")
    assert path.name == "lab.calibration.yaml"
    assert calibration_file.write(path, CALIBRATION) is None
    assert calibration_file.read(path, SPEC) == CALIBRATION
    kept = calibration_file.write(path, replace(CALIBRATION, pose="lying"))
    assert kept is not None
    assert calibration_file.read(kept, SPEC) == CALIBRATION
    assert calibration_file.read(path, SPEC).pose == "lying"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lab.calibration.before.yaml", "lab.calibration.yaml"]


def test_a_write_that_is_cut_off_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lab.calibration.yaml"
    calibration_file.write(path, CALIBRATION)

    def pulled(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", pulled)
    with pytest.raises(KeyboardInterrupt):
        calibration_file.write(path, replace(CALIBRATION, pose="lying"))
    assert calibration_file.read(path, SPEC) == CALIBRATION


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("version: 1", "version: 2", "version: Input should be 1, not 2"),
        ("robot: minitaur", "robot: cat", "this calibration is of the robot cat, not of minitaur"),
        ("offset_rad: 0.2", "offset_rad: .nan", "an angle is not finite"),
        ("offset_rad: 0.2", "offset_rad: 0.2\n  zeal: 1", "joints.0.zeal: "),
        ("sign: -1", "sign: -1.5", "joints.0.sign: "),
        ("sign: -1", "sign: 7", "the sign is 7, not 1 or -1"),
    ],
)
def test_a_file_that_was_edited_into_nonsense_is_refused_naming_file_and_key(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    path = tmp_path / "lab.calibration.yaml"
    calibration_file.write(path, CALIBRATION)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError) as refused:
        calibration_file.read(path, SPEC)
    assert str(refused.value).startswith(f"{path}: ")
    assert why in str(refused.value)
