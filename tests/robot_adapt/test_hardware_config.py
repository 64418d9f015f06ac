from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from hardware.calibration import Calibration, JointCalibration
from robot_adapt import calibration_file
from robot_adapt.config import load, read_yaml, shipped
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig, wired_robot
from tests.builders import SPEC, write_yaml

SHIPPED = sorted((Path(__file__).parents[2] / "configs" / "hardware").glob("*.yaml"))


def described(name: str = "dkitty_dynamixel") -> dict[str, Any]:
    values: dict[str, Any] = read_yaml(shipped("hardware", f"{name}.yaml"))
    return values


def config(tmp_path: Path, values: dict[str, Any]) -> HardwareConfig:
    return load(write_yaml(tmp_path / "lab.yaml", values), HardwareConfig)


def refused(tmp_path: Path, values: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        config(tmp_path, values)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{tmp_path / 'lab.yaml'}: ")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_robot_is_made_of_every_shipped_config_without_opening_a_port(path: Path) -> None:
    wired = wired_robot(load(path, HardwareConfig), path)
    assert wired.robot.spec.joint_names == wired.robot.bus.joint_names
    assert wired.supervisor.spec == wired.robot.spec
    assert wired.calibration is None


def test_a_model_brings_the_spec_and_the_config_its_signs_and_zeros() -> None:
    spec = load(shipped("hardware", "minitaur_dynamixel.yaml"), HardwareConfig).wired_spec
    assert spec.joint_names == SPEC.joint_names
    assert spec.stance_rad.tolist() == SPEC.stance_rad.tolist()
    assert [joint.sign for joint in spec.joints] == [-1] * 4 + [1] * 4
    assert {round(joint.sign * joint.stance_rad + joint.offset_rad, 3) for joint in spec.joints} == {0.0}


def test_dkittys_joints_are_where_robel_says_they_are() -> None:
    """robel/dkitty/base_env.py: joint = scale * motor + offset, of motors that count from 0, half a turn before ours."""
    joints = {
        joint.name: joint for joint in load(shipped("hardware", "dkitty_dynamixel.yaml"), HardwareConfig).wired_spec.joints
    }
    for name, scale, offset in (("FRJ10", 1, -3.0 * math.pi / 2.0), ("FRJ11", -1, math.pi), ("BRJ40", -1, math.pi / 2.0)):
        joint = joints[name]
        motor_rad = 3.3
        ours = joint.sign * ((motor_rad - math.pi) - joint.offset_rad)
        assert ours == pytest.approx(scale * motor_rad + offset, abs=1e-3)


@pytest.mark.parametrize(
    ("where", "value", "why"),
    [
        (("motors", "joints", "FRJ11", "id"), 10, "motors.joints.FRJ10.id: 10 stands twice"),
        (("motors", "joints", "FRJ11"), None, "motors.joints.FRJ11: is missing"),
        (
            ("motors", "joints", "tail"),
            {"id": 3, "sign": 1, "offset_rad": 0.0},
            "motors.joints.tail: the robot has no such joint",
        ),
        (("motors", "joints", "FRJ11", "sign"), 0, "motors.joints.FRJ11.sign: Input should be -1 or 1, not 0"),
        (("motors", "family"), "hydraulic", "motors: Input tag 'hydraulic'"),
        (("motors", "watchdog"), 1.0, "unknown key motors.watchdog"),
        (("motors", "torque_limit_nm"), 2.0, "motors.torque_limit_nm: nobody keeps it in mode position"),
        (("motors", "joints", "FRJ11", "torque_limit_nm"), 2.0, "motors.joints.FRJ11.torque_limit_nm: nobody keeps it"),
        (("motors", "baud"), 5_000_000_000, "motors.baud: Input should be less than or equal to 10000000"),
        (("robot",), "minitaur", "spec: should not be there beside robot"),
        (("spec",), None, "robot: either this or spec should be there"),
        (("imu", "port"), "/dev/ttyUSB0", "imu.port: the motors are on this port"),
        (("motors", "port"), "", "motors.port: "),
        (("imu", "rate_hz"), 300, "imu: rate_hz 300"),
        (("imu", "mounting_wxyz"), [1.0, 1.0, 0.0, 0.0], "imu.mounting_wxyz: should have the length 1"),
        (("safety", "joints"), {"tail": {}}, "safety.joints.tail: the robot has no such joint"),
        (("safety", "every_joint", "torque_nm"), None, "safety.every_joint.torque_nm: is missing"),
        (("safety", "sit_rad", "FRJ12"), None, "safety.sit_rad.FRJ12: is missing"),
        (("safety", "sit_rad", "FRJ12"), 1.0, "safety.sit_rad.FRJ12: should be within the limits -2.0 to 0.0"),
        (("safety", "warn_c"), 90.0, "safety"),
        (("safety", "battery", "warn_v"), 1.0, "safety"),
    ],
)
def test_what_does_not_fit_together_is_told_in_a_line_with_its_key(
    tmp_path: Path, where: tuple[str, ...], value: object, why: str
) -> None:
    values = described()
    inner = values
    for key in where[:-1]:
        inner = inner[key]
    if value is None:
        inner.pop(where[-1])
    else:
        inner[where[-1]] = value
    assert why in refused(tmp_path, values)


def calibration(of: HardwareConfig, **changes: object) -> Calibration:
    spec = of.wired_spec
    joints = tuple(
        JointCalibration(
            joint.name, k, "XM430-W210", -joint.sign, joint.offset_rad + 0.1, joint.lower_rad, joint.upper_rad, 0.0
        )
        for k, joint in enumerate(spec.joints)
    )
    values: dict[str, Any] = {"robot": spec.name, "date": "2026-01-01", "pose": "standing", "joints": joints}
    return Calibration(**{**values, **changes})


def test_the_calibration_beside_a_config_replaces_its_signs_and_zeros(tmp_path: Path) -> None:
    file = write_yaml(tmp_path / "lab.yaml", described())
    lab = load(file, HardwareConfig)
    calibration_file.write(tmp_path / "lab.calibration.yaml", calibration(lab))
    wired = wired_robot(lab, file)
    assert [j.sign for j in wired.robot.spec.joints] == [-j.sign for j in lab.wired_spec.joints]
    assert wired.calibration is not None
    assert [j.sign for j in wired_robot(lab, None).robot.spec.joints] == [j.sign for j in lab.wired_spec.joints]


def test_a_calibration_that_is_named_must_be_there_and_be_this_robots(tmp_path: Path) -> None:
    file = write_yaml(tmp_path / "lab.yaml", {**described(), "calibration": "mine.yaml"})
    lab = load(file, HardwareConfig)
    with pytest.raises(UserError, match=r"mine\.yaml: no such file"):
        wired_robot(lab, file)
    calibration_file.write(tmp_path / "mine.yaml", calibration(lab, robot="other"))
    with pytest.raises(UserError, match=r"mine\.yaml: this calibration is of the robot other"):
        wired_robot(lab, file)


def test_limits_that_calibration_makes_impossible_are_told_in_a_line(tmp_path: Path) -> None:
    file = write_yaml(tmp_path / "lab.yaml", described())
    lab = load(file, HardwareConfig)
    narrow = tuple(
        JointCalibration(
            j.joint, j.device_id, j.model, j.sign, j.offset_rad, -0.8 if "12" in j.joint else j.lower_rad, j.upper_rad, 0.0
        )
        for j in calibration(lab).joints
    )
    raised = {**described()}
    raised["spec"]["joints"]["FRJ12"]["stance_rad"] = -0.5
    lab = load(write_yaml(file, raised), HardwareConfig)
    calibration_file.write(tmp_path / "lab.calibration.yaml", calibration(lab, joints=narrow))
    with pytest.raises(UserError, match="safety: dkitty: sit_rad"):
        wired_robot(lab, file)


def test_limits_that_are_not_given_are_the_models_and_the_joints_own() -> None:
    lab = load(shipped("hardware", "minitaur_dynamixel.yaml"), HardwareConfig)
    bare = lab.model_copy(update={"safety": lab.safety.model_copy(update={"every_joint": type(lab.safety.every_joint)()})})
    (joint, *_) = bare.limits.joints
    assert joint.torque_nm == 3.5  # the highest of the Minitaur's motor table
    assert (joint.velocity_rad_s, joint.slew_rad, joint.overspeed_rad_s) == (10.0, 0.2, 20.0)
    assert (joint.kp_nm_per_rad, joint.kd_nm_s_per_rad) == (8.206, 0.1231)
