"""Emulated devices of a whole robot, read by its drivers over pseudo-terminals; and what can be told to them."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from hardware.types import RobotError
from robot_adapt.config import read_yaml, shipped, validate
from robot_adapt.emulation import Emulation, simulated_twin
from robot_adapt.emulation_commands import HELP, Commands
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig, WiredRobot, wired_robot
from tests.builders import SPEC, simulated_config

PATIENCE_S = 20.0  # this may be tested on a busy machine


def patient(name: str = "minitaur_dynamixel", **imu: object) -> HardwareConfig:
    values: dict[str, Any] = read_yaml(shipped("hardware", f"{name}.yaml"))
    values["motors"] |= {"silent_s": 0.3, "reply_timeout_s": 0.02, "watchdog_s": 1.2}
    values["imu"] |= {"stale_s": 1.0, **imu}
    return validate(values, HardwareConfig, name)


@contextlib.contextmanager
def opened(config: HardwareConfig) -> Iterator[tuple[Emulation, WiredRobot]]:
    with contextlib.closing(Emulation(config, None, byte_time=False)) as emulation:
        wired = wired_robot(emulation.reachable, None)
        wired.robot.open()
        yield emulation, wired
        wired.robot.close()


@pytest.fixture
def devices() -> Iterator[tuple[Commands, WiredRobot]]:
    with opened(patient()) as (emulation, wired):
        yield Commands(emulation), wired


def soon(seen: Callable[[], bool]) -> bool:
    """Does it become true in a while?"""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        if seen():
            return True
        time.sleep(0.02)
    return False


def raises_soon(robot: WiredRobot, words: str) -> bool:
    def raised() -> bool:
        try:
            robot.robot.read()
        except RobotError as error:
            return words in str(error)
        return False

    return soon(raised)


@pytest.mark.parametrize("name", ["minitaur_dynamixel", "q8_dynamixel", "dkitty_dynamixel", "quad_moteus", "laikago_moteus"])
def test_every_shipped_robot_stands_in_its_stance_before_anything_is_armed(name: str) -> None:
    with opened(patient(name)) as (_, wired):
        state = wired.robot.read()
        np.testing.assert_allclose(state.positions_rad, wired.robot.spec.stance_rad, atol=0.002)
        assert state.imu.tilt_rad < 0.01
        assert not state.errors


def test_a_turned_imu_is_emulated_turned_and_read_level() -> None:
    half = math.sqrt(0.5)
    config = patient(mounting_wxyz=[half, half, 0.0, 0.0])
    with opened(config) as (_, wired):
        assert wired.robot.imu.read().roll_rad == pytest.approx(math.pi / 2, abs=0.01)
        assert wired.robot.read().imu.tilt_rad < 0.01


def test_the_reachable_config_differs_in_its_ports_only() -> None:
    config = patient()
    with contextlib.closing(Emulation(config, None)) as emulation:
        there = emulation.reachable
    ours, theirs = config.model_dump(), there.model_dump()
    assert ours["motors"].pop("port") != theirs["motors"].pop("port")
    assert ours["imu"].pop("port") != theirs["imu"].pop("port")
    assert ours == theirs


def test_a_robots_twin_is_the_shipped_rig_of_its_name_and_a_robot_without_a_model_has_none() -> None:
    assert simulated_twin(patient()) == simulated_config("minitaur")
    assert simulated_twin(patient("dkitty_dynamixel")) is None


def test_physics_with_another_number_of_joints_is_refused() -> None:
    with pytest.raises(UserError, match="physics: minitaur has 8 joints, laikago has 12"):
        Emulation(patient(), simulated_config("laikago_training"))


def test_a_dead_motor_falls_silent_and_heals(devices: tuple[Commands, WiredRobot]) -> None:
    commands, wired = devices
    assert commands.run("dead 12") == "motor 12 is dead"
    assert raises_soon(wired, "Dynamixel 12")
    commands.run("heal")
    assert soon(lambda: _reads(wired))


def _reads(wired: WiredRobot) -> bool:
    with contextlib.suppress(RobotError):
        wired.robot.read()
        return True
    return False


def test_what_a_motor_reports_of_itself_arrives(devices: tuple[Commands, WiredRobot]) -> None:
    commands, wired = devices
    commands.run("error 13 0x04")
    commands.run("overheat 14 41")
    commands.run("sag 1.5")
    joint = SPEC.joint_names[2]
    assert soon(lambda: joint in (wired.robot.read().errors or {}))

    def seen() -> bool:
        state = wired.robot.read()
        assert state.temperatures_c is not None
        return bool(state.temperatures_c[3] - state.temperatures_c[4] == 41.0 and state.battery_v == pytest.approx(10.5))

    assert soon(seen)


def test_an_imu_without_numbers_is_a_fault_after_a_while(devices: tuple[Commands, WiredRobot]) -> None:
    commands, wired = devices
    commands.run("nan")
    assert raises_soon(wired, "IMU")
    assert wired.log.counts["bad packet"] > 0


def test_a_frozen_imu_goes_on_talking(devices: tuple[Commands, WiredRobot]) -> None:
    commands, wired = devices
    commands.run("freeze")
    times = {wired.robot.read().imu.time_s}
    assert soon(lambda: bool({wired.robot.read().imu.time_s} - times))


def test_damaged_and_lost_packets_are_counted_and_no_reading_is_lost(devices: tuple[Commands, WiredRobot]) -> None:
    commands, wired = devices
    commands.run("corrupt 0.02")
    commands.run("drop 0.05")

    def seen() -> bool:
        assert np.isfinite(wired.robot.read().positions_rad).all()
        return wired.log.counts["bad packet"] > 0 and wired.log.counts["reply lost"] > 0

    commands.run("merge 0.05")
    commands.run("late 0.01")
    assert soon(seen)


@pytest.mark.parametrize("line", ["motors", "imu"])
def test_a_cable_that_was_out_is_found_again_when_the_robot_is_opened_anew(
    devices: tuple[Commands, WiredRobot], line: str
) -> None:
    commands, wired = devices
    commands.run(f"unplug {line}")
    assert soon(lambda: not _reads(wired))
    wired.robot.close()
    with pytest.raises(RobotError, match="no such device"):
        wired.robot.open()
    commands.run(f"plug {line}")

    def opens() -> bool:
        with contextlib.suppress(RobotError):
            wired.robot.open()
            return True
        return False

    assert soon(opens)
    assert soon(lambda: _reads(wired))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dance", "dance: there is no such command"),
        ("dead", "'dead' is not understood: dead ID"),
        ("dead eleven", "'dead eleven' is not understood"),
        ("dead 99", "99: there is no such motor, only 11, 12, 13, 14, 15, 16, 17, 18"),
        ("error 11", "'error 11' is not understood: error ID BITS"),
        ("drop 2", "2: should be a share, from 0 to 1"),
        ("unplug radio", "radio: there are the lines motors and imu"),
        ("hobble payload", "mock physics cannot be hobbled"),
        ("where", "mock physics walks nowhere"),
        ("dead 'x", "is not understood"),
    ],
)
def test_a_line_that_means_nothing_is_answered_in_a_line(devices: tuple[Commands, WiredRobot], line: str, why: str) -> None:
    commands, _ = devices
    with pytest.raises(UserError) as caught:
        commands.run(line)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_command_is_in_the_help(devices: tuple[Commands, WiredRobot]) -> None:
    commands, _ = devices
    assert commands.run("help") == HELP
    assert set(commands._verbs) - {"help"} <= set(HELP.replace("|", " ").replace(",", " ").replace(";", " ").split())


def test_physics_is_held_at_its_start_until_motors_hold_it_and_is_put_back_hobbled() -> None:
    config = patient()
    with contextlib.closing(Emulation(config, simulated_config("minitaur_training"), byte_time=False)) as emulation:
        commands = Commands(emulation)
        plant, spec = emulation.plant, config.wired_spec
        height_m = _height_m(emulation)
        plant.command(spec.damping_command())
        time.sleep(0.2)
        plant.state()
        assert _height_m(emulation) == pytest.approx(height_m, abs=0.02)  # held as by a hand
        plant.command(spec.position_command(spec.stance_rad))
        plant.command(spec.damping_command())

        def fell() -> bool:
            plant.state()
            return _height_m(emulation) < 0.75 * height_m

        assert soon(fell)
        assert commands.run("hobble payload").startswith("hobbled by ")
        assert commands.run("reset 5") == "it stands at its start"
        assert _height_m(emulation) == pytest.approx(height_m, abs=0.03)
        assert emulation._simulated is not None
        assert emulation._simulated.dynamics != simulated_config("minitaur_training").dynamics
        assert commands.run("where").endswith("m to the left")


def _height_m(emulation: Emulation) -> float:
    assert emulation.truth is not None
    return emulation.truth.z_m
