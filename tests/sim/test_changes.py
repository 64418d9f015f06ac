"""Other dynamics, and other ground, in the middle of a trial."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pybullet
import pytest

from robot_adapt.backends import simulated_rig
from robot_adapt.rollout import rollout
from sim.dynamics import Dynamics
from sim.robots.assembly import Assembly
from sim.simulated_robot import Change
from sim.world import World
from tests.builders import shipped_policy, simulated_config
from tests.sim.robots import NOISY, Opened, body_of, changes, content, path, trot


def test_a_changed_world_goes_on_from_the_same_pose_and_velocity(opened: Opened, model: str) -> None:
    robot = opened(model)
    seen = []

    def change(tick: int) -> None:
        if tick == 15:
            seen.append((robot.physics.motion(), robot.truth()))
            robot.change(robot.dynamics.with_changes(payload_kg=1.0, payload_position_m=(0.05, 0.1, 0.05), battery_v=12.0))
            seen.append((robot.physics.motion(), robot.truth()))

    trot(robot, on_tick=change)
    (before, truth_before), (after, truth_after) = seen
    assert after.position_m == pytest.approx(before.position_m, abs=1e-9)
    assert after.orientation_xyzw == pytest.approx(before.orientation_xyzw, abs=1e-9)
    assert after.angular_velocity_rad_s == pytest.approx(before.angular_velocity_rad_s, abs=1e-9)
    for name, state in before.joints.items():
        assert after.joints[name] == pytest.approx(state, abs=1e-9)
    assert dataclasses.astuple(truth_after) == pytest.approx(dataclasses.astuple(truth_before), abs=1e-9)
    assert truth_after.energy_j > 0.1


def test_a_change_to_the_very_same_world_hardly_moves_the_robot(opened: Opened, model: str) -> None:
    plain, changed = opened(model), opened(model)
    trot(plain)
    same = changed.dynamics.with_changes(restitution=1e-9)
    trot(changed, on_tick=changes(changed, 15, same))
    np.testing.assert_allclose(path(changed), path(plain), atol=0.03)


def test_a_late_robot_stays_late_when_the_world_changes(opened: Opened) -> None:
    robot = opened(control_latency_s=0.03, pd_latency_s=0.005)
    robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.4))
    robot.sleep_until(robot.now() + 0.06)
    before = robot.read()
    robot.change(robot.dynamics.with_changes(battery_v=12.0))
    after = robot.read()
    np.testing.assert_allclose(after.positions_rad, before.positions_rad, atol=1e-9)
    np.testing.assert_allclose(after.imu.orientation_wxyz, before.imu.orientation_wxyz, atol=1e-9)
    assert np.abs(robot.physics.motion().velocity_m_s[2]) > 0.01  # it is on its way


def test_worlds_that_are_left_for_good_are_closed(opened: Opened) -> None:
    robot = opened()
    for mass_ratio in (1.1, 1.2, 1.3, 1.4):
        robot.change(robot.dynamics.with_changes(mass_ratio=mass_ratio))
    assert len(robot._incarnations) == 3  # of the reset, where it was, where it is


def test_time_does_not_jump_at_a_change(opened: Opened) -> None:
    robot = opened()
    before = robot.now()
    robot.change(robot.dynamics.with_changes(battery_v=10.0))
    assert robot.now() == before


def test_a_reset_brings_back_the_healthy_robot(opened: Opened) -> None:
    robot = opened()
    robot.change(robot.dynamics.with_changes(battery_v=10.0))
    assert robot.read().battery_v == 10.0
    robot.reset(np.random.default_rng(0))
    assert robot.read().battery_v == 16.0


def test_what_was_commanded_is_still_followed_after_a_change(opened: Opened) -> None:
    robot = opened()
    goal = robot.spec.stance_rad + 0.3
    robot.write(robot.spec.position_command(goal))
    robot.change(robot.dynamics.with_changes(mass_ratio=1.01))
    robot.sleep_until(robot.now() + 0.3)
    np.testing.assert_allclose(robot.read().positions_rad, goal, atol=0.15)


def test_noise_after_a_change_still_follows_the_reset_s_generator(opened: Opened) -> None:
    robot, read = opened(joint_noise_rad=0.01), []
    for seed in (1, 2, 1):
        robot.reset(np.random.default_rng(seed))
        robot.change(robot.dynamics.with_changes(battery_v=10.0))
        read.append(robot.read().positions_rad)
    np.testing.assert_array_equal(read[0], read[2])
    assert not np.any(read[0] == read[1])


def test_a_later_change_is_the_same_as_one_by_hand(opened: Opened, model: str) -> None:
    weak = Dynamics().with_changes(**NOISY, strength={"front_left": 0.3})
    by_itself, by_hand = opened(model, later=Change(0.2, weak), **NOISY), opened(model, **NOISY)
    expected = content(trot(by_hand, 3, on_tick=changes(by_hand, 10, weak)))
    for _ in range(2):  # in every trial
        assert content(trot(by_itself, 3)) == expected


def test_a_later_change_comes_between_two_readings_too(opened: Opened) -> None:
    robot = opened(later=Change(0.11, Dynamics(battery_v=10.0)))
    volts = [state.battery_v for state in trot(robot)]
    assert volts == [16.0] * 6 + [10.0] * (len(volts) - 6)


# --- the ground in the middle of a trial, and ground that is a grid


GROUNDS: dict[str, dict[str, Any]] = {
    "uphill": {"kind": "slope", "pitch_rad": 0.14},
    "aside": {"kind": "slope", "roll_rad": -0.14},
    "steps": {"kind": "steps", "height_m": 0.02, "length_m": 0.3},
    "rough": {"kind": "rough", "height_m": 0.015, "length_m": 0.15, "seed": 1},
}


@pytest.mark.parametrize("ground", GROUNDS)
def test_other_ground_in_the_middle_of_a_trial_does_not_throw_the_robot(opened: Opened, model: str, ground: str) -> None:
    robot, rises = opened(model), []

    def change(tick: int) -> None:
        if tick == 25:
            before = robot.truth()
            robot.change(robot.dynamics.with_changes(ground=GROUNDS[ground]))
            after = robot.truth()
            assert (after.x_m, after.y_m) == pytest.approx((before.x_m, before.y_m), abs=1e-6)
        if tick >= 25:
            rises.append(robot.physics.motion().velocity_m_s[2])

    trot(robot, duration_s=1.0, on_tick=change)
    assert max(map(abs, rises)) < 1.0
    assert robot.read().imu.tilt_rad < 0.5


@pytest.mark.parametrize("rig", ["minitaur_training", "minitaur", "laikago"])
def test_a_flat_grid_is_walked_as_the_plane_is(rig: str) -> None:
    config, policy = simulated_config(rig), shipped_policy(rig.partition("_")[0])
    flat = config.dynamics.with_changes(ground={"kind": "rough", "height_m": 0.0, "length_m": 0.15, "seed": 1})
    walked = []
    for dynamics in (config.dynamics, flat):
        made, robot = simulated_rig(config.model_copy(update={"dynamics": dynamics}))
        robot.connect()
        trial = rollout(robot, robot, policy, made.returns, 2.0)
        walked.append(trial.telemetry["path_m"][-1, 0])
        robot.close()
    assert walked[0] > 1.0
    assert walked[1] == pytest.approx(walked[0], rel=0.05)


@pytest.mark.parametrize("time_step_s", [0.001, 0.002, 0.004])
@pytest.mark.parametrize("restitution", [0.2, 0.5, 0.8])
def test_a_ball_rebounds_by_its_restitution(restitution: float, time_step_s: float) -> None:
    ball = """<robot name="ball"><link name="ball"><inertial><mass value="1.5"/>
        <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
        <collision><geometry><sphere radius="0.05"/></geometry></collision></link></robot>"""
    body = body_of("serial").model_copy(update={"start_height_m": 0.3})
    assembly = Assembly(urdf=ball, joints=(), start={}, feet={"front_left": ("ball",)})
    world = World(assembly, body, Dynamics(restitution=restitution), time_step_s=time_step_s, iterations=10)
    speeds = []
    for _ in range(round(0.6 / time_step_s)):
        pybullet.stepSimulation(world._client)
        speeds.append(world.base_velocity()[0][2])
    world.close()
    assert max(speeds) / -min(speeds) == pytest.approx(restitution, abs=0.12)


@pytest.mark.parametrize("after_s", [1e-4, 0.001, 0.3])
def test_a_later_change_happens_however_soon(opened: Opened, after_s: float) -> None:
    lost = Dynamics(shank_share={"front_left": 0.0})
    robot = opened(later=Change(after_s, lost))
    robot.reset(np.random.default_rng(0))
    robot.sleep_until(robot.now() + 0.4)
    assert robot._connected().dynamics == lost


def test_joint_velocities_are_noisy_when_asked(opened: Opened) -> None:
    noisy, clean = opened(joint_velocity_noise_rad_s=0.5), opened()
    read = np.array([noisy.read().velocities_rad_s for _ in range(300)])
    assert np.std(read - clean.read().velocities_rad_s) == pytest.approx(0.5, rel=0.1)
