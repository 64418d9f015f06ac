from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from hardware.clock import FakeClock, MonotonicClock
from hardware.emulators.plant import Plant
from hardware.mock import MockRobot
from hardware.spec import RobotSpec
from hardware.types import RobotFault
from robot_adapt.backends import simulated_rig
from tests.builders import SPEC, simulated_config


def plant(spec: RobotSpec = SPEC) -> tuple[Plant, FakeClock, FakeClock]:
    """A plant of a mock Minitaur, its clock, and the wall's."""
    clock, wall = FakeClock(), FakeClock()
    return Plant(spec, MockRobot(SPEC, clock), clock, wall=wall), clock, wall


def test_the_physics_goes_on_with_the_wall_whether_anybody_looks_or_not() -> None:
    made, clock, wall = plant()
    begin_s = clock.now()
    wall.advance(0.05)
    assert made.state().time_s - begin_s == pytest.approx(0.05)
    wall.advance(0.02)
    assert made.state().time_s - begin_s == pytest.approx(0.07)


def test_a_state_is_read_at_most_once_a_millisecond() -> None:
    made, _, wall = plant()
    wall.advance(0.01)
    before = made.state()
    wall.advance(0.0009)
    assert made.state() is before
    wall.advance(0.0002)
    assert made.state() is not before


def test_left_alone_for_long_it_makes_up_for_a_little_only() -> None:
    made, clock, wall = plant()
    begin_s = clock.now()
    wall.advance(60.0)
    made.state()
    assert clock.now() - begin_s == pytest.approx(0.1)
    wall.advance(0.01)
    made.state()
    assert clock.now() - begin_s == pytest.approx(0.11)


def test_commands_and_states_are_in_the_angles_of_the_emulated_robot() -> None:
    joints = tuple(type(j)(**{**vars(j), "stance_rad": j.stance_rad + 0.3}) for j in SPEC.joints)
    other = RobotSpec("other", joints, SPEC.max_tilt_rad)
    made, _, wall = plant(other)
    np.testing.assert_allclose(made.state().positions_rad, other.stance_rad, atol=1e-9)
    made.command(other.position_command(other.stance_rad + 0.1))
    for _ in range(50):
        wall.advance(0.02)
        made.state()
    np.testing.assert_allclose(made.state().positions_rad, other.stance_rad + 0.1, atol=1e-3)


def test_a_body_with_other_joints_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 joints, minitaur has 8"):
        plant(RobotSpec("hopper", SPEC.joints[:1], 1.0))


def test_a_command_that_is_no_number_is_refused_and_moves_nothing() -> None:
    made, _, wall = plant()
    with pytest.raises(RobotFault, match="not finite"):
        made.command(SPEC.position_command(SPEC.stance_rad * np.nan))
    wall.advance(0.02)
    np.testing.assert_allclose(made.state().positions_rad, SPEC.stance_rad)


def test_what_is_done_between_costs_the_physics_no_time() -> None:
    made, clock, wall = plant()
    made.between(lambda: wall.advance(3.0))
    wall.advance(0.01)
    begin_s = clock.now()
    made.state()
    assert clock.now() - begin_s == pytest.approx(0.01)


def test_physics_that_fail_or_are_closed_stand_still_for_those_who_look() -> None:
    clock, wall = FakeClock(), FakeClock()
    ills: list[str] = []
    made = Plant(SPEC, MockRobot(SPEC, clock, lambda: ills[0] if ills else None), clock, wall=wall)
    before = made.state()
    ills.append("fell apart")
    wall.advance(0.02)
    assert made.state() is before
    ills.clear()
    wall.advance(0.02)
    after = made.state()
    assert after is not before
    made.close()
    made.close()
    wall.advance(0.02)
    made.command(SPEC.position_command(SPEC.stance_rad))
    assert made.state() is after


def test_a_robot_on_the_wall_clock_itself_is_read_anew() -> None:
    clock = MonotonicClock()
    made = Plant(SPEC, MockRobot(SPEC, clock), clock)
    before = made.state().time_s
    time.sleep(0.005)
    assert made.state().time_s > before


def test_threads_share_a_simulated_robot() -> None:
    rig, _ = simulated_rig(simulated_config("minitaur_training"))
    made = Plant(rig.robot.spec, rig.robot, rig.clock)
    failures: list[BaseException] = []

    def use() -> None:
        try:
            for _ in range(20):
                made.command(made.spec.position_command(made.spec.stance_rad))
                assert np.isfinite(made.state().positions_rad).all()
                time.sleep(0.001)
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    assert not failures
