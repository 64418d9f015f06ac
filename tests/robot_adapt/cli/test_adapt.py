"""`adapt` on a robot on wires, over a bus without bytes, in fake time: what it leaves on disk, and what it asks."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hardware.types import RobotError
from robot_adapt import backends, calibration_file
from robot_adapt.cli.adapt import adapt
from robot_adapt.errors import UserError
from tests.builders import write_yaml
from tests.hardware.test_calibration import CALIBRATION
from tests.robot_adapt.cli.fake_wired import CONFIG_FILE, SPEC, FakeWired, wired

__all__ = ["wired"]
SHORT = {"trial_s": 0.1, "operator": {"population": 2, "rounds": 1, "sigma": 0.0000001}, "fresh_trials": 2}
TRIALS = 2 + 4 + 2


@dataclass
class Lab:
    """A robot's YAML with its calibration beside it, and an operator who types."""

    wired: FakeWired
    folder: Path
    patch: pytest.MonkeyPatch

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def adapt(self, typed: str, resume: bool = False) -> None:
        self.wired.bus.positions_rad = 0.2 - SPEC.stance_rad  # by that calibration's signs and zeros it stands
        (keys := self.folder / "keys").write_text(typed)
        with keys.open() as stdin:
            self.patch.setattr(sys, "stdin", stdin)
            if resume:
                adapt(str(self.folder / "lab.yaml"), resume=self.run)
            else:
                adapt(str(self.folder / "lab.yaml"), config=str(self.folder / "short.yaml"), out=self.run)

    def calibrate(self, pose: str) -> None:
        calibration_file.write(self.folder / "lab.calibration.yaml", replace(CALIBRATION, pose=pose))


@pytest.fixture
def lab(wired: FakeWired, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(backends, "wired_robot", wired.make)
    shutil.copy(CONFIG_FILE, tmp_path / "lab.yaml")
    write_yaml(tmp_path / "short.yaml", SHORT)
    made = Lab(wired, tmp_path, monkeypatch)
    made.calibrate("standing")
    return made


def stamped(lab: Lab) -> calibration_file.CalibrationStamp:
    return calibration_file.stamp(lab.folder / "lab.calibration.yaml", CALIBRATION)


def test_the_calibration_that_a_session_ran_with_is_in_its_plan_and_its_report(lab: Lab) -> None:
    lab.adapt("\n0.1\n" * TRIALS)
    plan = json.loads((lab.run / "session.json").read_text())
    assert plan["calibration"] == stamped(lab).model_dump()
    words = f"lab.calibration.yaml of {CALIBRATION.date}, SHA-256 {stamped(lab).sha256}"
    assert json.loads((lab.run / "recovery.json").read_text())["calibration"] == words
    assert words in (lab.run / "report.html").read_text()


@pytest.mark.parametrize("change", ["another", "none"])
def test_a_session_is_not_resumed_with_another_calibration(lab: Lab, wired: FakeWired, change: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        lab.adapt("\n0.1\n")
    if change == "none":
        (lab.folder / "lab.calibration.yaml").unlink()
    else:
        lab.calibrate("sitting")
    wired.bus.told.clear()
    with pytest.raises(UserError, match=r"session\.json: this session ran with lab\.calibration\.yaml of 2026.*put that back"):
        lab.adapt("\n0.1\n" * TRIALS, resume=True)
    assert "arm" not in wired.bus.told
    lab.calibrate("standing")
    lab.adapt("\n0.1\n" * (TRIALS - 2), resume=True)
    assert len(list((lab.run / "journal").iterdir())) == TRIALS


def test_a_robot_that_cannot_be_connected_leaves_nothing_behind_and_nothing_to_resume(
    lab: Lab, wired: FakeWired, capsys: pytest.CaptureFixture[str]
) -> None:
    wired.bus.unplugged = True
    with pytest.raises(RobotError, match="unplugged"):
        lab.adapt("")
    assert not lab.run.exists()
    assert "resume" not in capsys.readouterr().err
    wired.bus.unplugged = False
    lab.adapt("\n0.1\n" * TRIALS)


def test_a_run_folder_that_cannot_be_made_is_told_before_a_port_is_opened(lab: Lab, wired: FakeWired) -> None:
    (lab.folder / "run").write_text("a file")
    for out in (lab.run, lab.run / "inside"):
        with pytest.raises(UserError, match=f"^{out}: cannot be used: "):
            adapt(str(lab.folder / "lab.yaml"), config=str(lab.folder / "short.yaml"), out=out)
    assert wired.bus.told == []


def test_a_slip_of_the_keys_is_asked_again_and_costs_no_trial(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.adapt("\nnan\n-inf\n0,5\n\n85\n0.1\n" + "\n0.1\n" * (TRIALS - 1))
    told = capsys.readouterr().err
    for slip in ("nan m in 0.1 s", "-inf m in", "85 m in", "'0,5' is not a number", "'' is not a number"):
        assert slip in told
    numbers = json.loads((lab.run / "recovery.json").read_text())
    assert (numbers["aborted"], numbers["hobbled"]["mean"]) == (0, pytest.approx(0.1))
