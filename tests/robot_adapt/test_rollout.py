from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.mock import MockRobot
from hardware.types import FloatArray, ImuReading, RobotState
from robot_adapt.backends import Rig
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status, Trial
from tests.builders import SPEC, ConstantReturn, mock_rig, shipped_policy

POLICY = shipped_policy()


def run(rig: Rig, duration_s: float = 0.4, on_tick: Callable[[int], None] = lambda _: None) -> Trial:
    return rollout(rig.robot, rig.clock, POLICY, rig.returns, duration_s, on_tick)


def stopped(rig: Rig) -> bool:
    """Is the mock damping: does it ignore where its joints should be?"""
    assert isinstance(rig.robot, MockRobot)
    return not rig.robot._command.kp_nm_per_rad.any()


def test_a_trial_has_one_row_a_control_tick() -> None:
    trial = run(mock_rig(0.7))
    assert (trial.status, trial.value, trial.missed_ticks) == (Status.COMPLETED, 0.7, 0)
    assert trial.duration_s == pytest.approx(0.4)
    assert {name: len(rows) for name, rows in trial.telemetry.items()} == dict.fromkeys(trial.telemetry, 20)
    assert trial.observations.shape == (20, 14)


def test_the_robot_is_stopped_before_anybody_is_asked_for_the_return() -> None:
    rig = mock_rig()
    seen: list[bool] = []
    rig = replace(rig, returns=ConstantReturn(0.5, lambda: seen.append(stopped(rig))))
    run(rig)
    assert seen == [True]


def test_deadlines_that_have_passed_are_skipped_not_made_up_for() -> None:
    rig = mock_rig()
    clock = rig.clock
    assert isinstance(clock, FakeClock)
    ticks: list[int] = []

    def slow_once(tick: int) -> None:
        ticks.append(tick)
        if tick == 3:
            clock.advance(0.05)

    trial = run(rig, on_tick=slow_once)
    assert ticks[:6] == [0, 1, 2, 3, 6, 7]
    assert trial.missed_ticks == 2
    assert trial.duration_s == pytest.approx(0.4)


def test_how_late_each_tick_began_is_kept() -> None:
    rig = mock_rig()
    clock = rig.clock
    assert isinstance(clock, FakeClock)
    sleep_until = clock.sleep_until
    naps = iter([0.0, 0.003, 0.0, 0.007])

    def oversleep(deadline_s: float) -> None:
        sleep_until(deadline_s)
        clock.advance(next(naps, 0.0))

    clock.sleep_until = oversleep  # type: ignore[method-assign]
    late_s = run(rig).telemetry["late_s"]
    assert late_s.shape == (20, 1)
    np.testing.assert_allclose(late_s[:6, 0], [0.0, 0.0, 0.003, 0.0, 0.007, 0.0], atol=1e-6)


def test_after_a_skip_the_gait_is_where_time_says_it_is() -> None:
    bare = replace(POLICY, weights=np.zeros_like(POLICY.weights))

    def targets(late_at: int) -> FloatArray:
        rig = mock_rig()
        clock = rig.clock
        assert isinstance(clock, FakeClock)

        def on_tick(tick: int) -> None:
            clock.advance(0.05 if tick == late_at else 0.0)

        return np.array(rollout(rig.robot, clock, bare, rig.returns, 0.4, on_tick).telemetry["target_rad"])

    skipped, whole = targets(late_at=3), targets(late_at=-1)
    np.testing.assert_allclose(skipped[4:], whole[6:], atol=1e-6)


def test_a_fault_aborts_the_trial_says_why_and_stops_the_robot() -> None:
    reads = iter(range(100))
    rig = mock_rig(fault=lambda: "motor 3 does not answer" if next(reads) > 4 else None)
    trial = run(rig)
    assert (trial.status, trial.value) == (Status.ABORTED, None)
    assert trial.reason == "minitaur: motor 3 does not answer"
    assert stopped(rig)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_return_that_is_no_number_aborts_the_trial(value: float) -> None:
    rig = mock_rig(value)
    trial = run(rig)
    assert (trial.status, trial.value) == (Status.ABORTED, None)
    assert trial.reason == f"the return from constant is {value}, not a number"
    assert stopped(rig)


class Tilting:
    """A mock that falls over, or whose IMU breaks, after some reads."""

    def __init__(self, inner: MockRobot, tilt_rad: float) -> None:
        self._inner, self._tilt_rad, self._reads = inner, tilt_rad, 0
        self.spec, self.write, self.stop = inner.spec, inner.write, inner.stop
        self.connect, self.close = inner.connect, inner.close

    def read(self) -> RobotState:
        self._reads += 1
        half = self._tilt_rad / 2 if self._reads > 5 else 0.0
        imu = ImuReading(np.array([math.cos(half), math.sin(half), 0.0, 0.0]), np.zeros(3))
        return replace(self._inner.read(), imu=imu)


def tilting_rig(tilt_rad: float) -> Rig:
    rig = mock_rig(0.3)
    assert isinstance(rig.robot, MockRobot)
    return replace(rig, robot=Tilting(rig.robot, tilt_rad))


def test_the_targets_kept_are_those_sent_not_those_asked_for() -> None:
    weights = np.zeros_like(POLICY.weights)
    weights[POLICY.action_names.index("extension_0"), -1] = 1.0
    narrow = replace(SPEC, joints=tuple(replace(j, upper_rad=j.stance_rad + 0.1) for j in SPEC.joints))
    clock = FakeClock()
    robot = MockRobot(narrow, clock)
    robot.connect()
    kept = rollout(robot, clock, replace(POLICY, weights=weights), ConstantReturn(), 0.4).telemetry["target_rad"]
    assert kept.max() == pytest.approx(narrow.joints[0].upper_rad, abs=1e-6)


def test_a_fall_ends_the_trial_and_keeps_its_return() -> None:
    trial = run(tilting_rig(0.8))
    assert (trial.status, trial.value) == (Status.FELL, 0.3)
    assert trial.reason == "tilted 46 degrees"
    assert trial.duration_s == pytest.approx(0.1)


def test_an_imu_that_gives_nan_moves_nothing_and_aborts() -> None:
    trial = run(tilting_rig(math.nan))
    assert trial.status is Status.ABORTED
    assert trial.reason == "minitaur: roll is not finite"
    assert len(trial.telemetry["target_rad"]) == 5


def test_ctrl_c_stops_the_robot_on_its_way_out() -> None:
    rig = mock_rig()

    def interrupt(tick: int) -> None:
        if tick == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(rig, on_tick=interrupt)
    assert stopped(rig)


def test_an_operator_who_is_asked_for_the_return_finds_the_robot_where_it_ended() -> None:
    rig = mock_rig()
    asked: list[float] = []
    rig = replace(rig, returns=ConstantReturn(0.5, lambda: asked.append(rig.clock.now())))
    run(rig)
    assert asked == [pytest.approx(0.4)]


def test_the_spec_s_damping_is_what_stop_means() -> None:
    command = SPEC.damping_command()
    assert not command.kp_nm_per_rad.any()
    assert command.kd_nm_s_per_rad.all()
