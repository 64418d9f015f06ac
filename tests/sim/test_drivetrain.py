from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.types import FloatArray
from sim.drivetrain import Drivetrain
from sim.dynamics import Dynamics
from sim.motor_model import serial_delta
from sim.robots.assembly import Assembly, LegModel
from sim.robots.minitaur import LOWER_LINK_M, STANCE_LENGTH_M, UPPER_LINK_M
from sim.simulated_robot import SimulatedRobot
from tests.builders import MINITAUR, SPEC

STEP_S = 0.002
SIGNS = np.array([joint.sign for joint in SPEC.joints], dtype=np.float64)
LENGTHS_M = [0.12, STANCE_LENGTH_M, 0.2, 0.25]


def drivetrain(dynamics: Dynamics | None = None, *, serial: bool = False) -> Drivetrain:
    assembly = Assembly(urdf="", joints=SPEC.joint_names, start={}, feet={}, serial=serial)
    return Drivetrain(MINITAUR.body, assembly, dynamics or Dynamics(), STEP_S)


def joints(angle_rad: float = math.pi / 2, velocity_rad_s: float = 0.0) -> list[float]:
    """All motors at one angle and speed, as the engine has them."""
    return [*(SIGNS * angle_rad).tolist(), *(SIGNS * velocity_rad_s).tolist()]


def at_angle(angle_rad: float, torque_nm: float = 0.0) -> Drivetrain:
    """A drivetrain that drove one step: its motors ask for a torque, and stand at an angle."""
    one = drivetrain()
    command = SPEC.damping_command()
    zeros = np.zeros(len(SPEC.joints))
    one.command(type(command)(zeros, zeros, zeros + torque_nm, zeros, zeros))
    one.begin(joints(angle_rad))
    one.drive()
    return one


def test_motors_turn_with_their_joints_sign() -> None:
    one = drivetrain()
    one.begin(joints(1.2, 3.0))
    np.testing.assert_allclose(one.late(), [[1.2] * 8, [3.0] * 8])


def test_torques_reach_the_joints_with_their_sign() -> None:
    one = at_angle(1.5, 0.5)
    np.testing.assert_allclose(one.torques_nm, one.torques_nm[0])
    assert one.torques_nm[0] > 0.4
    np.testing.assert_allclose(one.drive(), SIGNS * one.torques_nm)


def test_a_joint_s_offset_is_taken_off_its_angle() -> None:
    body = MINITAUR.body
    shifted = {name: joint.model_copy(update={"offset_rad": 0.1}) for name, joint in body.joints.items()}
    assembly = Assembly(urdf="", joints=SPEC.joint_names, start={}, feet={})
    one = Drivetrain(body.model_copy(update={"joints": shifted}), assembly, Dynamics(), STEP_S)
    one.begin([1.1] * 8 + [0.0] * 8)
    np.testing.assert_allclose(one.late()[0], SIGNS * 1.0)


def seen_late(latency_s: float, steps: int) -> float:
    """What is seen after some steps when the angle was 0.01 times the step's number."""
    one = drivetrain(Dynamics(control_latency_s=latency_s))
    one.begin(joints(0.0))
    for step in range(1, steps + 1):
        one.drive()
        one.observe(joints(0.01 * step))
    return float(one.late()[0, 0])


@pytest.mark.parametrize(("latency_s", "steps"), [(0.0, 0.0), (0.006, 3.0), (0.003, 1.5), (0.0005, 0.25)])
@pytest.mark.parametrize("after", [10, 11, 12, 13, 14])
def test_joints_are_seen_as_late_as_asked_also_after_the_memory_went_round(latency_s: float, steps: float, after: int) -> None:
    assert seen_late(latency_s, after) == pytest.approx(0.01 * (after - steps))


def test_before_there_is_enough_memory_the_start_stands_for_all() -> None:
    assert seen_late(0.02, 0) == seen_late(0.02, 4) == 0.0


def test_beginning_anew_forgets_heat_work_and_the_past() -> None:
    one = drivetrain(Dynamics(control_latency_s=0.004, battery_ohm=0.001))
    one.command(SPEC.position_command(SPEC.stance_rad + 1.0))
    one.begin(joints())
    sagged_v = 16.0
    for _ in range(round(1.2 / STEP_S)):
        one.drive()
        one.observe(joints(velocity_rad_s=0.1))
        sagged_v = min(sagged_v, one.battery_v)
    assert all(one.shut_down)
    assert one.energy_j > 1.0
    assert sagged_v < 16.0
    assert one.battery_v == pytest.approx(16.0)  # motors that are shut down draw nothing
    one.begin(joints(0.7))
    assert one.energy_j == 0.0
    assert not any(one.shut_down)
    assert one.battery_v == 16.0
    np.testing.assert_array_equal(one.torques_nm, 0.0)
    np.testing.assert_allclose(one.late()[0], 0.7)


def test_work_is_torque_times_speed_whichever_way() -> None:
    for velocity in (2.0, -2.0):
        one = at_angle(1.5, 0.5)
        torque = one.torques_nm[0]
        one.observe(joints(1.5, velocity))
        assert one.energy_j == pytest.approx(8 * torque * 2.0 * STEP_S)


def test_controllers_answer_to_the_past_by_the_pd_latency_and_not_by_the_policy_s() -> None:
    def torques(dynamics: Dynamics) -> FloatArray:
        one = drivetrain(dynamics)
        one.command(SPEC.position_command(SPEC.stance_rad))
        one.begin(joints())
        for angle in (1.58, 1.59, 1.6):
            one.drive()
            one.observe(joints(angle))
        one.drive()
        return one.torques_nm

    now, steps_ago = torques(Dynamics()), torques(Dynamics(pd_latency_s=2 * STEP_S))
    assert now[0] / steps_ago[0] == pytest.approx((1.6 - 1.5708) / (1.58 - 1.5708), rel=1e-3)
    np.testing.assert_array_equal(torques(Dynamics(control_latency_s=2 * STEP_S)), now)


def sagging(battery_ohm: float, offset_rad: float) -> list[float]:
    """The battery's voltage step by step while all motors pull at a joint that does not move."""
    one = drivetrain(Dynamics(battery_ohm=battery_ohm))
    one.command(SPEC.position_command(SPEC.stance_rad + offset_rad))
    one.begin(joints())
    volts = []
    for _ in range(100):
        one.drive()
        one.observe(joints())
        volts.append(one.battery_v)
    return volts


def test_a_battery_without_resistance_does_not_sag() -> None:
    assert set(sagging(0.0, 0.5)) == {16.0}


@pytest.mark.parametrize(("battery_ohm", "offset_rad"), [(0.05, 0.2), (0.05, 2.0), (0.3, 2.0)])
def test_a_battery_sags_to_where_its_resistance_takes_what_the_motors_draw(battery_ohm: float, offset_rad: float) -> None:
    """8 motors at duty d draw 8 d^2 V / R, so V (1 + 8 d^2 R_battery / R) = 16."""
    duty = min(offset_rad * 8.206 / (16.0 / 0.186 * 0.0954), 1.0)
    expected = max(16.0 / (1.0 + 8.0 * duty**2 * battery_ohm / 0.186), 1.6)
    assert sagging(battery_ohm, offset_rad)[-1] == pytest.approx(expected, rel=0.01)


def test_a_sagging_battery_does_not_swing_from_step_to_step() -> None:
    volts = np.diff(sagging(0.3, 2.0))
    assert (volts <= 1e-9).all()


def test_another_world_s_drivetrain_goes_on_with_heat_and_work_from_where_the_joints_are() -> None:
    old = drivetrain()
    old.command(SPEC.position_command(SPEC.stance_rad + 1.0))
    old.begin(joints())
    for _ in range(round(1.2 / STEP_S)):
        old.drive()
        old.observe(joints(velocity_rad_s=0.1))
    new = drivetrain(Dynamics(battery_v=10.0))
    new.take_over(old, joints(0.9))
    assert new.energy_j == old.energy_j > 0.0
    assert all(new.shut_down)
    assert new.battery_v == 10.0
    np.testing.assert_allclose(new.late()[0], 0.9)


# --- the Minitaur's serial-equivalent legs


@pytest.mark.parametrize("length_m", LENGTHS_M)
def test_a_serial_leg_s_slope_is_that_of_its_angle(length_m: float) -> None:
    low, high = (serial_delta(length_m + step, UPPER_LINK_M, LOWER_LINK_M)[0] for step in (-1e-6, 1e-6))
    assert serial_delta(length_m, UPPER_LINK_M, LOWER_LINK_M)[1] == pytest.approx((high - low) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("length_m", LENGTHS_M)
def test_a_serial_leg_s_angle_closes_the_triangle_of_its_links(length_m: float) -> None:
    delta = serial_delta(length_m, UPPER_LINK_M, LOWER_LINK_M)[0]
    knee_to_foot = math.hypot(UPPER_LINK_M * math.sin(delta), length_m - UPPER_LINK_M * math.cos(delta))
    assert knee_to_foot == pytest.approx(LOWER_LINK_M)


def serial_state(swing: float, length_m: float, swing_speed: float, speed_m_s: float) -> list[float]:
    signs = SIGNS[::2]
    stretch = [length_m - STANCE_LENGTH_M] * 4
    return [*(signs * swing).tolist(), *stretch, *(signs * swing_speed).tolist(), *([speed_m_s] * 4)]


def test_in_the_stance_a_serial_leg_s_motors_are_level() -> None:
    one = drivetrain(serial=True)
    one.begin(serial_state(math.pi, STANCE_LENGTH_M, 0.0, 0.0))
    np.testing.assert_allclose(one.late(), [[math.pi / 2] * 8, [0.0] * 8], atol=1e-9)


def test_a_swung_and_stretched_serial_leg_s_motors_turn_as_those_of_five_bars() -> None:
    """Uses the closed loop itself: two upper links from the hip, two lower links from their ends to the foot."""
    one = drivetrain(serial=True)
    one.begin(serial_state(math.pi + 0.2, 0.2, 1.0, 0.3))
    (left, right), (left_speed, right_speed) = one.late()[:, :2]
    # Seen from the hip: the left upper link at left from straight up one way, the right one at right the other way.
    knees = [UPPER_LINK_M * np.array([side * math.sin(angle), math.cos(angle)]) for side, angle in ((-1, left), (1, right))]
    foot = 0.2 * np.array([math.sin(math.pi + 0.2), math.cos(math.pi + 0.2)])
    for knee in knees:
        assert np.linalg.norm(foot - knee) == pytest.approx(LOWER_LINK_M)
    step = 1e-6
    one.begin(serial_state(math.pi + 0.2 + 1.0 * step, 0.2 + 0.3 * step, 0.0, 0.0))
    np.testing.assert_allclose((one.late()[0, :2] - (left, right)) / step, (left_speed, right_speed), rtol=1e-4)


def test_a_serial_leg_s_motors_give_the_work_that_its_joints_get() -> None:
    """Virtual work: power at the motors is power at the joints, for every leg and any motion."""
    one = drivetrain(serial=True)
    generator = np.random.default_rng(0)
    for _ in range(20):
        zeros = np.zeros(8)
        command = type(SPEC.damping_command())(zeros, zeros, generator.uniform(-1.0, 1.0, 8), zeros, zeros)
        one.command(command)
        state = np.concatenate(
            (
                SIGNS[::2] * math.pi + generator.uniform(-0.3, 0.3, 4),
                generator.uniform(-0.04, 0.06, 4),
                generator.normal(size=8),
            )
        )
        one.begin(state.tolist())
        on_joints = np.array(one.drive())
        assert on_joints @ state[8:] == pytest.approx(one.torques_nm @ one.late()[1])


def moved_leg(legs: LegModel) -> tuple[FloatArray, FloatArray]:
    """Motor angles and the base's height, tick by tick, while a robot pushes itself up on one side."""
    robot = SimulatedRobot(MINITAUR.body, Dynamics(), legs=legs, time_step_s=0.001, iterations=50)
    robot.connect()
    goal = SPEC.stance_rad.copy()
    goal[4:] += 0.3
    angles, heights = [], []
    for _ in range(20):
        robot.write(SPEC.position_command(goal))
        robot.sleep_until(robot.now() + 0.02)
        angles.append(robot.read().positions_rad)
        heights.append([robot.truth().z_m])
    robot.close()
    return np.array(angles), np.array(heights)


def test_serial_legs_move_a_robot_as_five_bars_do() -> None:
    (serial, serial_z), (closed, closed_z) = moved_leg("serial"), moved_leg("five_bar")
    np.testing.assert_allclose(serial, closed, atol=0.05)
    np.testing.assert_allclose(serial_z, closed_z, atol=0.005)
