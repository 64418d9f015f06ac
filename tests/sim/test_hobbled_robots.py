"""Every hobble does to a robot what it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hardware.types import RobotState
from sim.dynamics import Dynamics
from sim.ground import Slope
from sim.physics import rotate
from tests.sim.robots import MODELS, Opened, body_of, path, stand, trot


def measured(opened: Opened, model: str, **dynamics: Any) -> tuple[RobotState, RobotState]:
    """Standing after a while: with these dynamics, and healthy."""
    return stand(opened(model, **dynamics)), stand(opened(model))


def test_a_dead_motor_gives_nothing_and_the_others_do(opened: Opened, model: str) -> None:
    robot = opened(model, strength={"front_left.1": 0.0})
    joint = robot.spec.joint_names.index(robot.body.joints_called("front_left.1")[0])
    torques = np.abs([state.torques_nm for state in trot(robot)[1:]])
    assert torques[:, joint].max() == 0.0
    assert np.delete(torques, joint, axis=1).max(axis=0).min() > 0.1


@pytest.mark.parametrize("leg", ["front_left", "back_left", "front_right", "back_right"])
def test_a_leg_without_strength_is_that_leg_s_motors(opened: Opened, model: str, leg: str) -> None:
    robot = opened(model, strength={leg: 0.0})
    robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.2))
    robot.sleep_until(robot.now() + 0.02)
    silent = np.flatnonzero(robot.read().torques_nm == 0.0)
    assert {robot.spec.joint_names[joint] for joint in silent} == set(robot.body.joints_called(leg))


def test_a_locked_joint_stays_while_the_others_move(opened: Opened, model: str) -> None:
    robot = opened(model, locked_joints_rad={"front_left.1": 0.0})
    joint = robot.spec.joint_names.index(robot.body.joints_called("front_left.1")[0])
    angles = np.array([state.positions_rad for state in trot(robot, duration_s=1.0)])
    assert np.abs(angles[:, joint] - robot.spec.stance_rad[joint]).max() < 0.1
    healthy = np.array([state.positions_rad for state in trot(opened(model), duration_s=1.0)])
    assert np.ptp(angles[:, joint]) < 0.4 * np.ptp(healthy[:, joint])


def test_a_joint_locks_as_far_from_its_stance_as_asked(opened: Opened, model: str) -> None:
    crooked, straight = (opened(model, locked_joints_rad={"front_left.1": angle}) for angle in (0.25, 0.0))
    joint = straight.spec.joint_names.index(straight.body.joints_called("front_left.1")[0])
    assert (stand(crooked).positions_rad - stand(straight).positions_rad)[joint] == pytest.approx(0.25, abs=0.1)


def test_a_locked_joint_does_not_shake(opened: Opened, model: str) -> None:
    outermost = list(body_of(model).joints_called("front_left"))[-1]
    robot = opened(model, locked_joints_rad={outermost: 0.1})
    joint = robot.spec.joint_names.index(outermost)
    torques = np.array([state.torques_nm[joint] for state in trot(robot)])
    assert np.abs(torques).max() < 0.3 * robot.spec.joints[joint].kp_nm_per_rad  # as a motor's that is off by 0.3 rad


def front_left_height(state: RobotState) -> float:
    """Of a point 1 m ahead and 1 m to the left of the base, over the base."""
    w, x, y, z = state.imu.orientation_wxyz.tolist()
    return rotate((x, y, z, w), (1.0, 1.0, 0.0))[2]


def test_a_lost_lower_leg_lowers_its_corner(opened: Opened, model: str) -> None:
    lame, healthy = measured(opened, model, shank_share={"front_left": 0.0})
    assert front_left_height(lame) < front_left_height(healthy) - 0.03


def test_a_shortened_leg_lowers_its_corner_less_than_a_lost_one(opened: Opened, model: str) -> None:
    short, lost = (stand(opened(model, shank_share={"front_left": share})) for share in (0.9, 0.0))
    assert front_left_height(lost) < front_left_height(short) < -0.005


def test_a_payload_at_the_left_presses_the_left_side_down(opened: Opened, model: str) -> None:
    loaded, healthy = measured(opened, model, payload_kg=2.0, payload_position_m=(0.0, 0.2, 0.05))
    assert loaded.imu.roll_rad < healthy.imu.roll_rad - 0.003


@pytest.mark.parametrize(("force_n", "axis"), [((12.0, 0.0, 0.0), 0), ((0.0, 12.0, 0.0), 1), ((0.0, -12.0, 0.0), 1)])
def test_a_pull_leans_or_moves_the_robot_its_way(
    opened: Opened, model: str, force_n: tuple[float, float, float], axis: int
) -> None:
    pulled, healthy = opened(model, pull_n=force_n), opened(model)
    trot(pulled, duration_s=1.0)
    trot(healthy, duration_s=1.0)
    moved = (path(pulled) - path(healthy))[axis] * np.sign(force_n[axis])
    assert moved > 0.01


def test_a_pull_upwards_takes_weight_off(opened: Opened, model: str) -> None:
    light, healthy = opened(model, pull_n=(0.0, 0.0, 20.0)), opened(model)
    stand(light)
    stand(healthy)
    assert light.truth().z_m > healthy.truth().z_m + 0.0003


def slid_m(opened: Opened, model: str, **dynamics: Any) -> float:
    robot = opened(model, start_push_m_s=1.5, **dynamics)
    robot.reset(np.random.default_rng(0))
    before = path(robot)
    stand(robot, 0.8)
    return float(np.hypot(*(path(robot) - before)))


def test_feet_without_friction_slide_and_feet_with_friction_hold(opened: Opened, model: str) -> None:
    assert slid_m(opened, model, foot_friction=0.02) > 3.0 * slid_m(opened, model) + 0.02


def test_a_sliding_robot_brakes_by_its_feet_s_friction(opened: Opened) -> None:
    """Deceleration is mu g: the ground's own friction is 1, and contact has the product of both."""
    robot = opened("five_bar", foot_friction=0.2, start_push_m_s=0.5)
    robot.reset(np.random.default_rng(1))
    pushed = np.hypot(*robot.physics.base_velocity()[0][:2])
    robot.sleep_until(robot.now() + 0.1)
    left = np.hypot(*robot.physics.base_velocity()[0][:2])
    assert (pushed - left) / 0.1 == pytest.approx(0.2 * 9.81, rel=0.4)


@pytest.mark.parametrize(("holds", "turn"), [("front_left", -1.0), ("back_left", 1.0)])
def test_a_robot_pulled_to_the_left_turns_about_the_one_foot_that_holds(
    opened: Opened, model: str, holds: str, turn: float
) -> None:
    robot = opened(model, foot_friction=0.0)
    robot.change(Dynamics(foot_friction=0.0, foot_friction_of={holds: 1.0}, pull_n=(0.0, 6.0, 0.0)))
    w, x, y, z = stand(robot, 0.6).imu.orientation_wxyz
    yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    assert turn * yaw > 0.01


def test_a_worn_joint_follows_less_and_does_not_chatter(opened: Opened, model: str) -> None:
    # At 4 ms so much friction flutters in a serial leg.
    worn, healthy = (opened(model, time_step_s=0.002, worn_joints_nm=worn) for worn in ({"front_left.1": 1.5}, {}))
    joint = worn.spec.joint_names.index(worn.body.joints_called("front_left.1")[0])
    work, speeds = [], []
    for robot in (worn, healthy):
        states = trot(robot, duration_s=1.0)
        speeds.append(np.array([state.velocities_rad_s[joint] for state in states]))
        work.append(np.abs(np.diff([state.positions_rad[joint] for state in states])).sum())
    assert work[0] < work[1]
    assert np.abs(speeds[0]).mean() < np.abs(speeds[1]).mean()


@pytest.mark.parametrize("model", ["serial", "five_bar"])
def test_a_worn_joint_does_not_turn_round_in_every_step(opened: Opened, model: str) -> None:
    robot = opened(model, worn_joints_nm={"front_left.1": 1.5})
    step_s = MODELS[model][1]["time_step_s"]
    speeds = []
    robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.4))
    for _ in range(100):
        robot.sleep_until(robot.now() + step_s)
        speeds.append(robot.read().velocities_rad_s[1])
    assert np.count_nonzero(np.diff(np.sign(speeds))) < 20


@pytest.mark.parametrize("model", ["serial", "five_bar"])
def test_a_low_battery_walks_with_less_speed_in_its_joints(opened: Opened, model: str) -> None:
    nominal_v = body_of(model).motor.nominal_v
    low, full = opened(model, battery_v=0.4 * nominal_v), opened(model)
    speed = [np.mean([np.abs(state.velocities_rad_s).mean() for state in trot(robot)]) for robot in (low, full)]
    assert speed[0] < speed[1]
    assert low.read().battery_v == pytest.approx(0.4 * nominal_v)


def test_an_old_battery_sags_while_it_walks(opened: Opened, model: str) -> None:
    nominal_v = body_of(model).motor.nominal_v
    volts = [state.battery_v for state in trot(opened(model, battery_ohm=0.1))]
    assert 0.1 * nominal_v < min(volts[1:]) < max(volts[1:]) < nominal_v


def test_a_slope_tilts_the_imu_and_the_truth_is_along_the_slope(opened: Opened, model: str) -> None:
    robot = opened(model, ground=Slope(pitch_rad=0.15))
    level = opened(model)
    assert robot.read().imu.pitch_rad == pytest.approx(level.read().imu.pitch_rad - 0.15, abs=0.05)
    assert robot.truth().z_m == pytest.approx(level.truth().z_m, abs=0.01)


def test_a_tilted_imu_reads_a_tilt_that_is_not_there(opened: Opened, model: str) -> None:
    robot, healthy = measured(opened, model, imu_tilt_rad=(0.2, 0.0))
    assert robot.imu.roll_rad == pytest.approx(healthy.imu.roll_rad + 0.2, abs=0.01)


def test_motors_that_overheat_shut_down_until_the_next_reset(opened: Opened) -> None:
    robot = opened(payload_kg=25.0)
    while robot.now() < 2.5 and not any(robot.shut_down):
        stand(robot, 0.05)
    hot = robot.shut_down
    assert any(hot)
    assert (robot.read().torques_nm[hot] == 0.0).all()
    stand(robot, 0.2)
    assert all(now or not before for before, now in zip(hot, robot.shut_down, strict=True))
    robot.reset(np.random.default_rng(0))
    assert not any(robot.shut_down)
