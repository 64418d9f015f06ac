from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot_adapt.config import load, read_yaml, shipped
from robot_adapt.errors import UserError
from robot_adapt.robot_model import RobotModel
from sim.robots.body import Body
from tests.builders import MINITAUR, SPEC, write_yaml

VALUES = read_yaml(shipped("robots", "minitaur.yaml"))
JOINT = "motor_back_leftL_joint"
BODY = MINITAUR.body
Edit = Callable[[dict[str, Any]], object]


def refused(tmp_path: Path, edit: Edit) -> str:
    """What the Minitaur's YAML is refused for after an edit, without the file's name."""
    values = copy.deepcopy(VALUES)
    edit(values)
    path = write_yaml(tmp_path / "robot.yaml", values)
    with pytest.raises(UserError) as caught:
        load(path, RobotModel)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def renamed(values: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """In the same order."""
    return {new if name == old else name: value for name, value in values.items()}


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("kp_nm_per_rad", -1.0, "Input should be greater than or equal to 0, not -1.0"),
        ("kd_nm_s_per_rad", float("nan"), "Input should be"),
        ("offset_rad", float("inf"), "Input should be"),
        ("sign", 0, "Input should be -1 or 1, not 0"),
        ("stance_rad", "level", "Input should be a valid number, not 'level'"),
    ],
)
def test_a_bad_value_of_a_joint_is_named_by_its_key(tmp_path: Path, key: str, value: object, why: str) -> None:
    message = refused(tmp_path, lambda values: values["body"]["joints"][JOINT].update({key: value}))
    assert message.startswith(f"body.joints.{JOINT}.{key}: {why}")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda body: body.update(start_height_m=0.0), "body.start_height_m: Input should be greater than 0"),
        (lambda body: body.update(max_tilt_rad=4.0), "body.max_tilt_rad: Input should be less than"),
        (
            lambda body: body["motor"].update(drive="steam"),
            "body.motor.drive: Input should be 'duty' or 'current', not 'steam'",
        ),
        (lambda body: body["motor"].update(resistance_ohm=float("nan")), "body.motor.resistance_ohm: Input should be"),
        (lambda body: body["motor"].update(table_nm=[0.0]), "body.motor.table_nm: Tuple should have at least 2 items"),
        (
            lambda body: body["motor"].update(table_nm=[0.0, -1.0]),
            "body.motor.table_nm.1: Input should be greater than or equal",
        ),
        (
            lambda body: body["feet"]["front_left"].update(radius_m=-0.1),
            "body.feet.front_left.radius_m: Input should be greater",
        ),
        (lambda body: body.update(mass_kg=5.0), "unknown key body.mass_kg"),
        (lambda body: body.pop("urdf"), "the key body.urdf is missing"),
    ],
)
def test_a_bad_value_of_a_body_is_named_by_its_key(tmp_path: Path, edit: Edit, why: str) -> None:
    assert refused(tmp_path, lambda values: edit(values["body"])).startswith(why)


def test_a_joint_that_the_urdf_lacks_is_named_with_those_it_has(tmp_path: Path) -> None:
    def rename(values: dict[str, Any]) -> None:
        values["body"]["joints"] = renamed(values["body"]["joints"], JOINT, "tail_joint")

    message = refused(tmp_path, rename)
    why = "body.joints.tail_joint: quadruped/minitaur.urdf has no such joint; it has knee_back_leftL_link, "
    assert message.startswith(why)


def test_a_foot_s_link_that_the_urdf_lacks_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["body"]["feet"]["back_left"].update(link="paw"))
    assert message == "body.feet.back_left.link: quadruped/minitaur.urdf has no link paw"


def test_a_joint_of_a_leg_that_is_not_there_is_named_with_the_legs_there_are(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["body"]["joints"][JOINT].update(leg="middle"))
    why = "there is no leg middle, only front_left, back_left, front_right, back_right"
    assert message == f"body.joints.{JOINT}.leg: {why}"


def test_a_missing_urdf_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["body"].update(urdf="quadruped/absent.urdf"))
    assert message == "body.urdf: no such file, here or in pybullet_data: quadruped/absent.urdf"


def test_a_file_that_is_no_urdf_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.urdf"
    broken.write_text("<robot><link")
    message = refused(tmp_path, lambda values: values["body"].update(urdf=str(broken)))
    assert message.startswith(f"body.urdf: {broken} is no URDF: ")


ROD = "<link name='rod'><inertial><mass value='{}'/><inertia ixx='{}' ixy='{}' iyy='1' izz='1'/></inertial>{}</link>"
HINGE = "<joint name='hinge' type='{}'><parent link='rod'/><child link='tip'/></joint>"


@pytest.mark.parametrize(
    ("urdf", "why"),
    [
        (ROD.format(-4, 1, 0, ""), "rod has mass -4"),
        (ROD.format("nan", 1, 0, ""), "rod has mass nan"),
        (ROD.format("inf", 1, 0, ""), "rod has mass inf"),
        (ROD.format("heavy", 1, 0, ""), "rod has mass heavy"),
        (ROD.format(1, -0.1, 0, ""), "rod has inertia ixx -0.1"),
        (ROD.format(1, 1, "inf", ""), "rod has inertia ixy inf"),
        (ROD.format(1, "round", 0, ""), "rod has inertia ixx round"),
        ("<link name='rod'><inertial><mass value='1'/></inertial></link>", "rod: its inertial lacks the inertia"),
        (ROD.format(0, 1, 0, ""), "rod has no mass, nor has what is fastened to it"),
        (ROD.format(1, 1, 0, "") + "<link name='tip'/>" + HINGE.format("continuous"), "tip has no mass, nor has what is"),
        (
            ROD.format(1, 1, 0, "<visual><geometry><mesh filename='rod.obj'/></geometry></visual>"),
            "rod: no mesh file rod.obj",
        ),
        (
            ROD.format(1, 1, 0, "<collision><geometry><mesh filename='/rod.obj'/></geometry></collision>"),
            "rod: no mesh file /rod.obj",
        ),
    ],
)
def test_a_link_that_no_physics_can_have_is_named(tmp_path: Path, urdf: str, why: str) -> None:
    (tmp_path / "robot.urdf").write_text(f"<robot>{urdf}</robot>")
    message = refused(tmp_path, lambda values: values["body"].update(urdf=str(tmp_path / "robot.urdf")))
    assert message.startswith(f"body.urdf: link {why}")


@pytest.mark.parametrize(
    ("joint", "why"),
    [
        (HINGE.format("revolute"), "hinge is revolute and has no limit: PyBullet wants one (or type continuous)"),
        (HINGE.format("fixed").replace("tip", "top"), "hinge: its child 'top' is no link"),
        ("<joint name='hinge' type='fixed'><child link='tip'/></joint>", "hinge: its parent '' is no link"),
    ],
)
def test_a_joint_that_cannot_be_is_named(tmp_path: Path, joint: str, why: str) -> None:
    (tmp_path / "robot.urdf").write_text(f"<robot>{ROD.format(1, 1, 0, '')}<link name='tip'/>{joint}</robot>")
    message = refused(tmp_path, lambda values: values["body"].update(urdf=str(tmp_path / "robot.urdf")))
    assert message == f"body.urdf: joint {why}"


def test_a_urdf_that_is_here_and_in_pybullet_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or who edits a copy would train on the original without a word."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "a1" / "a1.urdf"
    own.parent.mkdir()
    own.write_text("<robot/>")
    message = refused(tmp_path, lambda values: values["body"].update(urdf="a1/a1.urdf"))
    assert message == f"body.urdf: a1/a1.urdf is there and in pybullet_data, too: for yours write {own}"


@pytest.mark.parametrize("file", ["rod.obj", "{}/rod.obj"])
def test_a_mesh_may_lie_beside_the_urdf_or_anywhere_and_what_is_fastened_needs_no_mass(tmp_path: Path, file: str) -> None:
    (tmp_path / "rod.obj").write_text("")
    visual = f"<visual><geometry><mesh filename='{file.format(tmp_path)}'/></geometry></visual>"
    parts = ROD.format(1, 1, 0, visual) + "<link name='tip'/>" + HINGE.format("fixed")
    (tmp_path / "robot.urdf").write_text(f"<robot>{parts}</robot>")
    message = refused(tmp_path, lambda values: values["body"].update(urdf=str(tmp_path / "robot.urdf")))
    assert "has no such joint" in message


def test_a_stance_outside_the_limits_is_named_by_its_joint(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["body"]["joints"][JOINT].update(stance_rad=3.0))
    assert message.startswith(f"body.joints.{JOINT}: stance_rad 3.0 is outside 0.3708 to 2.7708")


def test_limits_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["body"]["joints"][JOINT].update(lower_rad=2.7708, upper_rad=0.3708))
    assert message.startswith(f"body.joints.{JOINT}: stance_rad 1.5708 is outside 2.7708 to 0.3708")


def test_a_gait_of_another_robot_s_joints_is_refused(tmp_path: Path) -> None:
    def rename(values: dict[str, Any]) -> None:
        values["trot"]["joints"] = renamed(values["trot"]["joints"], JOINT, "tail_joint")

    assert refused(tmp_path, rename).startswith("trot.joints: should be those of body.joints, in order: ")


def test_legs_of_the_gait_are_those_of_the_body_in_order(tmp_path: Path) -> None:
    def reorder(values: dict[str, Any]) -> None:
        feet = values["body"]["feet"]
        values["body"]["feet"] = {leg: feet[leg] for leg in ("front_left", "front_right", "back_left", "back_right")}

    message = refused(tmp_path, reorder)
    assert message == f"trot.joints.{JOINT}.leg: 1 is the front_right leg in body.feet, not the back_left"
    message = refused(tmp_path, lambda values: values["trot"]["phase_offset_cycles"].append(0.0))
    assert message.startswith("trot.phase_offset_cycles: should be one a leg, in the order of body.feet: front_left, back_left")


@pytest.mark.parametrize("legs", ["serial", "five_bar", "five_bar_full"])
def test_legs_of_the_minitaur_are_refused_to_another_robot(tmp_path: Path, legs: str) -> None:
    def edit(values: dict[str, Any]) -> None:
        values["body"]["name"] = "cheetah"
        values["simulation"]["legs"] = legs

    assert refused(tmp_path, edit) == f"simulation.legs: {legs} legs are the Minitaur's; others have open_chain legs"


def test_open_chain_legs_are_refused_to_the_minitaur(tmp_path: Path) -> None:
    message = refused(tmp_path, lambda values: values["simulation"].update(legs="open_chain"))
    assert message == "simulation.legs: the Minitaur's are five_bar, five_bar_full or serial"


@pytest.mark.parametrize("step_s", [0.0, -0.002, 0.02, float("nan"), float("inf")])
def test_a_time_step_is_some_milliseconds(tmp_path: Path, step_s: float) -> None:
    message = refused(tmp_path, lambda values: values["simulation"].update(time_step_s=step_s))
    assert message.startswith("simulation.time_step_s: Input should be ")


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        (JOINT, [JOINT]),
        ("back_left", [JOINT, "motor_back_leftR_joint"]),
        ("back_left.0", [JOINT]),
        ("back_left.1", ["motor_back_leftR_joint"]),
        ("back_left.2", []),
        ("back_left.-1", []),
        ("back", []),
        ("", []),
    ],
)
def test_a_name_means_a_joint_a_leg_s_or_one_by_its_place(name: str, joints: list[str]) -> None:
    assert list(BODY.joints_called(name)) == joints


def test_the_spec_has_the_body_s_joints_in_order() -> None:
    assert SPEC.name == "minitaur"
    assert SPEC.joint_names == tuple(VALUES["body"]["joints"])
    np.testing.assert_allclose(SPEC.stance_rad, 1.5708)
    assert SPEC.joints[0].sign == -1
    assert SPEC.joints[7].sign == 1
    assert SPEC.max_tilt_rad == VALUES["body"]["max_tilt_rad"]


def test_the_legs_are_those_with_feet() -> None:
    assert BODY.legs == ("front_left", "back_left", "front_right", "back_right")


def test_a_urdf_is_found_by_its_path_too(tmp_path: Path) -> None:
    own = tmp_path / "own.urdf"
    own.write_text(BODY.urdf_path.read_text())
    (tmp_path / "tmotor3.obj").touch()
    values = {**VALUES["body"], "urdf": str(own)}
    path = write_yaml(tmp_path / "body.yaml", values)
    assert load(path, Body).urdf_path == own
