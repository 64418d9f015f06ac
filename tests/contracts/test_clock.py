"""What every Clock does, over all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hardware.clock import Clock, FakeClock, MonotonicClock
from robot_adapt.backends import simulated_rig
from tests.builders import simulated_config


@pytest.fixture(params=["monotonic", "fake", "simulated"])
def clock(request: pytest.FixtureRequest) -> Iterator[Clock]:
    if request.param == "simulated":
        rig, _ = simulated_rig(simulated_config("minitaur_training"))
        rig.robot.connect()
        yield rig.clock
        rig.robot.close()
    else:
        yield MonotonicClock() if request.param == "monotonic" else FakeClock()


def test_it_sleeps_until_the_deadline(clock: Clock) -> None:
    deadline = clock.now() + 0.02
    clock.sleep_until(deadline)
    assert clock.now() >= deadline - 1e-9


def test_a_deadline_that_has_passed_costs_nothing_and_time_never_goes_back(clock: Clock) -> None:
    clock.sleep_until(clock.now() + 0.02)
    before = clock.now()
    clock.sleep_until(before - 1.0)
    assert before <= clock.now() < before + 0.5


def test_absolute_deadlines_do_not_drift(clock: Clock) -> None:
    start = clock.now()
    for tick in range(1, 11):
        clock.sleep_until(start + tick * 0.005)
    assert clock.now() - start >= 0.05 - 1e-9
