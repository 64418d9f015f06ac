"""For any commands, at any times, to a robot that breaks in any way: what reaches it stays within limits.

`python -m tests.benchmarks.safety_million` sends a million.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import SearchStrategy

from hardware.types import FloatArray, JointCommand
from tests.hardware.unruly import FAULTS, Trial
from tests.hardware.witness import LIMITS, SPEC, Faults

N = len(SPEC.joints)
Step = Callable[[Trial], object]

any_number = st.floats(width=64, allow_nan=True, allow_infinity=True)
plausible_number = st.floats(-50.0, 50.0)


def rows(numbers: SearchStrategy[float]) -> SearchStrategy[FloatArray]:
    return arrays(np.float64, N, elements=numbers, fill=numbers)


wrong_sizes = arrays(np.float64, st.integers(0, 2 * N), elements=any_number, fill=any_number)
wrong_types = arrays(st.sampled_from(["f2", "f4", "i8", "u1", "?", "c8", "g", "U3", "O"]), N, fill=st.nothing())
any_row = st.one_of(rows(plausible_number), rows(any_number), wrong_sizes, wrong_types)
plausible_command = st.builds(JointCommand, *[rows(plausible_number)] * 5)
any_command = st.builds(JointCommand, *[any_row] * 5)
walking = st.builds(lambda offset: SPEC.position_command(SPEC.stance_rad + offset), rows(st.floats(-0.5, 0.5)))


def sent(command: JointCommand) -> Step:
    return lambda trial: trial.do(lambda: trial.supervisor.write(command))


def waited(duration_s: float) -> Step:
    return lambda trial: trial.clock.advance(duration_s)


def broken(fault: str) -> Step:
    return lambda trial: setattr(trial.robot, "faults", FAULTS[fault]())


any_step: SearchStrategy[Step] = st.one_of(
    st.one_of(walking, plausible_command, any_command).map(sent),
    st.just(lambda trial: trial.do(trial.supervisor.read)),
    st.one_of(st.just(0.02), st.floats(0.0, 0.05), st.floats(0.0, 100.0)).map(waited),
    st.sampled_from(sorted(FAULTS)).map(broken),
    st.sampled_from([
        lambda trial: trial.do(trial.supervisor.stop),
        lambda trial: trial.do(lambda: trial.supervisor.halt("enough")),
        Trial.rearm,
        Trial.reconnect,
    ]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(any_step, max_size=30))
def test_what_reaches_the_robot_stays_within_limits(steps: list[Step]) -> None:
    trial = Trial(replace(LIMITS, sit_s=0.1))
    for step in steps:
        step(trial)
    trial.do(trial.supervisor.close)
    assert trial.violations == []
    assert trial.robot.log[-1] == "close"


@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(plausible_command, min_size=1, max_size=20), st.sampled_from(sorted(FAULTS)))
def test_a_robot_that_works_again_walks_again(commands: list[JointCommand], fault: str) -> None:
    trial = Trial(replace(LIMITS, battery=None))
    trial.robot.faults = FAULTS[fault]()
    for command in commands:
        trial.do(trial.supervisor.read)
        trial.do(lambda command=command: trial.supervisor.write(command))  # type: ignore[misc]
        trial.clock.advance(0.02)
    trial.robot.faults = Faults()
    trial.clock.advance(0.1)
    trial.supervisor.stop()
    trial.supervisor.rearm()
    for _ in range(600):  # what was thrown may be tens of radians away
        last = trial.tick(SPEC.position_command(SPEC.stance_rad))
        if np.allclose(last.positions_rad, SPEC.stance_rad, rtol=0.0, atol=1e-6):
            break
    np.testing.assert_allclose(last.positions_rad, SPEC.stance_rad, atol=1e-6)
    assert trial.violations == []
