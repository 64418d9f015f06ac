from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hardware.types import RobotState
from sim import bullet_c, compiled_steps, mujoco_c
from sim.bullet import pybullet
from sim.compiled import version_of
from sim.mujoco_world import MujocoWorld
from sim.physics import Engine
from sim.simulated_robot import SimulatedRobot
from sim.world import World
from tests.sim.robots import NOISY, Opened, changes, content, path, trot

WORLDS: dict[Engine, type[World | MujocoWorld]] = {"pybullet": World, "mujoco": MujocoWorld}
DYNAMICS: dict[str, dict[str, Any]] = {
    "plain": {},
    "noisy and late": {**NOISY, "control_latency_s": 0.013, "pd_latency_s": 0.003, "battery_ohm": 0.1},
    "pulled, loaded": {"pull_n": (3.0, -1.0, 0.5), "payload_kg": 0.5, "payload_position_m": (0.05, 0.02, 0.0)},
    "hobbled": {
        "strength": {"front_left": 0.4, "back_right": 0.0},
        "locked_joints_rad": {"back_left.0": 0.1},
        "worn_joints_nm": {"front_right": 0.3},
        "encoder_offset_rad": {"front_left.1": 0.2},
        "shank_share": {"back_left": 0.5},
        "foot_friction_of": {"front_right": 0.1},
        "ground": {"kind": "slope", "roll_rad": 0.1},
        "battery_v": 12.0,
    },
}


def walk(opened: Opened, model: str, engine: Engine, dynamics: dict[str, Any]) -> bytes:
    """What is read and where it goes, with a change in the middle."""
    robot = opened(model, engine=engine, **dynamics)
    weak = robot.dynamics.with_changes(strength={"front_left": 0.3})
    states = trot(robot, 1, on_tick=changes(robot, 10, weak))
    return walked(robot, states)


def walk_back_and_on(opened: Opened, model: str, engine: Engine, dynamics: dict[str, Any]) -> bytes:
    """What is read and where it goes, back at the tenth tick's place from the twentieth on."""
    robot, snapshots = opened(model, engine=engine, **dynamics), []

    def on_tick(tick: int) -> None:
        if tick == 10:
            snapshots.append(robot.physics.save())
        if tick == 20:
            robot.physics.restore(snapshots[0])

    return walked(robot, trot(robot, 1, on_tick=on_tick))


def walked(robot: SimulatedRobot, states: list[RobotState]) -> bytes:
    rates = np.array([state.imu.angular_velocity_rad_s for state in states])
    return content(states) + rates.tobytes() + path(robot).tobytes() + np.array(robot.truth().energy_j).tobytes()


@pytest.mark.parametrize("way", [walk, walk_back_and_on])
@pytest.mark.parametrize("engine", WORLDS)
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_compiled_steps_are_those_of_python_to_the_last_bit(
    opened: Opened, model: str, engine: Engine, dynamics: str, way: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = way(opened, model, engine, DYNAMICS[dynamics])
    with monkeypatch.context() as patch:
        patch.setattr(WORLDS[engine], "compiled", lambda *_: None)
        assert way(opened, model, engine, DYNAMICS[dynamics]) == compiled


@pytest.mark.skipif(sys.platform != "linux", reason="PyBullet's table of symbols is read from ELF")
@pytest.mark.parametrize("engine", WORLDS)
def test_the_engines_wheels_let_their_steps_be_compiled(
    opened: Opened, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WORLDS[engine], "step", None)
    trot(opened(engine=engine))


@pytest.mark.parametrize("engine", WORLDS)
def test_an_engine_that_hides_its_functions_is_stepped_by_python(
    opened: Opened, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = content(trot(opened(engine=engine)))
    monkeypatch.setattr(bullet_c, "_get_physics_client", lambda: None)
    monkeypatch.setattr(mujoco_c, "found_in", lambda _: False)
    monkeypatch.setattr(compiled_steps, "_steps", None)
    assert content(trot(opened(engine=engine))) == compiled


def test_a_folder_without_mujoco_s_library_lets_no_step_be_compiled(tmp_path: Path) -> None:
    assert not mujoco_c.found_in(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "libmujoco.so.0").symlink_to(pybullet.__file__)
    assert not mujoco_c.found_in(other)


@pytest.mark.parametrize("content_of", [b"", b"#!/bin/sh", b"\x7fELF\x02\x01" + bytes(58)], ids=["empty", "text", "stripped"])
def test_a_library_without_a_table_of_symbols_tells_nothing(tmp_path: Path, content_of: bytes) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(content_of)
    assert bullet_c._elf_symbols(library, "getPhysicsClient") is None


def test_a_symbol_that_is_not_there_is_not_found() -> None:
    assert bullet_c._elf_symbols(Path(pybullet.__file__), "no_such_function") is None


def test_a_room_that_changes_is_another_version(tmp_path: Path) -> None:
    room = ModuleType("room")
    room.__file__ = str(tmp_path / "room.py")
    versions = []
    for source in ("a = 1", "a = 2", "a = 1"):
        Path(room.__file__).write_text(source)
        versions.append(version_of(room))
    assert versions[0] == versions[2] != versions[1]
