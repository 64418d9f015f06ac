"""The verbs that look after a robot, over emulated devices: real bytes, real time, a robot that nobody has a model of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

import hardware.check
import robot_adapt.cli.check
from robot_adapt.cli.check import check
from robot_adapt.cli.monitor import monitor
from robot_adapt.config import load
from robot_adapt.emulation import Emulation
from robot_adapt.hardware_config import HardwareConfig
from tests.builders import write_yaml
from tests.robot_adapt.cli.fake_wired import Scripted

PORTS = ("motors", "imu")
# Patient, as this may be tested on a busy machine.
MOTORS: dict[str, dict[str, object]] = {
    "dynamixel": {"model": "XM430-W350", "supply_v": 12.0, "watchdog_s": 2.0, "silent_s": 5.0},
    "moteus": {
        "supply_v": 24.0, "servo_kp_nm_per_rev": 60.0, "servo_kd_nm_s_per_rev": 1.0, "max_torque_nm": 2.0,
        "watchdog_s": 1.2, "silent_s": 5.0,
    },
}  # fmt: skip
IMUS = {"dynamixel": "vectornav", "moteus": "bno08x"}


def described(family: str) -> dict[str, object]:
    joint = {"lower_rad": -1.0, "upper_rad": 1.0, "stance_rad": 0.2, "kp_nm_per_rad": 8.0, "kd_nm_s_per_rad": 0.1}
    wired = {"left": {"id": 1, "sign": 1, "offset_rad": 0.1}, "right": {"id": 2, "sign": -1, "offset_rad": -0.1}}
    patience = {"stale_command_s": 5.0, "stale_reading_s": 5.0, "late_a_second": 1000, "stall_s": 5.0}
    return {
        "backend": "hardware",
        "spec": {"name": "pair", "max_tilt_rad": 0.6, "joints": {"left": joint, "right": joint}},
        "motors": {"family": family, "port": "motors", **MOTORS[family], "joints": wired},
        "imu": {"family": IMUS[family], "port": "imu", "stale_s": 5.0},
        "safety": {"every_joint": {"torque_nm": 2.0}, **patience},
        "control_hz": 10.0,
    }


@pytest.fixture(params=MOTORS)
def emulation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulation]:
    config = load(write_yaml(tmp_path / "pair.yaml", described(request.param)), HardwareConfig)
    running = Emulation(config, None, byte_time=False)
    yield running
    running.close()


@pytest.fixture
def robot(emulation: Emulation, tmp_path: Path) -> str:
    """The YAML of the emulated robot."""
    values = described(emulation.config.motors.family)
    ports = {"motors": emulation.motors.path, "imu": emulation.imu.path}
    with_ports = {
        key: {**value, "port": ports[key]} if isinstance(value, dict) and key in ports else value
        for key, value in values.items()
    }
    return str(write_yaml(tmp_path / "lab.yaml", with_ports))


def rows(text: str) -> dict[str, tuple[str, str]]:
    """What is in the table of a check: verdict and the rest, by what was looked at."""
    lines = [line.split(maxsplit=2) for line in text.splitlines() if line.startswith(("ok ", "NO "))]
    return {line[1]: (line[0], line[2]) for line in lines}


def test_every_device_is_heard_and_nothing_is_armed(robot: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(typer.Exit):  # a busy machine is told to be too slow
        check(robot, readonly=True)
    seen = rows(capsys.readouterr().out)
    assert seen["left"][0] == seen["right"][0] == seen["IMU"][0] == seen["upright"][0] == "ok"
    assert "id 1," in seen["left"][1]
    assert "+0.20 rad" in seen["right"][1]
    assert "300 reads" in seen["bus"][1]


def test_a_dead_motor_is_named(robot: str, emulation: Emulation, capsys: pytest.CaptureFixture[str]) -> None:
    emulation.faults.motors.dead.add(2)
    with pytest.raises(typer.Exit):
        check(robot, readonly=True)
    verdict, why = rows(capsys.readouterr().out)["ended"]
    assert verdict == "NO"
    assert "right" in why


def test_after_a_yes_each_joint_moves_and_the_stop_is_tried(
    robot: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robot_adapt.cli.check, "_MOTION_S", 1.0)
    monkeypatch.setattr(hardware.check, "bus_finding", lambda *_: hardware.check.Finding("bus", "busy, perhaps"))

    def answer(_: str, meanwhile: Callable[[], None]) -> str:
        meanwhile()
        return "yes"

    monkeypatch.setattr(robot_adapt.cli.check, "Person", Scripted(answer))
    with pytest.raises(typer.Exit):  # nobody pushed the joint
        check(robot)
    text = capsys.readouterr().out
    assert text.count("% of what was asked") == 2
    assert "armed again" not in text
    assert "commands refused, left gave way by 0.0" in text
    seen = rows(text)
    assert seen["right"][0] == "ok"
    assert seen["stop"][0] == "NO"


def test_one_table_of_the_robot(robot: str, capsys: pytest.CaptureFixture[str]) -> None:
    monitor(robot, once=True)
    table = capsys.readouterr().out
    assert table.startswith("pair: 2 x ")
    angles = [float(line.split()[1]) for line in table.splitlines() if line.startswith(("left", "right"))]
    assert angles == pytest.approx([0.2, 0.2], abs=0.01)
