from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hardware.calibration import Calibration, JointCalibration, limits_rad, moved_joint, zero_rad
from hardware.motors.bus import MotorIdentity
from tests.builders import SPEC

CALIBRATION = Calibration(
    SPEC.name,
    "2026-11-20T12:00:00+00:00",
    "standing",
    tuple(
        JointCalibration(j.name, k + 1, "XM430-W350", -1, 0.2, j.stance_rad - 0.8, j.stance_rad + 0.7, j.stance_rad)
        for k, j in enumerate(SPEC.joints)
    ),
)
MOTORS = tuple(MotorIdentity(joint.joint, joint.device_id, joint.model, "47") for joint in CALIBRATION.joints)
FIRST, SECOND = SPEC.joint_names[:2]


def test_a_calibrated_spec_has_the_measured_signs_zeros_and_limits_and_all_else_as_it_was() -> None:
    spec = CALIBRATION.applied(SPEC)
    assert {(joint.sign, joint.offset_rad) for joint in spec.joints} == {(-1, 0.2)}
    np.testing.assert_allclose(spec.limits_rad[0], SPEC.stance_rad - 0.8)
    np.testing.assert_allclose(spec.limits_rad[1], SPEC.stance_rad + 0.7)
    restored = zip(spec.joints, SPEC.joints, strict=True)
    fields = ("sign", "offset_rad", "lower_rad", "upper_rad")
    joints = tuple(replace(joint, **{name: getattr(before, name) for name in fields}) for joint, before in restored)
    assert replace(spec, joints=joints) == SPEC


def test_a_calibration_of_another_robot_or_of_other_joints_is_refused() -> None:
    assert CALIBRATION.misfit(SPEC) is None
    other = replace(CALIBRATION, robot="cat").misfit(SPEC)
    assert other == "this calibration is of the robot cat, not of minitaur"
    swapped = (CALIBRATION.joints[1], CALIBRATION.joints[0], *CALIBRATION.joints[2:])
    assert "has the joints" in str(replace(CALIBRATION, joints=swapped).misfit(SPEC))
    with pytest.raises(ValueError, match="of the robot cat"):
        replace(CALIBRATION, robot="cat").applied(SPEC)


def test_limits_in_which_the_robot_cannot_stand_are_refused() -> None:
    low = replace(CALIBRATION.joints[0], upper_rad=SPEC.joints[0].stance_rad - 0.1)
    wrong = replace(CALIBRATION, joints=(low, *CALIBRATION.joints[1:])).misfit(SPEC)
    assert wrong is not None
    assert wrong.startswith(f"{FIRST} cannot stand: its stance is 1.571 rad")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sign": 0}, "sign"),
        ({"offset_rad": math.nan}, "not finite"),
        ({"lower_rad": 3.0, "upper_rad": 3.0}, "not below"),
    ],
)
def test_values_that_no_joint_has_are_refused_naming_it(change: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=rf"{FIRST}.*{words}"):
        replace(CALIBRATION.joints[0], **change)  # type: ignore[arg-type]


def test_swapped_motors_are_refused_naming_the_joint_but_new_firmware_is_not() -> None:
    assert CALIBRATION.motor_error(replace(motor, firmware="48") for motor in MOTORS) is None
    swapped = [replace(MOTORS[0], device_id=2), replace(MOTORS[1], device_id=1), *MOTORS[2:]]
    why = f"{FIRST} was calibrated with id 1, XM430-W350, now it is id 2, XM430-W350: calibrate --joint {FIRST}"
    assert CALIBRATION.motor_error(swapped) == why
    assert "now it is id 1, XL430-W250" in str(CALIBRATION.motor_error([replace(MOTORS[0], model="XL430-W250"), *MOTORS[1:]]))
    assert "now it is nothing" in str(CALIBRATION.motor_error(MOTORS[1:]))


def test_a_pose_far_from_the_reference_is_refused_naming_the_worst_joint() -> None:
    pose = SPEC.stance_rad.copy()
    assert CALIBRATION.pose_error(pose + 0.34) is None
    pose[0] += 0.4
    pose[1] -= 0.5
    why = CALIBRATION.pose_error(pose)
    assert why is not None
    assert why.startswith(f"{SECOND} measures 1.071 rad, calibrated 1.571 rad and at most 0.35 rad off: ")
    assert why.endswith(f"put the robot into its reference pose (standing), or calibrate --joint {SECOND}")
    pose[0] = math.nan
    assert str(CALIBRATION.pose_error(pose)).startswith(FIRST)


def test_the_joint_that_a_hand_moved_is_found_with_its_direction() -> None:
    before = np.zeros(4)
    assert moved_joint(before, np.array([0.01, -0.3, 0.1, 0.0])) == (1, -0.3)
    assert moved_joint(before, np.array([0.0, 0.1, 0.0, 0.0])) == (None, 0.1)


@pytest.mark.parametrize("sign", [-1, 1])
def test_zero_and_limits_follow_from_device_angles(sign: int) -> None:
    offset = zero_rad(2.0, sign, 0.5)
    assert sign * (2.0 - offset) == pytest.approx(0.5)
    for ends in ((1.0, 3.0), (3.0, 1.0)):
        low, high = sorted(sign * (end - offset) for end in ends)
        assert limits_rad(ends, sign, offset) == pytest.approx((low + 0.05, high - 0.05))


def test_a_range_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"moved from 1\.000 to 1\.100 rad only"):
        limits_rad((1.0, 1.1), 1, 0.0)
