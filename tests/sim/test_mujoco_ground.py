from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.dynamics import Dynamics
from sim.ground import Rough, Slope, Steps
from tests.sim.test_mujoco_world import ENGINES, made


def test_it_stands_along_a_slope() -> None:
    robot, level = made(Dynamics(ground=Slope(pitch_rad=0.1, roll_rad=0.05))), made()
    imu = robot.read().imu
    assert imu.pitch_rad == pytest.approx(-0.1, abs=0.02)
    assert imu.roll_rad == pytest.approx(0.05, abs=0.02)
    assert robot.truth().z_m == pytest.approx(level.truth().z_m, abs=0.003)
    robot.close()
    level.close()


def test_steps_ahead_raise_it_and_flat_steps_are_level_ground() -> None:
    level, heights = made(), []
    for height_m in (0.0, 0.02):
        robot = made(Dynamics(ground=Steps(kind="steps", height_m=height_m, length_m=0.4)))
        # Edges at 0.4, 0.8 and 1.2 m: it stands two steps up in the mean.
        robot.physics.place(replace(robot.physics.motion(), position_m=(1.0, 0.0, 0.25)))
        robot.sleep_until(robot.now() + 0.8)
        heights.append(robot.truth().z_m)
        robot.close()
    assert heights[0] == pytest.approx(level.truth().z_m, abs=0.003)
    level.close()
    assert heights[1] - heights[0] == pytest.approx(2 * 0.02, abs=0.015)


@pytest.mark.parametrize("place_m", [(1.2, 0.4), (0.8, -0.9)])
def test_rough_ground_has_its_bumps_where_pybullet_s_has_them(place_m: tuple[float, float]) -> None:
    dynamics, stands = Dynamics(ground=Rough(kind="rough", height_m=0.02, length_m=0.5, seed=3)), []
    for engine in ENGINES:
        robot = made(dynamics, engine=engine)
        robot.physics.place(replace(robot.physics.motion(), position_m=(*place_m, 0.21)))
        robot.sleep_until(0.8)
        imu = robot.read().imu
        stands.append((imu.roll_rad, imu.pitch_rad, robot.truth().z_m))
        robot.close()
    assert abs(stands[1][0]) > 0.05
    np.testing.assert_allclose(stands[0], stands[1], atol=0.02)
