from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hardware.types import RobotError
from robot_adapt.backends import simulated_rig
from sim.dynamics import Dynamics
from sim.robots.assembler import assemble
from sim.simulated_robot import SimulatedRobot
from tests.builders import simulated_config
from tests.sim.robots import MODELS, NOISY, Opened, body_of, path, stand, trot

# --- what is read


def test_reading_twice_at_one_instant_differs_by_noise_only(opened: Opened, model: str) -> None:
    robot = opened(model, **NOISY)
    one, two = robot.read(), robot.read()
    assert one.time_s == two.time_s
    assert not np.array_equal(one.positions_rad, two.positions_rad)
    np.testing.assert_allclose(one.positions_rad, two.positions_rad, atol=0.1)


def test_a_reading_that_drops_out_is_the_one_before(opened: Opened) -> None:
    states = trot(opened(dropout=0.5))
    repeated = sum(now is before for before, now in pairwise(states))
    assert 5 < repeated < 20
    assert all(state.time_s <= tick * 0.02 + states[0].time_s + 1e-9 for tick, state in enumerate(states))


def test_latency_shows_the_past(opened: Opened, model: str) -> None:
    late, prompt = opened(model, control_latency_s=0.04), opened(model)
    before = prompt.read().positions_rad
    for robot in (late, prompt):
        robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.3))
        robot.sleep_until(robot.now() + 0.04)
    assert np.abs(late.read().positions_rad - before).max() < 0.02
    assert np.abs(prompt.read().positions_rad - before).max() > 0.06


def test_the_imu_is_as_late_as_the_joints(opened: Opened, model: str) -> None:
    late, prompt = opened(model, control_latency_s=0.04), opened(model)
    seen = []
    for robot in (late, prompt):
        trot(robot, duration_s=0.2)
        seen.append([robot.read().imu.orientation_wxyz])
        for _ in range(2):
            robot.sleep_until(robot.now() + 0.02)
            seen[-1].append(robot.read().imu.orientation_wxyz)
    np.testing.assert_allclose(seen[0][2], seen[1][0], atol=1e-9)
    assert np.abs(seen[1][2] - seen[1][0]).max() > 1e-4


def test_an_encoder_offset_is_read_and_moves_the_joint_the_other_way(opened: Opened, model: str) -> None:
    crooked, straight = opened(model, encoder_offset_rad={"front_left.1": 0.3}), opened(model)
    joint = crooked.spec.joint_names.index(crooked.body.joints_called("front_left.1")[0])
    read, healthy = stand(crooked).positions_rad, stand(straight).positions_rad
    assert read[joint] == pytest.approx(healthy[joint], abs=0.12)
    true = read[joint] - 0.3
    assert true == pytest.approx(healthy[joint] - 0.3, abs=0.12)


# --- truth and the rest


def test_a_start_push_moves_the_robot_and_truth_sees_it(opened: Opened, model: str) -> None:
    robot = opened(model, start_push_m_s=0.5)
    robot.reset(np.random.default_rng(3))
    robot.sleep_until(robot.now() + 0.1)
    assert np.abs(path(robot)).sum() > 0.005


def test_work_counts_only_from_the_reset(opened: Opened, model: str) -> None:
    robot = opened(model)
    trot(robot)
    assert robot.truth().energy_j > 1.0
    robot.reset(np.random.default_rng(0))
    assert robot.truth().energy_j == 0.0


def test_a_deadline_between_two_steps_is_met_by_the_step_after_and_time_never_goes_back(opened: Opened) -> None:
    robot = opened()
    start = robot.now()
    robot.sleep_until(start + 0.0055)
    assert robot.now() == pytest.approx(start + 0.008)
    robot.sleep_until(start)
    assert robot.now() == pytest.approx(start + 0.008)
    robot.sleep_until(start + 0.012)
    assert robot.now() == pytest.approx(start + 0.012)


def test_the_minitaur_s_joints_in_another_order_are_refused() -> None:
    body = body_of("serial")
    shuffled = body.model_copy(update={"joints": dict(reversed(body.joints.items()))})
    with pytest.raises(RobotError, match=r"in this order, motor_front_leftL_joint"):
        assemble(shuffled, "serial", Dynamics(), visuals=False)


def test_full_legs_are_not_shortened_silently() -> None:
    with pytest.raises(RobotError, match="shank_share"):
        assemble(body_of("serial"), "five_bar_full", Dynamics(shank_share={"front_left": 0.5}), visuals=False)


def test_legs_that_a_robot_does_not_have_are_refused() -> None:
    robot = SimulatedRobot(body_of("open_chain"), Dynamics(), legs="serial", time_step_s=0.002, iterations=10)
    with pytest.raises(RobotError, match="legs: serial legs are the Minitaur's; laikago has open_chain legs"):
        robot.connect()


def test_dynamics_of_a_joint_that_a_robot_does_not_have_are_refused() -> None:
    robot = SimulatedRobot(body_of("serial"), Dynamics(strength={"tail": 0.5}), **MODELS["serial"][1])
    with pytest.raises(RobotError, match=r"dynamics\.strength: minitaur has no joint or leg tail"):
        robot.connect()


def test_a_picture_shows_the_robot() -> None:
    rig, robot = simulated_rig(simulated_config(), visuals=True)
    rig.robot.connect()
    picture = robot.image(width=64, height=48)
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    background = picture[0, 0].astype(int)
    drawn = np.abs(picture.astype(int) - background).max(axis=2) > 40
    assert drawn[12:36, 16:48].sum() > 50
    rig.robot.close()
