from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.types import RobotFault
from robot_adapt.config import load, shipped
from robot_adapt.robot_model import RobotModel
from sim.dynamics import Dynamics
from sim.env import PERIOD_S, REACH_RAD, QuadrupedEnv
from sim.simulated_robot import Change, SimulatedRobot

WEIGHTS = {"top_speed_m_s": 0.6, "energy_weight_per_j": 0.004, "drift_weight": 0.5}


def made(dynamics: Dynamics | None = None, *, later: Change | None = None, render_mode: str | None = None) -> QuadrupedEnv:
    model = load(shipped("robots", "minitaur.yaml"), RobotModel)
    visuals = render_mode is not None
    robot = SimulatedRobot(model.body, dynamics or Dynamics(), **model.simulation.model_dump(), visuals=visuals, later=later)
    return QuadrupedEnv(robot, **WEIGHTS, render_mode=render_mode)


def zeros() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.zeros(8, dtype=np.float32)


def test_an_action_moves_the_targets_by_so_much_from_the_stance_and_is_observed() -> None:
    env = made()
    start, _ = env.reset(seed=0)
    action = np.full(8, 0.4, dtype=np.float32)
    for _ in range(25):
        observation, *_ = env.step(action)
    np.testing.assert_allclose((observation - start)[5:13], 0.4 * REACH_RAD, atol=0.06)
    np.testing.assert_array_equal(observation[21:], action)
    env.close()


def test_an_observation_is_what_the_robot_measures() -> None:
    env = made(Dynamics(imu_tilt_rad=(0.2, 0.1)))
    observation, _ = env.reset(seed=0)
    state = env.robot.read()
    imu = state.imu
    assert observation[:2] == pytest.approx([imu.roll_rad, imu.pitch_rad])
    assert observation[:2] == pytest.approx([0.2, 0.1], abs=0.03)
    np.testing.assert_allclose(observation[2:5], imu.angular_velocity_rad_s, rtol=1e-6)
    np.testing.assert_allclose(observation[5:13], state.positions_rad - env.robot.spec.stance_rad, rtol=1e-5)
    np.testing.assert_allclose(observation[13:21], state.velocities_rad_s, rtol=1e-6)
    env.close()


def test_progress_is_paid_up_to_the_top_speed_and_work_and_drift_are_charged() -> None:
    env = made(later=Change(0.1, Dynamics(pull_n=(30.0, 10.0, 0.0), foot_friction=0.2)))
    _, start = env.reset(seed=0)
    before, too_fast = start, 0
    for _ in range(20):
        _, reward, _, _, info = env.step(zeros() + 0.1)
        moved, work = info["x_m"] - before["x_m"], info["energy_j"] - before["energy_j"]
        drift = abs(info["y_m"] - start["y_m"]) - abs(before["y_m"] - start["y_m"])
        too_fast += moved > 0.6 * PERIOD_S
        assert reward == pytest.approx(min(moved, 0.6 * PERIOD_S) - 0.004 * work - 0.5 * drift)
        assert work > 0.0
        before = info
    assert 0 < too_fast < 20
    assert abs(before["y_m"] - start["y_m"]) > 0.01
    env.close()


def test_a_robot_that_stands_goes_on_and_one_that_fell_is_terminated() -> None:
    standing, falling = made(), made(later=Change(0.1, Dynamics(pull_n=(0.0, 150.0, 0.0))))
    standing.reset(seed=0)
    falling.reset(seed=0)
    assert not any(standing.step(zeros())[2] for _ in range(50))
    ends = [falling.step(zeros())[2:4] for _ in range(50)]
    assert ends[0] == (False, False)
    assert (True, False) in ends
    standing.close()
    falling.close()


def test_a_step_is_a_control_period_also_where_that_is_no_whole_number_of_physics_steps() -> None:
    model = load(shipped("robots", "minitaur.yaml"), RobotModel)
    robot = SimulatedRobot(model.body, Dynamics(), legs="serial", time_step_s=1 / 240, iterations=10)
    env = QuadrupedEnv(robot, top_speed_m_s=1.0, energy_weight_per_j=0.0)
    env.reset(seed=0)
    start_s = robot.now()
    for _ in range(50):
        env.step(zeros())
    assert robot.now() - start_s == pytest.approx(1.0, abs=1 / 480)
    env.close()


def test_the_same_seed_and_actions_give_the_same_observations_and_another_seed_others() -> None:
    env = made(Dynamics(joint_noise_rad=0.01, gyro_noise_rad_s=0.1, start_push_m_s=0.05))
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (10, 8)).astype(np.float32)

    def episode(seed: int) -> list[bytes]:
        return [env.reset(seed=seed)[0].tobytes(), *(env.step(action)[0].tobytes() for action in actions)]

    first, other, again = episode(1), episode(2), episode(1)
    assert first == again
    assert first != other
    env.close()


def test_an_observation_never_leaves_its_space() -> None:
    env = made(Dynamics(gyro_noise_rad_s=1000.0, joint_noise_rad=100.0))
    assert env.reset(seed=0)[0] in env.observation_space
    assert env.step(zeros())[0] in env.observation_space
    env.close()


def test_a_measurement_or_an_action_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made()
    env.reset(seed=0)
    joints = env.robot.spec.joint_names
    with pytest.raises(RobotFault, match=f"^minitaur: command refused: positions_rad of joint {joints[2]} is not finite$"):
        env.step(np.where(np.arange(8) == 2, np.nan, zeros()))
    state = env.robot.read()
    lost = np.where(np.arange(8) == 3, np.nan, state.velocities_rad_s)
    monkeypatch.setattr(env.robot, "read", lambda: replace(state, velocities_rad_s=lost))
    with pytest.raises(RobotFault, match=f"^minitaur: velocity of {joints[3]} is not finite$"):
        env.step(zeros())
    env.close()


def test_a_picture_shows_the_robot_and_without_a_render_mode_there_is_none() -> None:
    env = made(render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert picture.dtype == np.uint8
    assert (picture.max(axis=2) < 90).sum() > 500
    env.close()
    blind = made()
    assert blind.render() is None
    blind.close()


def test_an_unknown_render_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="render_mode: should be rgb_array or None, not 'human'"):
        made(render_mode="human")
