from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import load, validate
from robot_adapt.errors import UserError
from sim.dynamics import Dynamics
from sim.ground import Rough, Slope
from tests.builders import MINITAUR, write_yaml

BODY = MINITAUR.body


def refused(tmp_path: Path, dynamics: object) -> str:
    """What a rig with these dynamics is refused for, without the file's name."""
    path = write_yaml(tmp_path / "rig.yaml", {"backend": "simulated", "robot": "minitaur", "dynamics": dynamics})
    with pytest.raises(UserError) as caught:
        load(path, SimulatedRobotConfig)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"mass_ratio": 0.0}, "dynamics.mass_ratio: Input should be greater than 0"),
        ({"payload_kg": -1.0}, "dynamics.payload_kg: Input should be greater than or equal to 0"),
        ({"payload_position_m": [0.0, 1.0]}, "the key dynamics.payload_position_m.2 is missing"),
        ({"battery_v": float("nan")}, "dynamics.battery_v: Input should be "),
        ({"foot_friction": float("inf")}, "dynamics.foot_friction: Input should be "),
        ({"dropout": 1.0}, "dynamics.dropout: Input should be less than 1"),
        ({"strength": {"front_left": -0.5}}, "dynamics.strength.front_left: Input should be greater than or equal to 0"),
        ({"strength": [1.0]}, "dynamics.strength: Input should be an object"),
        ({"shank_share": {"front_left": 1.5}}, "dynamics.shank_share.front_left: Input should be less than or equal to 1"),
        ({"ground": {"kind": "swamp"}}, "dynamics.ground: Input tag 'swamp' found"),
        ({"ground": {"kind": "steps", "height_m": 0.1}}, "the key dynamics.ground.length_m is missing"),
        ({"colour": 1}, "unknown key dynamics.colour"),
    ],
)
def test_dynamics_that_no_world_has_are_refused_by_their_key(tmp_path: Path, bad: object, why: str) -> None:
    assert refused(tmp_path, bad).startswith(why)


@pytest.mark.parametrize("key", ["shank_share", "foot_friction_of"])
def test_a_leg_that_the_robot_lacks_is_named_with_those_it_has(tmp_path: Path, key: str) -> None:
    why = refused(tmp_path, {key: {"middle": 0.5}})
    assert f"dynamics.{key}: minitaur has no leg middle; it has front_left, back_left, front_right, back_right" in why


@pytest.mark.parametrize("key", ["strength", "worn_joints_nm", "locked_joints_rad", "encoder_offset_rad"])
@pytest.mark.parametrize("name", ["middle", "front_left.2", "front_left.x", "front_left.-1", ""])
def test_a_joint_that_the_robot_lacks_is_named(tmp_path: Path, key: str, name: str) -> None:
    assert f"dynamics.{key}: minitaur has no joint or leg {name}; it has front_left" in refused(tmp_path, {key: {name: 0.5}})


@pytest.mark.parametrize("name", ["front_left", "front_left.0", "front_left.1", "motor_front_leftL_joint"])
def test_joints_go_by_their_name_their_leg_s_or_their_place_in_the_leg(name: str) -> None:
    assert Dynamics(strength={name: 0.5}).misfit(BODY) is None


def test_the_same_robot_without_anything_special_fits() -> None:
    assert Dynamics().misfit(BODY) is None


def test_changed_dynamics_keep_the_rest_and_leave_the_old_ones_alone() -> None:
    one = Dynamics(payload_kg=0.5, ground=Slope(pitch_rad=0.1), strength={"front_left": 0.5})
    other = one.with_changes(battery_v=10.0)
    assert (other.payload_kg, other.ground, other.strength, other.battery_v) == (0.5, one.ground, one.strength, 10.0)
    assert one.battery_v is None


def test_changed_dynamics_are_checked_again() -> None:
    with pytest.raises(ValidationError, match="mass_ratio"):
        Dynamics().with_changes(mass_ratio=-1.0)
    with pytest.raises(ValidationError, match="mass"):
        Dynamics().with_changes(mass=1.0)


def test_dynamics_survive_their_yaml() -> None:
    one = Dynamics(battery_v=10.0, pull_n=(0.0, 1.0, 0.0), ground=Rough(kind="rough", height_m=0.01, length_m=0.1, seed=1))
    assert validate(one.model_dump(mode="json"), Dynamics, "x.yaml") == one
