"""What every Executor does, over all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.types import RobotError, RobotFault
from robot_adapt.errors import UserError
from robot_adapt.meta.executors import Executor, Failure
from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor


def square(number: int) -> int:
    if number == 3:
        raise ValueError("three is\nout of order")
    return number * number


def process_id(_: int) -> int:
    return os.getpid()


def blame(number: int) -> int:
    raise {1: UserError, 2: RobotError, 3: RobotFault}[number](f"number {number}")


def die(number: int) -> int:
    if number == 1:
        os._exit(9)
    return number


@pytest.fixture(scope="module", params=["in_process", "local_processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made: Executor = InProcessExecutor() if request.param == "in_process" else LocalProcessesExecutor(2)
    yield made
    made.close()
    made.close()


def test_every_id_comes_back_once_with_its_own_result(executor: Executor) -> None:
    results = list(executor.map(square, {10 * n: n for n in range(3)}))
    assert sorted(results) == [(0, 0), (10, 1), (20, 4)]


def test_a_failure_is_a_value_of_one_line_and_the_others_are_unharmed(executor: Executor) -> None:
    results = dict(executor.map(square, {n: n for n in range(5)}))
    assert results[3] == Failure("ValueError: three is out of order")
    assert [results[n] for n in (0, 1, 2, 4)] == [0, 1, 4, 16]


@pytest.mark.parametrize(("number", "error"), [(1, UserError), (2, RobotError)])
def test_what_a_person_has_to_mend_is_raised(executor: Executor, number: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"number {number}"):
        list(executor.map(blame, {0: number}))


def test_a_robot_s_fault_is_a_failure(executor: Executor) -> None:
    assert dict(executor.map(blame, {0: 3})) == {0: Failure("RobotFault: number 3")}


def test_no_work_gives_no_results(executor: Executor) -> None:
    assert dict(executor.map(square, {})) == {}


def test_what_kills_its_process_fails_alone_and_the_next_map_works() -> None:
    executor = LocalProcessesExecutor(2)
    try:
        results = dict(executor.map(die, {n: n for n in range(8)}))
        assert isinstance(results.pop(1), Failure)
        assert results == {n: n for n in range(8) if n != 1}
        assert dict(executor.map(square, {0: 2})) == {0: 4}
    finally:
        executor.close()


def test_a_process_killed_between_two_maps_costs_nothing() -> None:
    executor = LocalProcessesExecutor(1)
    try:
        (pid,) = dict(executor.map(process_id, {0: 0})).values()
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        for _ in range(2):
            assert dict(executor.map(square, {n: n for n in range(3)})) == {0: 0, 1: 1, 2: 4}
    finally:
        executor.close()


def test_workers_end_when_their_parent_is_killed() -> None:
    """Two of them: each holds the other's pipe open, so neither sees the parent's end by itself."""
    code = (
        "import os, time; from robot_adapt.meta.executors.local import LocalProcessesExecutor;"
        "from tests.contracts.test_executor import process_id;"
        "executor = LocalProcessesExecutor(2); list(executor.map(process_id, {n: n for n in range(50)}));"
        "print(open(f'/proc/self/task/{os.getpid()}/children').read(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [Path("/proc") / pid for pid in parent.stdout.readline().split()]
        assert len(children) >= 2
        parent.kill()
    deadline = time.monotonic() + 20.0
    while any(child.is_dir() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if child.is_dir()]


def test_closed_in_the_middle_of_work_it_lets_its_process_end() -> None:
    """What would take ten minutes is not waited for, nor are those in the queue."""
    code = (
        "import time; from robot_adapt.meta.executors.local import LocalProcessesExecutor;"
        "executor = LocalProcessesExecutor(2);"
        "print(next(executor.map(time.sleep, {0: 0.0, **dict.fromkeys(range(1, 9), 600.0)}))); executor.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(0, None)\n", "")
