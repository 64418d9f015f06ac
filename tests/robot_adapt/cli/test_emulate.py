from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from hardware.types import RobotError
from robot_adapt.config import load, read_yaml, shipped
from robot_adapt.hardware_config import HardwareConfig, wired_robot
from tests.builders import write_yaml
from tests.robot_adapt.cli.verbs import refused, run, running, said


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_the_ports_are_said_the_robots_yaml_is_written_and_the_devices_answer_until_ctrl_c(tmp_path: Path) -> None:
    out = tmp_path / "emulated.yaml"
    with running("emulate", "dkitty_dynamixel", "--out", out, "--fault", "sag=1") as process:
        motors, imu = said(process), said(process)
        assert said(process) == f"robot-adapt check {out}"
        there = load(out, HardwareConfig)
        assert (motors, imu) == (f"motors {there.motors.port}", f"imu {there.imu.port}")
        ours = load(shipped("hardware", "dkitty_dynamixel.yaml"), HardwareConfig)
        assert there.wired_spec == ours.wired_spec
        robot = wired_robot(there, out).robot
        assert len(robot.open().motors) == 12
        robot.close()
        tell(process, "dead 11")
        assert said(process) == "motor 11 is dead"
        with pytest.raises(RobotError, match="Dynamixel 11"):
            robot.open()
        tell(process, "dance")
        assert process.stderr is not None
        assert "voltages are 1 V lower" in process.stderr.readline()
        assert process.stderr.readline() == "dance: there is no such command; help lists them\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert not Path(there.motors.port).exists()


def test_it_goes_on_when_nobody_is_at_standard_input() -> None:
    with running("emulate", "q8_dynamixel", "--physics", "mock") as process:
        port = said(process).split()[1]
        assert process.stdin is not None
        process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert Path(port).exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_robot_with_a_policy_is_for_adapt_and_its_calibration_stays_behind(tmp_path: Path) -> None:
    values = {**read_yaml(shipped("hardware", "minitaur_dynamixel.yaml")), "calibration": "mine.yaml"}
    out = tmp_path / "emulated.yaml"
    with running("emulate", write_yaml(tmp_path / "lab.yaml", values), "--physics", "mock", "--out", out) as process:
        assert [said(process) for _ in range(3)][2] == f"robot-adapt adapt {out}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert load(out, HardwareConfig).calibration is None


def test_what_cannot_be_emulated_is_told_in_a_line() -> None:
    assert refused("emulate", "nobody").startswith("no hardware named nobody: there is dkitty_dynamixel, ")
    assert refused("emulate", "dkitty_dynamixel", "--physics", "minitaur_training") == (
        "physics: dkitty has 12 joints, minitaur has 8"
    )
    assert "no such motor" in refused("emulate", "dkitty_dynamixel", "--fault", "dead=99")


def test_adapt_says_that_a_robot_has_no_policy_before_it_opens_a_port() -> None:
    file = shipped("hardware", "dkitty_dynamixel.yaml")
    assert refused("adapt", file).startswith("no policy is shipped for the robot dkitty: give --policy FILE")


def test_adapt_names_the_port_that_is_not_there_and_the_next_try_finds_an_empty_run_folder(tmp_path: Path) -> None:
    done = run("adapt", shipped("hardware", "minitaur_dynamixel.yaml"), "--out", tmp_path)
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())
    assert done.stderr.splitlines()[-1] == "robot-adapt: /dev/ttyUSB0: no such device: is it plugged in?"
