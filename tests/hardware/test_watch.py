"""What readings stop a supervised robot, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.events import Severity
from hardware.types import ImuReading, JointCommand, RobotFault, RobotState
from tests.hardware.unruly import FAULTS, Trial, with_value
from tests.hardware.witness import LIMITS, SPEC, Faults

STOPPING = {
    "nan position": "bad reading",
    "inf velocity": "bad reading",
    "nan torque": "bad reading",
    "absurd position": "bad reading",
    "short": "bad reading",
    "nan orientation": "bad reading",
    "zero orientation": "bad reading",
    "nan rates": "bad reading",
    "nan imu time": "bad reading",
    "overspeed": "overspeed",
    "stuck imu time": "stale imu",
    "frozen imu": "frozen imu",
    "frozen": "stale reading",
    "sag": "battery empty",
    "too hot": "overheat",
    "inf temperature": "overheat",
    "fallen": "tilt",
    "motor error": "motor error",
    "silent": "device lost",
    "read raises": "device lost",
    "write raises": "device lost",
    "write faults": "device lost",
}


def run(trial: Trial, ticks: int, command: JointCommand | None = None) -> str | None:
    """The sentence with which it was stopped."""
    try:
        for _ in range(ticks):
            trial.tick(command)
    except RobotFault as fault:
        return str(fault)
    return None


@pytest.mark.parametrize(("fault", "reason"), STOPPING.items())
def test_a_danger_stops_the_robot_until_it_is_armed_again(fault: str, reason: str) -> None:
    trial = Trial()
    run(trial, 5)
    trial.robot.faults = FAULTS[fault]()
    because = run(trial, 200)
    assert because is not None
    assert trial.robot.damped
    assert [event.reason for event in trial.events.newest if event.severity is Severity.STOP] == [reason]
    trial.robot.faults = Faults()
    written = len(trial.robot.written)
    for act in (trial.supervisor.read, lambda: trial.supervisor.write(SPEC.position_command(SPEC.stance_rad))):
        with pytest.raises(RobotFault) as again:
            act()
        assert str(again.value) == because == trial.supervisor.stopped_because
    assert len(trial.robot.written) == written
    trial.clock.advance(1.0)
    if reason == "battery empty":  # a rest does not charge it
        with pytest.raises(RobotFault, match=r"not armed again.* charge it"):
            trial.supervisor.rearm()
        trial.supervisor.close()
        trial.supervisor.connect()
    else:
        trial.supervisor.rearm()
    assert run(trial, 20) is None
    assert trial.violations == []


@pytest.mark.parametrize("fault", ["leaning", "hot", "nan battery", "fast", "none"])
def test_what_may_pass_does_not_stop_it(fault: str) -> None:
    trial = Trial()
    trial.robot.faults = FAULTS[fault]()
    assert run(trial, 100) is None


@pytest.mark.parametrize("fault", ["fallen", "leaning", "too hot", "motor error", "overspeed", "silent", "nan position"])
def test_a_robot_is_not_armed_again_while_the_danger_lasts(fault: str) -> None:
    trial = Trial()
    trial.supervisor.halt("a cat")
    trial.robot.faults = FAULTS[fault]()
    with pytest.raises(RobotFault):
        trial.supervisor.rearm()
    trial.robot.faults = Faults()
    with pytest.raises(RobotFault, match="a cat"):
        trial.supervisor.read()


def test_leaning_too_far_has_to_last() -> None:
    trial = Trial()
    for _ in range(5):
        trial.robot.faults = FAULTS["fallen"]()
        assert run(trial, 14) is None
        trial.robot.faults = Faults()
        assert run(trial, 1) is None
    trial.robot.faults = FAULTS["fallen"]()
    assert run(trial, 14) is None
    because = run(trial, 3)
    assert because == "dog: stopped: it leans 69 degrees, 45 are allowed: put it upright"


def test_one_bad_reading_is_answered_with_the_one_before_it() -> None:
    trial = Trial()
    run(trial, 3)
    before = trial.supervisor.read()
    trial.robot.faults = FAULTS["nan rates"]()
    assert trial.supervisor.read() is before
    trial.robot.faults = Faults()
    assert trial.supervisor.read().time_s > before.time_s
    assert trial.events.counts == {"bad reading": 1}


def test_a_first_reading_that_is_bad_stops_it() -> None:
    trial = Trial()
    trial.robot.faults = FAULTS["nan rates"]()
    with pytest.raises(RobotFault, match="not those of a robot"):
        trial.supervisor.read()


def test_a_warm_motor_is_told_once_and_one_not_heard_of_is_not_warm() -> None:
    trial = Trial()
    trial.robot.faults = Faults(damage=with_value("temperatures_c", 4, 55.0))
    run(trial, 20)
    (event,) = trial.events.newest
    assert (event.severity, event.reason, event.where) == (Severity.NOTE, "hot", SPEC.joint_names[4])
    assert (event.value, event.limit) == (55.0, 50.0)


def test_an_unmeasured_temperature_or_imu_time_is_no_danger() -> None:
    trial = Trial()
    trial.robot.faults = Faults(damage=lambda state: replace(state, temperatures_c=None, errors=None))
    assert run(trial, 20) is None


def test_a_short_sag_is_no_low_battery() -> None:
    trial = Trial()
    for _ in range(5):
        trial.robot.faults = FAULTS["sag"]()
        assert run(trial, 2) is None
        trial.robot.faults = Faults()
        assert run(trial, 60) is None
    assert not trial.events.counts


def test_a_low_battery_lets_a_trial_end_and_refuses_the_next_one() -> None:
    trial = Trial()
    run(trial, 3)
    trial.robot.faults = Faults(battery_v=13.2)
    assert run(trial, 500) is None
    assert trial.events.counts["battery low"] == 1
    trial.supervisor.stop()
    trial.robot.faults = Faults(battery_v=15.0)  # recovered without load
    trial.supervisor.read()
    with pytest.raises(RobotFault, match=r"no new trial: the battery was down to 13\.2 V"):
        trial.supervisor.write(SPEC.position_command(SPEC.stance_rad))
    assert trial.supervisor.stopped_because is None


def test_a_battery_that_was_empty_is_not_full_by_connecting_again() -> None:
    trial = Trial()
    trial.robot.faults = FAULTS["sag"]()
    assert run(trial, 200) is not None
    trial.supervisor.close()
    trial.robot.faults = Faults(battery_v=13.9)  # at rest, below warn_v
    with pytest.raises(RobotFault, match=r"the battery was down to .* charge it and connect again"):
        trial.supervisor.connect()
    trial.robot.faults = Faults(battery_v=14.0)
    trial.supervisor.connect()
    assert run(trial, 20) is None


def test_without_tiers_no_voltage_stops_it() -> None:
    trial = Trial(replace(LIMITS, battery=None))
    trial.robot.faults = FAULTS["sag"]()
    assert run(trial, 100) is None


def test_a_unit_without_noise_may_say_the_same_again_and_again() -> None:
    trial = Trial(replace(LIMITS, frozen_imu_s=None))
    trial.robot.faults = FAULTS["frozen imu"]()
    assert run(trial, 100) is None


def test_a_jammed_joint_stops_it_after_a_while() -> None:
    trial = Trial()
    goal = SPEC.position_command(SPEC.stance_rad + 0.5)
    for _ in range(100):
        trial.tick(goal)
    assert trial.supervisor.stopped_because is None  # it moves, and gets there
    trial.robot.faults = Faults(jammed=True)
    back = SPEC.position_command(SPEC.stance_rad)
    for _ in range(25):
        trial.tick(back)
    because = run(trial, 5, back)
    assert because == "dog: stopped: fl_hip pushes with all it may and stays 0.50 rad from its target: is it jammed?"


def test_a_joint_that_carries_much_where_it_should_be_is_not_jammed() -> None:
    trial = Trial()
    trial.robot.faults = Faults(damage=with_value("torques_nm", 2, -4.1))
    assert run(trial, 100) is None


def test_strain_that_ceases_now_and_then_is_no_stall() -> None:
    trial = Trial()
    there, back = SPEC.position_command(SPEC.stance_rad + 0.5), SPEC.position_command(SPEC.stance_rad)
    trial.robot.faults = Faults(jammed=True)
    for _ in range(5):
        for _ in range(22):
            trial.tick(there)
        for _ in range(4):
            trial.tick(back)
    assert trial.supervisor.stopped_because is None


def test_the_message_names_joint_value_and_limit() -> None:
    trial = Trial()
    trial.robot.faults = FAULTS["overspeed"]()
    assert run(trial, 1) == "dog: stopped: bl_thigh turns at 25.0 rad/s, 20.0 are allowed"
    event = trial.events.newest[-1]
    assert (event.reason, event.where, event.value, event.limit) == ("overspeed", SPEC.joint_names[7], 25.0, 20.0)


def test_a_tilted_reading_that_is_not_a_rotation_is_no_tilt() -> None:
    trial = Trial()

    def half(state: RobotState) -> RobotState:
        return replace(state, imu=ImuReading(0.5 * state.imu.orientation_wxyz, np.zeros(3)))

    trial.robot.faults = Faults(damage=half)
    because = run(trial, 20)
    assert because is not None
    assert "not those of a robot" in because
