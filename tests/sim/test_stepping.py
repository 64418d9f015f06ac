from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sim import bullet_c
from sim.bullet import pybullet
from sim.compiled import version_of
from sim.world import World
from tests.sim.robots import NOISY, Opened, changes, content, path, trot

DYNAMICS: dict[str, dict[str, Any]] = {
    "plain": {},
    "noisy and late": {**NOISY, "control_latency_s": 0.013, "pd_latency_s": 0.003, "battery_ohm": 0.1},
    "pulled, loaded": {"pull_n": (3.0, -1.0, 0.5), "payload_kg": 0.5, "payload_position_m": (0.05, 0.02, 0.0)},
}


def walk(opened: Opened, model: str, dynamics: dict[str, Any]) -> bytes:
    """What is read and where it goes, with a change in the middle."""
    robot = opened(model, **dynamics)
    weak = robot.dynamics.with_changes(strength={"front_left": 0.3})
    states = trot(robot, 1, on_tick=changes(robot, 10, weak))
    rates = np.array([state.imu.angular_velocity_rad_s for state in states])
    return content(states) + rates.tobytes() + path(robot).tobytes() + np.array(robot.truth().energy_j).tobytes()


@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_compiled_steps_are_those_of_python_to_the_last_bit(
    opened: Opened, model: str, dynamics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = walk(opened, model, DYNAMICS[dynamics])
    with monkeypatch.context() as patch:
        patch.setattr(bullet_c, "body_of", lambda *_: None)
        assert walk(opened, model, DYNAMICS[dynamics]) == compiled


@pytest.mark.skipif(sys.platform != "linux", reason="PyBullet's table of symbols is read from ELF")
def test_pybullet_s_wheel_lets_its_steps_be_compiled(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "step", None)
    trot(opened())


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
