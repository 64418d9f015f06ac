from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.events import EventLog, Severity
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, JointCommand, RobotError, RobotFault
from tests.hardware.unruly import FAULTS, Trial
from tests.hardware.witness import LIMITS, SPEC, Faults, WitnessedRobot

N = len(SPEC.joints)
STANCE = SPEC.position_command(SPEC.stance_rad)
HIGHER = SPEC.position_command(SPEC.stance_rad + 0.4)


def after(trial: Trial, command: JointCommand, ticks: int = 40, period_s: float = 0.02) -> JointCommand:
    for _ in range(ticks):
        sent = trial.tick(command, period_s)
    return sent


def test_limits_of_another_robot_are_refused() -> None:
    with pytest.raises(ValueError, match="dog has 12 joints, safety limits are for 11"):
        SafetySupervisor(WitnessedRobot(FakeClock()), replace(LIMITS, joints=LIMITS.joints[1:]), FakeClock(), EventLog())


@pytest.mark.parametrize("sit_rad", [(0.0,), (9.0,) * N])
def test_a_sitting_pose_that_the_robot_cannot_have_is_refused(sit_rad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="sit_rad must be 12 angles within the joint limits"):
        SafetySupervisor(WitnessedRobot(FakeClock()), replace(LIMITS, sit_rad=sit_rad), FakeClock(), EventLog())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"power_w": float("nan")}, "power_w"),
        ({"stale_command_s": 0.0}, "stale_command_s"),
        ({"late_a_second": -1}, "late_a_second"),
        ({"warn_c": 90.0}, "warn_c"),
    ],
)
def test_limits_that_limit_nothing_are_refused(changes: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(LIMITS, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", ["leaning", "too hot", "sag", "motor error", "overspeed", "nan position", "silent"])
def test_a_robot_in_no_state_to_be_armed_is_closed_again_at_connect(fault: str) -> None:
    trial = Trial(LIMITS)
    trial.supervisor.close()
    trial.robot.log.clear()
    trial.robot.faults = FAULTS[fault]()
    with pytest.raises(RobotError, match="dog"):
        trial.supervisor.connect()
    assert list(trial.robot.log) == ["stop", "close"]
    with pytest.raises(RobotError, match="not connected"):
        trial.supervisor.read()
    trial.robot.faults = Faults()
    trial.supervisor.connect()
    trial.supervisor.read()


def test_stop_damps_and_the_next_command_starts_at_the_measured_pose() -> None:
    trial = Trial()
    after(trial, HIGHER)
    trial.supervisor.stop()
    assert trial.robot.damped
    trial.robot.faults = Faults(pushed_rad=0.3)
    measured = trial.supervisor.read().positions_rad
    trial.robot.faults = Faults()
    sent = trial.supervisor.write(HIGHER)
    np.testing.assert_allclose(sent.positions_rad, np.clip(measured, *SPEC.limits_rad), atol=0.01)
    assert trial.supervisor.stopped_because is None


def test_nobody_else_s_hand_is_on_the_previous_command() -> None:
    trial = Trial()
    trial.tick().positions_rad[:] = 99.0
    np.testing.assert_allclose(trial.tick(HIGHER).positions_rad, SPEC.stance_rad, atol=0.2)


def test_a_write_after_a_stop_measures_by_itself() -> None:
    trial = Trial()
    after(trial, HIGHER)
    trial.supervisor.stop()
    sent = trial.supervisor.write(STANCE)
    np.testing.assert_allclose(sent.positions_rad, HIGHER.positions_rad, atol=0.01)


def test_a_command_is_never_judged_by_an_old_reading() -> None:
    trial = Trial()
    after(trial, STANCE)
    trial.robot.faults = Faults(pushed_rad=0.6)
    trial.clock.advance(0.04)
    trial.supervisor.write(STANCE)
    assert trial.violations == []
    assert trial.events.counts["torque"] > 0


@pytest.mark.parametrize(("limit_rad", "beyond_rad"), [(SPEC.limits_rad[0], -0.1), (SPEC.limits_rad[1], 0.1)])
def test_a_pose_beyond_the_joint_limits_is_led_back_into_them(limit_rad: FloatArray, beyond_rad: float) -> None:
    trial = Trial()
    trial.supervisor.stop()
    pose_rad = limit_rad + beyond_rad
    trial.robot.faults = Faults(damage=lambda state: replace(state, positions_rad=pose_rad))
    sent = trial.tick(SPEC.position_command(pose_rad))
    np.testing.assert_array_equal(sent.positions_rad, limit_rad)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (replace(STANCE, torques_nm=np.array([np.nan] * N)), "torques_nm of joint fl_hip is not finite"),
        (replace(STANCE, positions_rad=np.zeros(3)), "shape"),
        (JointCommand(*np.zeros((5, N), dtype=complex)), "not made of arrays of real numbers"),
        (JointCommand(*np.zeros((5, N)).astype(object)), "not made of arrays of real numbers"),
        (replace(STANCE, positions_rad=[0.0] * 3), "not made of arrays of real numbers"),  # type: ignore[arg-type]
        (None, "not made of arrays of real numbers"),
    ],
)
def test_a_command_that_is_none_moves_nothing_and_is_no_stop(command: JointCommand, words: str) -> None:
    trial = Trial()
    trial.tick()
    written = len(trial.robot.written)
    with pytest.raises(RobotFault, match=f"dog: command refused: .*{words}"):
        trial.supervisor.write(command)
    assert len(trial.robot.written) == written
    assert trial.events.counts == {"bad command": 1}
    trial.tick()


def test_numbers_of_other_real_types_are_numbers() -> None:
    trial = Trial()
    trial.tick(JointCommand(*np.array(STANCE.rows).astype(np.float32)))
    assert trial.violations == []


@pytest.mark.parametrize("act", [lambda s: s.read(), lambda s: s.write(STANCE)])
def test_a_host_that_hung_finds_its_robot_damped(act: Callable[[SafetySupervisor], object]) -> None:
    trial = Trial()
    trial.tick()
    trial.clock.advance(0.11)
    with pytest.raises(RobotFault, match=r"no command came for 0\.1\d\d s, 0\.100 are allowed"):
        act(trial.supervisor)
    assert trial.robot.damped
    trial.supervisor.rearm()
    after(trial, STANCE)


def test_a_stopped_robot_waits_for_no_command() -> None:
    trial = Trial()
    trial.tick()
    trial.supervisor.stop()
    trial.clock.advance(60.0)
    trial.tick()


def test_a_few_late_commands_are_noted_and_many_stop_it() -> None:
    trial = Trial()
    for _ in range(3):
        after(trial, STANCE, 5, period_s=0.04)
        after(trial, STANCE, 50)
        assert trial.supervisor.stopped_because is None
    assert {event.severity for event in trial.events.newest} == {Severity.NOTE}
    with pytest.raises(RobotFault, match="6 commands within a second came late"):
        after(trial, STANCE, 8, period_s=0.04)


def test_the_operators_stop_is_latched() -> None:
    trial = Trial()
    trial.tick()
    trial.supervisor.halt("a cat on the runway")
    assert trial.robot.damped
    with pytest.raises(RobotFault, match="dog: stopped: a cat on the runway"):
        trial.supervisor.write(STANCE)
    trial.supervisor.stop()
    with pytest.raises(RobotFault, match="a cat"):
        trial.supervisor.read()
    trial.supervisor.rearm()
    trial.tick()
    assert trial.events.counts == {"halt": 1, "rearmed": 1}


def test_a_stopped_robot_may_be_looked_at() -> None:
    trial = Trial()
    trial.supervisor.halt("a cat")
    first = trial.supervisor.look()
    trial.clock.advance(1.0)
    assert trial.supervisor.look().time_s > first.time_s
    trial.robot.faults = FAULTS["read raises"]()
    with pytest.raises(RobotFault, match="dog: OSError"):
        trial.supervisor.look()


def test_rearming_a_robot_that_is_not_stopped_changes_nothing() -> None:
    trial = Trial()
    trial.tick()
    trial.supervisor.rearm()
    assert not trial.robot.damped
    trial.tick()
    assert not trial.events.counts


def test_the_first_reason_to_stop_is_the_one_that_is_told() -> None:
    trial = Trial()
    trial.supervisor.halt("first")
    trial.supervisor.halt("second")
    with pytest.raises(RobotFault, match="first"):
        trial.supervisor.read()


def test_damping_that_failed_is_tried_again() -> None:
    trial = Trial()
    trial.tick()
    trial.robot.faults = Faults(stop_raises=OSError(5, "gone"))
    trial.supervisor.stop()
    with pytest.raises(RobotFault, match=r"cannot be stopped: .*gone"):
        trial.supervisor.read()
    assert not trial.robot.damped
    trial.robot.faults = Faults()
    with pytest.raises(RobotFault, match="cannot be stopped"):
        trial.supervisor.read()
    assert trial.robot.damped
    trial.supervisor.rearm()
    trial.tick()


def test_a_fault_of_the_robot_keeps_its_own_words() -> None:
    trial = Trial()
    trial.tick()
    trial.robot.faults = FAULTS["silent"]()
    with pytest.raises(RobotFault, match=r"^dog: stopped: fl_hip \(id 1\) has not answered for 0\.2 s$"):
        trial.tick()
    assert trial.robot.damped


def test_connecting_again_after_close_is_an_explicit_rearm() -> None:
    trial = Trial()
    trial.supervisor.halt("a cat")
    trial.supervisor.connect()
    assert trial.supervisor.stopped_because is not None
    trial.supervisor.close()
    trial.supervisor.connect()
    trial.tick()
