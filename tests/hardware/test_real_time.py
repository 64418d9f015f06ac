from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys
import threading
from pathlib import Path

import pytest

import hardware.real_time
from hardware.real_time import real_time

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="real-time scheduling is Linux's")


def timer_slack_ns() -> int:
    return int(ctypes.CDLL(None).prctl(30, 0, 0, 0, 0))


def locked_kib() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmLck:"))


def machine() -> tuple[object, ...]:
    """All that real_time changes."""
    return os.sched_getscheduler(0), timer_slack_ns(), sys.getswitchinterval(), locked_kib() > 0, gc.get_freeze_count() > 0


def test_everything_is_as_before_on_the_way_out_also_after_an_error() -> None:
    before, inside = machine(), []
    with contextlib.suppress(KeyError), real_time(lambda _: None):
        inside.append(machine())
        raise KeyError
    assert inside != [before]
    assert machine() == before


def test_timers_and_the_interpreter_are_precise_without_any_privilege() -> None:
    with real_time(lambda _: None):
        assert timer_slack_ns() <= 1
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        assert gc.get_freeze_count() > 0


def test_what_is_not_allowed_is_said_in_a_line_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65536, 65536))
    monkeypatch.setattr(hardware.real_time, "_capable", lambda _: False)
    said: list[str] = []
    with real_time(said.append):
        assert locked_kib() == 0
    assert [line.partition(",")[0] for line in said] == ["real-time scheduling is not allowed", "memory may not be locked"]
    assert all("/etc/security/limits.conf" in line and "\n" not in line for line in said)


def test_each_privilege_is_either_had_or_missed_in_words() -> None:
    said: list[str] = []
    with real_time(said.append):
        first = os.sched_getscheduler(0) & os.SCHED_FIFO != 0
        locked = locked_kib() > 0
    assert first != any("scheduling" in line for line in said)
    assert locked != any("memory" in line for line in said)


def test_threads_started_by_a_real_time_one_are_ordinary() -> None:
    seen: list[int] = []
    with real_time(lambda _: None):
        thread = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
    assert seen == [os.SCHED_OTHER]
