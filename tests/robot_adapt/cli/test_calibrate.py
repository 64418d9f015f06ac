"""`calibrate` over a bus without bytes: the file it writes, and what that file then does to arming."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import robot_adapt.cli.calibrate
from hardware.types import FloatArray, RobotError
from robot_adapt import calibration_file
from robot_adapt.cli.calibrate import calibrate
from robot_adapt.errors import UserError
from tests.builders import write_yaml
from tests.robot_adapt.cli.fake_wired import CONFIG, CONFIG_FILE, SPEC, FakeWired, Scripted, wired

__all__ = ["wired"]
NAMES = SPEC.joint_names
POSE_RAD = SPEC.stance_rad
# How the robot really is built.
SIGNS = np.array([-joint.sign for joint in SPEC.joints])
OFFSETS_RAD = np.linspace(0.5, 1.5, len(NAMES))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(CONFIG_FILE, tmp_path / "lab.yaml"))


def hands(wired: FakeWired, monkeypatch: pytest.MonkeyPatch, give_up_at: str | None = None) -> Scripted:
    """A person who does what is asked with the robot as it really is; Ctrl-C at the question with these words."""

    def place(pose_rad: FloatArray) -> None:
        wired.bus.positions_rad = SIGNS * pose_rad + OFFSETS_RAD

    def answer(question: str, meanwhile: Callable[[], None]) -> str:
        if give_up_at is not None and give_up_at in question:
            raise KeyboardInterrupt
        joint = next((k for k, name in enumerate(NAMES) if question.startswith(name)), None)
        if "reference pose" in question:
            place(POSE_RAD)
        elif joint is not None and "positive direction" in question:
            wired.bus.positions_rad[joint] += 0.3 * SIGNS[joint]
        elif joint is not None:
            for angle in (-0.8, 0.0, 0.7):
                wired.bus.positions_rad[joint] = SIGNS[joint] * (POSE_RAD[joint] + angle) + OFFSETS_RAD[joint]
                meanwhile()
        return ""

    person = Scripted(answer)
    monkeypatch.setattr(robot_adapt.cli.calibrate, "Person", person)
    return person


def written(file: Path) -> dict[str, tuple[int, float]]:
    calibration = calibration_file.read(file.with_name("lab.calibration.yaml"), SPEC)
    return {joint.joint: (joint.sign, round(joint.offset_rad, 3)) for joint in calibration.joints}


TRUTH = {name: (int(SIGNS[k]), round(float(OFFSETS_RAD[k]), 3)) for k, name in enumerate(NAMES)}


def test_a_guided_calibration_finds_the_robot_as_it_is_built_with_its_motors_limp(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hands(wired, monkeypatch)
    calibrate(str(file), None, "stance")
    assert written(file) == TRUTH
    assert capsys.readouterr().out.strip() == str(file.with_name("lab.calibration.yaml"))
    assert wired.bus.told == ["open", "release", "close"]
    assert not list(file.parent.glob("*draft*"))


def test_a_calibrated_robot_is_armed_in_its_reference_pose_only(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    hands(wired, monkeypatch)
    calibrate(str(file), None, "stance")
    robot = wired.make(CONFIG, file).robot
    wired.bus.positions_rad[3] += 0.5
    with pytest.raises(RobotError, match=rf"not armed: {NAMES[3]} measures .* reference pose \(stance"):
        robot.connect()
    assert "arm" not in wired.bus.told
    wired.bus.positions_rad[3] -= 0.5
    robot.connect()
    np.testing.assert_allclose(robot.read().positions_rad, POSE_RAD, atol=1e-3)


def test_ctrl_c_keeps_what_was_measured_and_the_same_command_goes_on(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    hands(wired, monkeypatch, give_up_at=f"{NAMES[4]} ")
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        calibrate(str(file), None, "stance")
    assert not file.with_name("lab.calibration.yaml").exists()
    assert wired.bus.told[-1] == "close"
    person = hands(wired, monkeypatch)
    calibrate(str(file), None, "stance")
    assert not any(question.startswith(NAMES[0]) for question in person.asked)
    assert any("4 of 8 joints are measured" in line for line in person.said)
    assert written(file) == TRUTH


def test_what_was_measured_from_one_pose_is_not_taken_for_another(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    hands(wired, monkeypatch, give_up_at=f"{NAMES[4]} ")
    with pytest.raises(KeyboardInterrupt):
        calibrate(str(file), None, "stance")
    with pytest.raises(UserError, match="was measured from the pose stance: --pose stance goes on, --anew forgets it"):
        calibrate(str(file), None, "zero")


def test_what_was_measured_before_can_be_forgotten(wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    hands(wired, monkeypatch, give_up_at=f"{NAMES[4]} ")
    with pytest.raises(KeyboardInterrupt):
        calibrate(str(file), None, "stance")
    person = hands(wired, monkeypatch)
    calibrate(str(file), None, "stance", anew=True)
    assert any(question.startswith(NAMES[0]) for question in person.asked)


def test_one_joint_is_calibrated_again_and_the_file_before_is_kept(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    hands(wired, monkeypatch)
    calibrate(str(file), None, "stance")
    monkeypatch.setitem(globals(), "OFFSETS_RAD", OFFSETS_RAD + 0.3 * (np.arange(len(NAMES)) == 2))
    person = hands(wired, monkeypatch)
    calibrate(str(file), [NAMES[2]], "stance")
    assert not any(question.startswith(NAMES[0]) for question in person.asked)
    now = written(file)
    assert now[NAMES[2]][1] == pytest.approx(float(OFFSETS_RAD[2]), abs=1e-3)
    assert {name: of for name, of in now.items() if name != NAMES[2]} == {n: t for n, t in TRUTH.items() if n != NAMES[2]}
    before = calibration_file.read(file.with_name("lab.calibration.before.yaml"), SPEC)
    assert before.joints[2].offset_rad == pytest.approx(float(OFFSETS_RAD[2]) - 0.3, abs=1e-4)


def test_a_shipped_file_an_unknown_joint_and_an_unknown_pose_are_refused_before_anything_is_opened(
    wired: FakeWired, file: Path
) -> None:
    with pytest.raises(UserError, match="is shipped with this program: copy"):
        calibrate("minitaur_dynamixel")
    with pytest.raises(UserError, match="--joint tail: minitaur has "):
        calibrate(str(file), ["tail"])
    values = yaml.safe_load(file.read_text())
    values["safety"].pop("sit_rad", None)
    with pytest.raises(UserError, match=r"safety\.sit_rad: is missing"):
        calibrate(str(write_yaml(file, values)), None, "sit")
    assert wired.bus.told == []
