from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.types import ImuReading


def reading(axis: int, angle_rad: float) -> ImuReading:
    quaternion = np.zeros(4)
    quaternion[0], quaternion[1 + axis] = math.cos(angle_rad / 2), math.sin(angle_rad / 2)
    return ImuReading(quaternion, np.zeros(3))


@pytest.mark.parametrize("angle_rad", [-1.2, -0.1, 0.0, 0.4])
def test_roll_and_pitch_are_the_rotations_about_x_and_y(angle_rad: float) -> None:
    assert reading(0, angle_rad).roll_rad == pytest.approx(angle_rad)
    assert reading(0, angle_rad).pitch_rad == pytest.approx(0.0)
    assert reading(1, angle_rad).pitch_rad == pytest.approx(angle_rad)
    assert reading(1, angle_rad).roll_rad == pytest.approx(0.0)


def test_tilt_is_the_angle_of_the_body_s_z_axis_whatever_the_direction() -> None:
    assert reading(0, -0.7).tilt_rad == pytest.approx(0.7)
    assert reading(1, 0.7).tilt_rad == pytest.approx(0.7)
    assert reading(2, 2.0).tilt_rad == pytest.approx(0.0)
    assert reading(0, math.pi).tilt_rad == pytest.approx(math.pi)
