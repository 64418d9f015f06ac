from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hardware.types import RobotError, RobotState
from tests.hardware.unruly import FAULTS, Trial, with_value
from tests.hardware.witness import LIMITS, SPEC, Faults

SIT_RAD = np.array(LIMITS.sit_rad)


def standing(trial: Trial) -> Trial:
    for _ in range(10):
        trial.tick()
    return trial


def test_close_sits_the_robot_down_slowly_then_damps_and_releases_it() -> None:
    trial = standing(Trial())
    begin_s = trial.clock.now()
    trial.robot.written.clear()
    trial.supervisor.close()
    assert trial.clock.now() - begin_s == pytest.approx(LIMITS.sit_s, abs=0.05)
    targets = np.array([SPEC.stance_rad, *(command.positions_rad for command in trial.robot.written)])
    np.testing.assert_allclose(targets[-1], SIT_RAD)
    np.testing.assert_allclose(np.diff(targets, axis=0), 0.3 / 100, atol=0.0031)
    assert list(trial.robot.log)[-3:] == ["write", "stop", "close"]
    with pytest.raises(RobotError, match="not connected"):
        trial.supervisor.read()
    assert trial.violations == []


@pytest.mark.parametrize("limp_s", [0.0, 0.5, 60.0])
def test_a_robot_that_is_limp_since_its_trial_is_not_stiffened_again(limp_s: float) -> None:
    trial = standing(Trial())
    trial.supervisor.stop()
    trial.robot.log.clear()
    trial.clock.advance(limp_s)
    trial.supervisor.close()
    assert list(trial.robot.log) == ["stop", "close"]


def test_a_robot_that_was_armed_and_never_moved_is_not_moved() -> None:
    trial = Trial()
    trial.supervisor.close()
    assert "write" not in trial.robot.log


def test_a_robot_left_standing_for_an_hour_is_sat_down_too() -> None:
    trial = standing(Trial())
    trial.clock.advance(3600.0)
    trial.supervisor.close()
    assert "late write" not in trial.events.counts
    np.testing.assert_allclose(trial.robot.written[-1].positions_rad, SIT_RAD)
    assert trial.violations == []


def test_a_low_battery_does_not_keep_it_from_sitting() -> None:
    trial = Trial()
    trial.robot.faults = Faults(battery_v=13.2)
    for _ in range(300):
        trial.tick()
    trial.supervisor.close()
    np.testing.assert_allclose(trial.robot.written[-1].positions_rad, SIT_RAD)


def test_without_a_sitting_pose_damping_lets_it_down() -> None:
    trial = standing(Trial(replace(LIMITS, sit_rad=None)))
    trial.robot.log.clear()
    begin_s = trial.clock.now()
    trial.supervisor.close()
    assert list(trial.robot.log) == ["stop", "close"]
    assert trial.clock.now() - begin_s == pytest.approx(LIMITS.sit_s)


def test_torque_goes_only_when_damping_had_time_to_let_a_stopped_robot_down() -> None:
    trial = standing(Trial())
    trial.supervisor.halt("Ctrl-C")
    begin_s = trial.clock.now()
    trial.clock.advance(0.5)
    trial.supervisor.close()
    assert trial.clock.now() - begin_s == pytest.approx(LIMITS.sit_s)


def test_a_robot_that_nobody_moved_is_released_at_once() -> None:
    trial = Trial(replace(LIMITS, sit_rad=None))
    begin_s = trial.clock.now()
    trial.supervisor.close()
    assert trial.clock.now() == begin_s


@pytest.mark.parametrize("fault", ["none", "motor error", "silent"])
def test_a_stopped_robot_is_not_moved_again(fault: str) -> None:
    trial = standing(Trial())
    trial.robot.faults = FAULTS[fault]()
    trial.supervisor.halt("it is down already")
    trial.robot.log.clear()
    trial.supervisor.close()
    assert list(trial.robot.log) == ["stop", "close"]


def test_a_fallen_robot_is_not_moved_again() -> None:
    trial = standing(Trial())
    trial.robot.log.clear()
    trial.robot.faults = FAULTS["leaning"]()  # past what ends a trial, not yet what stops it
    trial.supervisor.close()
    assert list(trial.robot.log) == ["stop", "close"]


@pytest.mark.parametrize("fault", ["silent", "read raises", "write raises", "motor error", "overspeed"])
def test_torque_is_released_when_sitting_fails(fault: str) -> None:
    trial = standing(Trial())
    trial.robot.faults = FAULTS[fault]()
    trial.supervisor.close()
    assert list(trial.robot.log)[-3:] == ["stop", "stop", "close"]
    assert trial.events.counts["not seated"] == 1
    assert trial.violations == []


def test_torque_is_released_when_not_even_damping_works() -> None:
    trial = standing(Trial())
    trial.robot.faults = FAULTS["nothing works"]()
    trial.supervisor.close()
    assert trial.robot.log[-1] == "close"


def test_a_fault_half_way_down_ends_in_damping() -> None:
    trial = standing(Trial())
    ends_s = trial.clock.now() + 1.0

    def late(state: RobotState) -> RobotState:
        return with_value("velocities_rad_s", 0, 30.0)(state) if trial.clock.now() > ends_s else state

    trial.robot.faults = Faults(damage=late)
    trial.supervisor.close()
    assert trial.clock.now() < ends_s + 0.1 + LIMITS.sit_s
    assert list(trial.robot.log)[-4:] == ["write", "stop", "stop", "close"]


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def ending(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Each is a KeyboardInterrupt here, also where tests run in the background."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


def test_ctrl_c_while_parking_is_ignored_and_works_again_afterwards(ending: signal.Signals) -> None:
    trial = standing(Trial())
    sent = 0

    def impatient(state: RobotState) -> RobotState:
        nonlocal sent
        os.kill(os.getpid(), ending)
        sent += 1
        return state

    trial.robot.faults = Faults(damage=impatient)
    trial.supervisor.close()
    assert sent > 50
    np.testing.assert_allclose(trial.robot.written[-1].positions_rad, SIT_RAD)
    assert trial.robot.log[-1] == "close"
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), ending)


def test_any_other_interruption_still_releases_the_torque() -> None:
    trial = standing(Trial())

    def interrupted(_: RobotState) -> RobotState:
        raise KeyboardInterrupt

    trial.robot.faults = Faults(damage=interrupted)
    with pytest.raises(KeyboardInterrupt):
        trial.supervisor.close()
    assert list(trial.robot.log)[-2:] == ["stop", "close"]


def test_another_thread_may_park_it() -> None:
    trial = standing(Trial())
    thread = threading.Thread(target=trial.supervisor.close)
    thread.start()
    thread.join(60.0)
    assert trial.robot.log[-1] == "close"
    np.testing.assert_allclose(trial.robot.written[-1].positions_rad, SIT_RAD)
