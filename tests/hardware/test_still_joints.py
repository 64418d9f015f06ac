"""Motors that repeat themselves stop a robot; joints that do not give while they are moved are told of, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hardware.events import Severity
from hardware.types import RobotFault, RobotState
from tests.hardware.unruly import Trial, with_value
from tests.hardware.witness import SPEC, Faults

JOINT = 4
NAME = SPEC.joint_names[JOINT]
ROWS = ("positions_rad", "velocities_rad_s", "torques_nm")


def repeating(*rows: str) -> Faults:
    """From its next reading on these of the joint's numbers are those of that reading."""
    first: list[RobotState] = []

    def damage(state: RobotState) -> RobotState:
        first.append(state)
        for row in rows:
            state = with_value(row, JOINT, float(getattr(first[0], row)[JOINT]))(state)
        return state

    return Faults(damage=damage)


def walk(trial: Trial, duration_s: float, amplitude_rad: float = 0.25, middle_rad: float = 0.0) -> str | None:
    """The joint is sent to and fro once a second; the sentence with which it was stopped."""
    begin_s, goal = trial.clock.now(), SPEC.stance_rad.copy()
    try:
        while (time_s := trial.clock.now() - begin_s) < duration_s:
            goal[JOINT] = SPEC.stance_rad[JOINT] + middle_rad + amplitude_rad * math.sin(2.0 * math.pi * time_s)
            trial.tick(SPEC.position_command(goal))
    except RobotFault as fault:
        return str(fault)
    return None


def told(trial: Trial) -> int:
    """How often a joint was called still; none may have been called frozen."""
    assert "frozen joint" not in trial.events.counts
    return trial.events.counts["still joint"]


@pytest.mark.parametrize("phase_s", [0.05, 0.45, 0.5, 0.95])
def test_a_motor_whose_replies_are_old_ones_stops_the_robot(phase_s: float) -> None:
    trial = Trial()
    assert walk(trial, 1.0 + phase_s) is None
    trial.robot.faults = repeating(*ROWS)
    begin_s = trial.clock.now()
    because = walk(trial, 2.0)
    assert because is not None
    assert because.startswith(f"dog: stopped: the motor of {NAME} has said the same for ")
    assert trial.clock.now() - begin_s < 1.5
    event = trial.events.newest[-1]
    assert (event.severity, event.reason, event.where, event.limit) == (Severity.STOP, "frozen joint", NAME, 0.5)
    assert trial.robot.damped


@pytest.mark.parametrize("rows", [("positions_rad", "velocities_rad_s"), ("positions_rad",)])
def test_a_dead_encoder_cannot_be_told_from_a_jammed_joint_and_is_counted_only(rows: tuple[str, ...]) -> None:
    trial = Trial()
    assert walk(trial, 1.1) is None
    trial.robot.faults = repeating(*rows)
    assert walk(trial, 5.0, 0.15) is None
    assert told(trial) == 1
    assert trial.events.newest[-1].where == NAME


def test_one_that_froze_where_its_target_turns_back_is_counted_only() -> None:
    trial = Trial()
    assert walk(trial, 1.25) is None
    trial.robot.faults = repeating(*ROWS)
    assert walk(trial, 3.0) is None
    assert told(trial) == 1


def test_a_jammed_joint_is_told_again_only_after_it_gave() -> None:
    trial = Trial()
    for _ in range(2):
        trial.robot.faults = Faults()
        assert walk(trial, 1.0, 0.15) is None
        trial.robot.faults = Faults(jammed=True)
        assert walk(trial, 3.0, 0.15) is None
    assert told(trial) == 2


def limited(torque_nm: float) -> Callable[[RobotState], RobotState]:
    return lambda state: replace(state, torques_nm=np.clip(state.torques_nm, -torque_nm, torque_nm))


def test_a_jammed_joint_that_pushes_one_way_with_all_its_weak_motor_has_is_not_frozen() -> None:
    trial = Trial()
    walk(trial, 1.0, 0.0)
    trial.robot.faults = Faults(jammed=True, damage=limited(0.5))
    assert walk(trial, 5.0, 0.15, 0.3) is None
    assert told(trial) == 1


def test_a_joint_that_stands_where_it_should_is_neither() -> None:
    trial = Trial()
    trial.robot.faults = repeating(*ROWS)
    assert walk(trial, 5.0, 0.0) is None
    assert told(trial) == 0


def test_a_joint_that_nobody_powers_is_counted_only() -> None:
    """A motor with its torque off: too stiff to swing, and its current is the offset of its sensor."""
    trial = Trial()

    def off(state: RobotState) -> RobotState:
        return replace(state, torques_nm=np.full_like(state.torques_nm, 0.02))

    trial.robot.faults = Faults(jammed=True, damage=off)
    assert walk(trial, 5.0) is None
    assert told(trial) == 1


def test_a_robot_that_nobody_moves_may_say_the_same_for_ever() -> None:
    trial = Trial()
    walk(trial, 1.1)
    trial.robot.faults = repeating(*ROWS)
    walk(trial, 0.3)
    trial.supervisor.stop()
    for _ in range(100):
        trial.supervisor.read()
        trial.clock.advance(0.02)
    assert walk(trial, 0.3) is None
    assert told(trial) == 0
