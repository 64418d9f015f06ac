from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from hardware.types import RobotError
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.config import validate
from robot_adapt.errors import UserError
from sim.dynamics import LEGS, Dynamics
from sim.robots import minitaur
from sim.robots.minitaur import LegModel
from sim.simulated_robot import SimulatedMinitaur, _imu
from sim.world import FLOOR_FRICTION, World, stock_urdf
from tests.builders import simulated_config


def made(leg_model: LegModel = "five_bar", dynamics: Dynamics | None = None) -> SimulatedMinitaur:
    config = simulated_config("minitaur_five_bar" if leg_model == "five_bar" else "minitaur_serial")
    robot = SimulatedMinitaur(
        config.dynamics if dynamics is None else dynamics,
        leg_model=leg_model,
        time_step_s=config.time_step_s,
        iterations=config.iterations,
    )
    robot.connect()
    return robot


@pytest.fixture(params=["five_bar", "serial"])
def robot(request: pytest.FixtureRequest) -> Iterator[SimulatedMinitaur]:
    one = made(request.param)
    yield one
    one.close()


def trot(robot: SimulatedMinitaur, seed: int, ticks: int = 50) -> bytes:
    """Half a second or so of open-loop walking; all that was read, as bytes."""
    robot.reset(np.random.default_rng(seed))
    read, start = [], robot.now()
    for tick in range(ticks):
        state = robot.read()
        read.append(np.concatenate((state.positions_rad, state.torques_nm, state.imu.orientation_wxyz)))
        swing = 0.3 * np.sin(2 * np.pi * 2.0 * tick * 0.02) * np.array([1, -1, -1, 1, 1, -1, -1, 1])
        robot.write(robot.spec.position_command(robot.spec.stance_rad + swing))
        robot.sleep_until(start + (tick + 1) * 0.02)
    return np.array(read).tobytes()


def test_the_same_seed_gives_the_same_bytes_after_any_other_trial(robot: SimulatedMinitaur) -> None:
    first = trot(robot, 1)
    other = trot(robot, 2, ticks=83)
    assert trot(robot, 1) == first
    assert other[: len(first)] != first


def test_a_world_made_anew_gives_the_same_bytes(robot: SimulatedMinitaur) -> None:
    first = trot(robot, 1)
    again = made("serial" if robot._serial else "five_bar")
    assert trot(again, 1) == first
    again.close()


def test_another_process_gives_the_same_bytes() -> None:
    code = "import hashlib, tests.sim.test_simulated_robot as t; print(hashlib.sha256(t.trot(t.made(), 1)).hexdigest())"
    digests = {subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout for _ in "ab"}
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_reading_twice_at_one_instant_differs_by_noise_only(robot: SimulatedMinitaur) -> None:
    one, two = robot.read(), robot.read()
    assert one.time_s == two.time_s
    assert not np.array_equal(one.positions_rad, two.positions_rad)
    np.testing.assert_allclose(one.positions_rad, two.positions_rad, atol=0.1)


def test_both_leg_models_weigh_the_same() -> None:
    five_bar, serial = made("five_bar", Dynamics()), made("serial", Dynamics())
    assert five_bar.world.total_mass_kg() == pytest.approx(6.0)
    assert serial.world.total_mass_kg() == pytest.approx(6.0)
    five_bar.close()
    serial.close()


def test_payload_and_mass_ratio_are_in_the_world() -> None:
    heavy = made("serial", Dynamics(mass_ratio=1.1, payload_kg=0.5, payload_position_m=(0.0, 0.1, 0.05)))
    assert heavy.world.total_mass_kg() == pytest.approx(6.0 * 1.1 + 0.5)
    heavy.close()


def test_a_payload_at_one_side_presses_the_legs_of_that_side() -> None:
    robot = made("five_bar", Dynamics(payload_kg=1.0, payload_position_m=(0.0, 0.13, 0.05)))
    extension = robot.read().positions_rad.reshape(4, 2).mean(axis=1)
    assert extension[:2].max() < extension[2:].min()
    robot.close()


def test_feet_without_friction_slide_and_feet_with_friction_hold() -> None:
    slid = []
    for friction in (1.0, 0.01):
        robot = made("five_bar", Dynamics(foot_friction=friction, start_push_m_s=0.5))
        robot.reset(np.random.default_rng(0))
        start = robot.truth()
        robot.sleep_until(robot.now() + 1.0)
        end = robot.truth()
        slid.append(np.hypot(end.x_m - start.x_m, end.y_m - start.y_m))
        robot.close()
    assert slid[0] < 0.05
    assert slid[1] > 3.0 * slid[0]


def test_a_robot_closed_and_connected_again_gives_the_same_bytes(robot: SimulatedMinitaur) -> None:
    first = trot(robot, 1)
    robot.close()
    robot.connect()
    assert trot(robot, 1) == first


def test_latency_shows_the_past() -> None:
    late, prompt = (made("serial", Dynamics(control_latency_s=latency)) for latency in (0.04, 0.0))
    at_start = prompt.read().positions_rad
    goal = late.spec.position_command(late.spec.stance_rad + 0.3)
    for robot in (late, prompt):
        robot.write(goal)
        robot.sleep_until(robot.now() + 0.04)
    assert np.abs(late.read().positions_rad - at_start).max() < 0.02
    assert np.abs(prompt.read().positions_rad - at_start).max() > 0.1
    late.close()
    prompt.close()


def test_pd_latency_makes_the_motors_answer_to_the_past() -> None:
    late, prompt = (made("serial", Dynamics(pd_latency_s=latency)) for latency in (0.005, 0.0))
    for robot in (late, prompt):
        robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.3))
        robot.sleep_until(robot.now() + 0.01)
    # The joints are on their way: who sees them where they were pulls harder.
    assert late.read().torques_nm.mean() > prompt.read().torques_nm.mean() + 0.02
    late.close()
    prompt.close()


@pytest.mark.parametrize("leg", range(4))
def test_a_dead_leg_is_that_leg_s_two_motors(leg: int) -> None:
    strength = [1.0] * 4
    strength[leg] = 0.0
    robot = made("five_bar", Dynamics(motor_strength=tuple(strength)))
    robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.2))
    robot.sleep_until(robot.now() + 0.02)
    silent = np.abs(robot.read().torques_nm) < 1e-9
    assert np.flatnonzero(silent).tolist() == [2 * leg, 2 * leg + 1]
    assert robot.spec.joint_names[2 * leg].startswith(f"motor_{LEGS[leg]}L")
    robot.close()


def test_a_sliding_foot_brakes_by_its_friction_times_the_floor_s() -> None:
    """Deceleration of a stiff robot pushed sideways on slippery feet is mu g, mu the product of both frictions."""
    robot = made("five_bar", Dynamics(foot_friction=0.2, start_push_m_s=0.4))
    robot.reset(np.random.default_rng(1))
    (vx, vy, _), _ = robot.world.base_velocity()
    pushed = np.hypot(vx, vy)
    robot.sleep_until(robot.now() + 0.1)
    (vx, vy, _), _ = robot.world.base_velocity()
    assert (pushed - np.hypot(vx, vy)) / 0.1 == pytest.approx(0.2 * FLOOR_FRICTION * 9.81, rel=0.35)
    robot.close()


def rolled(angle_rad: float) -> tuple[float, float, float, float]:
    """Quaternion (x, y, z, w) of a roll."""
    return (float(np.sin(angle_rad / 2)), 0.0, 0.0, float(np.cos(angle_rad / 2)))


def test_the_gyro_measures_in_the_body_frame() -> None:
    quarter = rolled(np.pi / 2)  # the body's y axis points along the world's z, its z axis along the world's -y
    reading = _imu((*quarter, 0.1, 0.2, 0.3), np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(reading.angular_velocity_rad_s, [0.1, 0.3, -0.2], atol=1e-12)
    assert reading.roll_rad == pytest.approx(np.pi / 2)


def test_imu_noise_turns_the_orientation_about_the_body_s_axes_and_adds_to_the_gyro() -> None:
    noisy = _imu((*rolled(0.3), 0.0, 0.0, 0.0), np.array([0.05, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]))
    assert noisy.roll_rad == pytest.approx(0.35, abs=1e-4)
    np.testing.assert_allclose(noisy.angular_velocity_rad_s, [1.0, 2.0, 3.0])
    about_y = _imu((*rolled(0.3), 0.0, 0.0, 0.0), np.array([0.0, 0.05, 0.0]), np.zeros(3))
    assert about_y.tilt_rad > 0.3


def test_a_start_push_moves_the_robot_and_truth_sees_it() -> None:
    robot = made("serial", Dynamics(start_push_m_s=0.5))
    robot.reset(np.random.default_rng(3))
    robot.sleep_until(robot.now() + 0.1)
    pushed = robot.truth()
    assert abs(pushed.x_m) + abs(pushed.y_m) > 0.005
    robot.close()


def test_work_counts_only_from_the_reset(robot: SimulatedMinitaur) -> None:
    trot(robot, 0)
    assert robot.truth().energy_j > 1.0
    robot.reset(np.random.default_rng(0))
    assert robot.truth().energy_j == 0.0


def test_the_serial_leg_s_left_motor_is_that_of_the_five_bar_leg() -> None:
    """Across a move of one leg, the closed loop's own joint angles obey the formula of the serial equivalent."""
    robot = SimulatedMinitaur(Dynamics(), leg_model="five_bar", time_step_s=0.0005, iterations=200)
    robot.connect()
    world = robot.world
    keys = world.joints(["motor_front_rightL_joint", "motor_front_rightR_joint", "knee_front_rightR_link"])
    goal = robot.spec.stance_rad.copy()
    goal[4:6] += (0.4, 0.1)
    for _ in range(10):
        robot.write(robot.spec.position_command(goal))
        robot.sleep_until(robot.now() + 0.02)
        (left, left_velocity), (right, right_velocity), (knee, knee_velocity) = world.joint_states(keys)
        computed, computed_velocity, _ = minitaur.serial_left_motor(right, right_velocity, knee, knee_velocity)
        assert computed == pytest.approx(left, abs=0.001)
        assert computed_velocity == pytest.approx(left_velocity, abs=0.01)
    robot.close()


def test_the_serial_leg_s_knee_gain_is_the_slope_of_its_angle() -> None:
    for knee in (-2.6, -2.1834, -1.5):
        low, high = (minitaur.serial_left_motor(1.5, 0.0, knee + step, 0.0)[0] for step in (-1e-6, 1e-6))
        assert minitaur.serial_left_motor(1.5, 0.0, knee, 0.0)[2] == pytest.approx((high - low) / 2e-6, rel=1e-5)


def test_an_unknown_joint_is_named_with_those_there_are() -> None:
    text = minitaur.urdf(stock_urdf("quadruped/minitaur.urdf"), Dynamics(), serial=True, visuals=False)
    world = World(text, meshes="quadruped", position_m=(0.0, 0.0, 0.2), time_step_s=0.002, iterations=10)
    with pytest.raises(RobotError, match=r"no joint tail; it has motor_"):
        world.joints(["tail"])
    world.close()


def test_a_picture_shows_the_robot() -> None:
    config = simulated_config()
    rig, robot = simulated_rig(config, visuals=True)
    rig.robot.connect()
    picture = robot.world.image(width=64, height=48, target_m=(0.0, 0.0, 0.1))
    assert picture.shape == (48, 64, 3)
    dark = picture.max(axis=2) < 90
    assert dark[12:36, 16:48].sum() > 50
    rig.robot.close()


def test_a_robot_yaml_with_a_bad_value_is_named() -> None:
    values = simulated_config().model_dump(mode="json")
    values["dynamics"]["motor_strength"] = [1.0, 1.0, 1.0, -0.5]
    with pytest.raises(
        UserError, match=r"robot\.yaml: dynamics\.motor_strength\.3: Input should be greater than or equal to 0, not -0\.5"
    ):
        validate(values, SimulatedRobotConfig, "robot.yaml")
