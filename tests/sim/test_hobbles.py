"""Hobbles: each changes what it names, they compose, and the shipped ones fit every shipped robot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from robot_adapt.config import load, shipped
from robot_adapt.robot_model import RobotModel
from sim.dynamics import Dynamics
from sim.hobbles import Hobble
from sim.robots.assembler import assemble
from sim.robots.body import Body
from sim.robots.paint import painted
from tests.builders import MINITAUR

CONFIGS = Path(__file__).parents[2] / "configs"
HOBBLES = sorted(path.stem for path in (CONFIGS / "hobbles").glob("*.yaml"))
ROBOTS = sorted(path.stem for path in (CONFIGS / "robots").glob("*.yaml"))


def shipped_hobble(name: str) -> Hobble:
    return load(shipped("hobbles", f"{name}.yaml"), Hobble)


def body(robot: str) -> Body:
    return load(shipped("robots", f"{robot}.yaml"), RobotModel).body


def hobble(*changes: dict[str, Any]) -> Hobble:
    return Hobble.model_validate_json(json.dumps({"name": "test", "changes": changes}))


def changed(dynamics: Dynamics) -> dict[str, Any]:
    """What differs from a healthy robot."""
    return {key: value for key, value in dynamics.model_dump().items() if value != Dynamics().model_dump()[key]}


# What each shipped hobble changes, and nothing else.
EXPECTED: dict[str, dict[str, Any]] = {
    "payload": {"payload_kg": 2.0, "payload_position_m": (0.0, 0.13, 0.055)},
    "low_battery": {"battery_v": 10.0, "battery_ohm": 0.05},
    "weak_leg": {"strength": {"front_left": 0.25}},
    "dead_motor": {"strength": {"front_left.1": 0.0}},
    "locked_joint": {"locked_joints_rad": {"front_left.1": 0.0}},
    "short_leg": {"shank_share": {"front_left": 0.8}},
    "lost_leg": {"shank_share": {"front_left": 0.0}},
    "slippery_feet": {"foot_friction": 0.15},
    "slippery_foot": {"foot_friction_of": {"front_left": 0.05}},
    "worn_joint": {"worn_joints_nm": {"front_left.1": 2.0}},
    "encoder_offset": {"encoder_offset_rad": {"front_left.1": 0.2618}},
    "imu_tilt": {"imu_tilt_rad": (0.2618, 0.2618)},
    "extra_latency": {"control_latency_s": 0.08},
    "slope": {"ground": {"kind": "slope", "pitch_rad": 0.0, "roll_rad": 0.1396}},
    "steps": {"ground": {"kind": "steps", "height_m": 0.02, "length_m": 0.3}},
    "rough": {"ground": {"kind": "rough", "height_m": 0.015, "length_m": 0.15, "seed": 1}},
    "pull": {"pull_n": (0.0, 12.0, 0.0)},
    "mass_voltage": {"payload_kg": 0.5, "payload_position_m": (0.0, 0.13, 0.055), "battery_v": 10.0},
}
WORDS = {
    "payload": "2 kg at x 0, y 0.13, z 0.055 m",
    "low_battery": "battery at 10 V, 0.05 ohm more",
    "weak_leg": "front left leg at 25% strength",
    "dead_motor": "dead motor front left.1",
    "locked_joint": "joint front left.1 locked +0 degrees from its stance",
    "short_leg": "front left lower leg at 80% of its length",
    "lost_leg": "front left lower leg lost",
    "slippery_feet": "foot friction 0.15",
    "slippery_foot": "front left foot friction 0.05",
    "worn_joint": "2 N m of friction in joint front left.1",
    "encoder_offset": "encoder of front left.1 off by 15 degrees",
    "imu_tilt": "IMU tilted by 15 and 15 degrees",
    "extra_latency": "80 ms more latency",
    "slope": "slope of 0 degrees up ahead, 8 to the side",
    "steps": "steps of 20 mm every 0.3 m",
    "rough": "rough ground of 15 mm",
    "pull": "pulled with x 0, y 12, z 0 N",
    "mass_voltage": "0.5 kg at x 0, y 0.13, z 0.055 m, battery at 10 V",
}


@pytest.mark.parametrize("name", HOBBLES)
def test_a_shipped_hobble_has_its_file_s_name_and_fits_every_shipped_robot(name: str) -> None:
    assert shipped_hobble(name).name == name
    for robot in ROBOTS:
        assert shipped_hobble(name).misfit(body(robot)) is None


@pytest.mark.parametrize("name", [name for name in HOBBLES if not name.startswith("demo_")])
def test_a_shipped_hobble_changes_what_it_names_and_says_so(name: str) -> None:
    assert changed(shipped_hobble(name).apply(Dynamics())) == EXPECTED[name]
    assert str(shipped_hobble(name)) == WORDS[name]


def test_two_of_a_kind_join() -> None:
    both = hobble(
        {"kind": "weak_leg", "leg": "front_left", "strength": 0.5},
        {"kind": "weak_leg", "leg": "front_left", "strength": 0.4},
        {"kind": "payload", "mass_kg": 1.0, "position_m": [0.0, 0.2, 0.0]},
        {"kind": "payload", "mass_kg": 3.0, "position_m": [0.1, 0.0, 0.0]},
        {"kind": "short_leg", "leg": "back_left", "share": 0.5},
        {"kind": "short_leg", "leg": "back_left", "share": 0.5},
        {"kind": "worn_joint", "joint": "front_left.0", "friction_nm": 0.1},
        {"kind": "worn_joint", "joint": "front_left.0", "friction_nm": 0.2},
        {"kind": "extra_latency", "latency_s": 0.01},
        {"kind": "extra_latency", "latency_s": 0.02},
        {"kind": "pull", "force_n": [1.0, 2.0, 3.0]},
        {"kind": "pull", "force_n": [1.0, -2.0, 0.0]},
    ).apply(Dynamics(control_latency_s=0.01))
    assert both.strength == {"front_left": 0.2}
    assert both.payload_kg == 4.0
    assert both.payload_position_m == pytest.approx((0.075, 0.05, 0.0))
    assert both.shank_share == {"back_left": 0.25}
    assert both.worn_joints_nm == {"front_left.0": pytest.approx(0.3)}
    assert both.control_latency_s == pytest.approx(0.04)
    assert both.pull_n == (2.0, 0.0, 3.0)


def test_what_replaces_is_decided_by_the_last_one() -> None:
    one, all_feet = {"kind": "slippery_foot", "leg": "front_left", "friction": 0.1}, {"kind": "slippery_feet", "friction": 0.3}
    assert hobble(one, all_feet).apply(Dynamics()).foot_friction_of == {}
    assert hobble(all_feet, one).apply(Dynamics()).foot_friction_of == {"front_left": 0.1}
    dead, weak = {"kind": "dead_motor", "joint": "front_left.1"}, {"kind": "weak_leg", "leg": "front_left", "strength": 0.5}
    assert hobble(dead, weak).apply(Dynamics()) == hobble(weak, dead).apply(Dynamics())


JOINTED: list[dict[str, Any]] = [
    {"kind": "dead_motor"},
    {"kind": "locked_joint", "angle_rad": 0.1},
    {"kind": "worn_joint", "friction_nm": 0.1},
    {"kind": "encoder_offset", "angle_rad": 0.1},
]


@pytest.mark.parametrize("name", ["tail", "front_left.1", "motor_front_leftL_joint"])
@pytest.mark.parametrize(
    "change",
    [
        {"kind": "weak_leg", "strength": 0.5},
        {"kind": "short_leg", "share": 0.5},
        {"kind": "slippery_foot", "friction": 0.5},
    ],
)
def test_a_leg_s_change_that_names_no_leg_is_a_misfit(change: dict[str, Any], name: str) -> None:
    wrong = hobble({"kind": "low_battery", "battery_v": 9.0}, {**change, "leg": name})
    legs = "front_left, back_left, front_right, back_right"
    assert wrong.misfit(MINITAUR.body) == f"changes.1.leg: minitaur has no leg {name}; it has {legs}"


@pytest.mark.parametrize("change", JOINTED)
def test_a_joint_s_change_means_one_joint_by_its_name_or_its_place(change: dict[str, Any]) -> None:
    for name in ("front_left.1", "motor_front_leftL_joint"):
        assert hobble({**change, "joint": name}).misfit(MINITAUR.body) is None
    whole, none = (hobble({**change, "joint": name}).misfit(MINITAUR.body) for name in ("front_left", "front_left.2"))
    assert whole == "changes.0.joint: front_left is a leg; its joints are front_left.0 to front_left.1"
    assert str(none).startswith("changes.0.joint: minitaur has no joint front_left.2; it has motor_front_leftL_joint, ")


@pytest.mark.parametrize(("angle_rad", "fits"), [(1.19, True), (-1.19, True), (1.21, False), (-1.21, False)])
def test_a_joint_is_locked_within_its_limits(angle_rad: float, fits: bool) -> None:
    wrong = hobble({"kind": "locked_joint", "joint": "front_left.1", "angle_rad": angle_rad}).misfit(MINITAUR.body)
    why = f"changes.0.angle_rad: front_left.1 turns from -1.2 to 1.2 about its stance, not to {angle_rad}"
    assert wrong == (None if fits else why)


def orange_links(robot: str, dynamics: Dynamics) -> set[str]:
    model = load(shipped("robots", f"{robot}.yaml"), RobotModel)
    assembly = assemble(model.body, "five_bar" if robot == "minitaur" else "open_chain", dynamics, visuals=True)
    root = ET.fromstring(painted(assembly, model.body, dynamics).urdf)  # noqa: S314  our own
    return {link.attrib["name"] for link in root.iter("link") if link.find("visual/material[@name='hobbled']") is not None}


def test_the_hobbled_part_is_orange() -> None:
    healthy = Dynamics(strength={"front_left": 0.95}, foot_friction=0.85)
    assert orange_links("minitaur", healthy) == set()
    weak = orange_links("minitaur", shipped_hobble("weak_leg").apply(healthy))
    dead = orange_links("minitaur", shipped_hobble("dead_motor").apply(healthy))
    right = {"motor_front_leftR_link", "lower_leg_front_leftR_link"}
    assert dead == right
    assert weak == right | {"motor_front_leftL_link", "lower_leg_front_leftL_link"}
    foot = orange_links("minitaur", shipped_hobble("slippery_foot").apply(healthy))
    assert foot == {"lower_leg_front_leftR_link"}


@pytest.mark.parametrize("robot", ROBOTS)
@pytest.mark.parametrize("name", ["weak_leg", "dead_motor", "slippery_foot"])
def test_it_is_orange_on_every_robot(robot: str, name: str) -> None:
    assert orange_links(robot, shipped_hobble(name).apply(Dynamics()))
