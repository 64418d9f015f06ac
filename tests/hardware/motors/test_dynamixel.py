"""DynamixelBus that is armed, against the emulated chain, bytes by hand; ports and threads are in test_dynamixel_serial.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.emulators.dynamixel import SYNC_WRITE
from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel import DynamixelMode
from hardware.motors.dynamixel_units import units
from hardware.types import RobotFault
from tests.hardware.motors.dynamixel_bench import (
    COUNT_RAD,
    HOME,
    IDS,
    KD,
    KP,
    MODES,
    SUPPLY_V,
    Flywheels,
    armed,
    as_device,
    instructions,
    pose,
)

# Reading and writing


@pytest.mark.parametrize("firmware", [40, 48])
def test_joints_go_where_they_are_sent(firmware: int) -> None:
    made = armed(firmware=firmware)
    goal = HOME + np.array([0.3, -0.2, 0.1, 0.0])
    for _ in range(40):
        sent = made.tick(goal)
    np.testing.assert_allclose(sent.positions_rad, goal, atol=COUNT_RAD)
    readings = made.bus.read()
    np.testing.assert_allclose(readings.positions_rad, goal, atol=2 * COUNT_RAD)
    assert readings.heard.all()
    assert (0x8A if firmware >= 45 else 0x82) in instructions(made)[-4:]
    assert not made.log.counts


@pytest.mark.parametrize("mode", MODES)
def test_a_wheel_is_driven_by_the_torque_that_was_asked_for(mode: DynamixelMode) -> None:
    wheels = Flywheels()
    made = armed(mode=mode, flywheels=wheels)
    for _ in range(150):
        made.tick(HOME + 0.3)
    np.testing.assert_allclose(as_device(wheels.positions_rad), HOME + 0.3, atol=0.05)


def test_host_side_pd_also_takes_torques_and_velocities() -> None:
    wheels = Flywheels()
    made = armed(mode="pwm", flywheels=wheels, torque_limit_nm=1.0)
    zeros = np.zeros(4)
    made.tick()
    for torque, duty in ((0.5, round(0.5 / 4.1 * 885)), (3.0, int(1.0 / 4.1 * 885))):
        command = replace(pose(HOME, 0.0, 0.0), torques_nm=np.full(4, torque))
        assert made.bus.write(command) == command
        assert [motor[registers.GOAL_PWM] for motor in made.chain.motors] == [duty] * 4
    made.bus.write(replace(pose(HOME, 0.0, 0.1), velocities_rad_s=zeros + 1.0))
    assert made.chain.motors[0][registers.GOAL_PWM] > 0


def test_a_torque_limit_is_a_current_limit() -> None:
    wheels = Flywheels()
    made = armed(mode="current_position", flywheels=wheels, torque_limit_nm=0.5)
    wanted = int(0.5 / units("XM430-W350", SUPPLY_V, "current_position").effort_nm)
    assert [motor[registers.GOAL_CURRENT] for motor in made.chain.motors] == [wanted] * 4
    made.tick(HOME + 0.8)
    made.tick(HOME + 0.8)
    assert np.abs(made.bus.read().torques_nm).max() < 0.55


def test_velocities_and_torques_are_the_motors_own() -> None:
    wheels = Flywheels()
    made = armed(flywheels=wheels)
    wheels.push_nm[:] = -np.array([1.0, -1.0, 1.0, -1.0]) * 0.4  # in spec angles: each motor is pushed back
    for _ in range(150):
        made.tick(HOME)
    readings = made.bus.read()
    np.testing.assert_allclose(readings.torques_nm, 0.4, atol=0.05)
    np.testing.assert_allclose(readings.positions_rad - HOME, -0.4 / KP, atol=0.01)


def test_gains_are_written_when_they_change_only() -> None:
    made = armed()
    for _ in range(3):
        made.tick()

    def gains_written(kp: float) -> int:
        made.port.sent.clear()
        for _ in range(10):
            made.wall.advance(0.01)
            made.bus.write(pose(HOME, kp))
        return sum(packet[7:10] == b"\x83\x50\x00" for packet in made.port.sent)

    assert gains_written(KP) == 0
    assert gains_written(2 * KP) == 3
    assert gains_written(2 * KP) == 0


def test_gains_that_a_motor_did_not_hear_are_noticed_and_sent_again() -> None:
    made = armed(health_period_s=0.04)
    made.port.deaf = True
    for _ in range(3):
        made.bus.write(pose(HOME, 2 * KP))
    made.port.deaf = False
    for _ in range(10):
        made.wall.advance(0.01)
        made.bus.read()
        sent = made.bus.write(pose(HOME, 2 * KP))
    assert made.log.counts["gains lost"] >= 1
    unit = units("XM430-W350", SUPPLY_V, "position")
    assert {motor[registers.POSITION_P_GAIN] for motor in made.chain.motors} == {round(2 * KP / unit.kp_nm_per_rad)}
    np.testing.assert_allclose(sent.kp_nm_per_rad, 2 * KP, rtol=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_command_that_is_no_number_is_refused_and_not_sent(bad: float) -> None:
    made = armed()
    made.port.sent.clear()
    with pytest.raises(RobotFault, match="joint_2"):
        made.bus.write(pose(np.array([0.0, 0.0, bad, 0.0])))
    assert made.port.sent == []


# Stopping


def test_damping_takes_the_stiffness_and_the_next_write_gives_it_back() -> None:
    made = armed()
    made.tick(HOME + 0.3)
    made.bus.damp()
    made.bus.damp()
    unit = units("XM430-W350", SUPPLY_V, "position")
    for motor in made.chain.motors:
        assert motor[registers.POSITION_P_GAIN] == 0
        assert motor[registers.POSITION_D_GAIN] == round(KD / unit.kd_nm_s_per_rad)
        assert motor[registers.TORQUE_ENABLE] == 1
    stopped = made.bus.read().positions_rad
    made.wall.advance(0.05)
    made.bus.read()
    np.testing.assert_allclose(made.bus.read().positions_rad, stopped, atol=2 * COUNT_RAD)
    for _ in range(40):
        made.tick(HOME + 0.3)
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME + 0.3, atol=0.01)


def test_a_damped_motor_is_not_made_stiff_before_it_has_its_new_goal() -> None:
    """Hands may have moved the leg meanwhile: with its old goal it would be driven back."""
    made = armed()
    made.tick(HOME + 0.3)
    made.bus.damp()
    made.bus.read()
    made.port.deaf = True
    with pytest.raises(RobotFault, match="Dynamixel 3, Dynamixel 7, Dynamixel 11, Dynamixel 20 did not take a goal"):
        made.bus.write(pose(HOME))
    made.port.deaf = False
    assert [motor[registers.POSITION_P_GAIN] for motor in made.chain.motors] == [0] * 4
    made.port.sent.clear()
    made.bus.write(pose(HOME))
    written = [int.from_bytes(packet[8:10], "little") for packet in made.port.sent if packet[7] == SYNC_WRITE]
    assert written == [registers.GOAL_POSITION.address, registers.POSITION_D_GAIN.address]
    assert all(motor[registers.POSITION_P_GAIN] > 0 for motor in made.chain.motors)


def test_who_did_not_hear_that_it_is_to_be_damped_is_named() -> None:
    made = armed()
    made.faults.dead.add(IDS[1])
    assert made.bus.damp() == ("joint_1",)
    made.faults.dead.clear()
    assert made.bus.damp() == ()


def test_damping_is_heard_after_a_pause_in_which_the_watchdogs_tripped() -> None:
    made = armed(mode="current_position", flywheels=Flywheels())
    full = [motor[registers.GOAL_CURRENT] for motor in made.chain.motors]
    made.wall.advance(1.0)
    assert made.bus.damp() == ()
    assert all(0 < motor[registers.GOAL_CURRENT] < most / 2 for motor, most in zip(made.chain.motors, full, strict=True))


def test_damping_by_current_gives_way_slowly() -> None:
    wheels = Flywheels()
    made = armed(mode="current_position", flywheels=wheels)
    made.bus.damp()
    limit_nm = 0.1 * 4.1
    wheels.push_nm[0] = limit_nm + 0.2
    for _ in range(40):
        made.wall.advance(0.01)
        readings = made.bus.read()
    assert readings.positions_rad[0] - HOME[0] > 0.3
    assert abs(readings.torques_nm[0]) < limit_nm + (KD + KP * 0.01) * abs(readings.velocities_rad_s[0]) + 0.05
    np.testing.assert_allclose(readings.positions_rad[1:], HOME[1:], atol=0.01)


def test_damping_by_duty_cycle_is_none() -> None:
    made = armed(mode="pwm", flywheels=Flywheels())
    made.tick(HOME + 0.5)
    assert made.chain.motors[0][registers.GOAL_PWM] != 0
    made.bus.damp()
    assert [motor[registers.GOAL_PWM] for motor in made.chain.motors] == [0] * 4


@pytest.mark.parametrize("mode", MODES)
def test_watchdogs_of_a_robot_that_walks_are_woken_without_waiting_for_answers(mode: DynamixelMode) -> None:
    made = armed(mode=mode)
    made.bus.damp()
    made.tick()
    made.wall.advance(1.0)
    made.port.sent.clear()
    made.bus.write(pose(HOME))
    assert set(instructions(made)) == {SYNC_WRITE}


def test_release_lets_go_and_neither_it_nor_damping_raises_on_a_dead_bus() -> None:
    made = armed()
    made.bus.release()
    assert not any(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)
    assert made.bus.read().errors == {}
    made.bus.arm()
    made.faults.dead.update(IDS)
    assert made.bus.damp() == made.bus.joint_names
    made.bus.release()
    made.bus.close()
    made.bus.close()


def test_a_ctrl_c_in_the_middle_of_a_packet_does_not_block_the_stop() -> None:
    made = armed()
    made.tick(HOME + 0.3)
    made.port.is_using = True
    made.bus.damp()
    assert made.chain.motors[0][registers.POSITION_P_GAIN] == 0
