"""Real time on an ordinary Linux: what a control loop asks of the machine, and a line for each thing it does not get."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_PRIORITY = 50
# How long a thread that computes in Python may keep the interpreter from the control loop; Python's own default is 5 ms.
_SWITCH_S = 0.0005
_TIMER_SLACK_NS = 1
# linux/prctl.h, bits/mman.h, linux/capability.h
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
_MCL_CURRENT, _MCL_FUTURE = 1, 2
_CAP_IPC_LOCK = 14


@contextlib.contextmanager
def real_time(say: Callable[[str], None]) -> Iterator[None]:
    """Makes the calling thread a real-time one; all is as before on the way out.

    Without privileges: precise timers, an interpreter that changes threads faster, and what is in memory now kept out of the
    garbage collector's way. Where allowed: SCHED_FIFO for this thread (those it starts are ordinary ones) and memory locked.
    `say` gets a line for each thing that is not allowed, with what to do. Never raises for one.
    """
    with contextlib.ExitStack() as undo:
        undo.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        gc.collect()
        gc.freeze()
        undo.callback(gc.unfreeze)
        if sys.platform == "linux":
            _precise_timers(undo)
            for refusal in (_first_in_line(undo), _locked_memory(undo)):
                if refusal is not None:
                    say(refusal)
        else:
            say(f"real-time scheduling is for Linux, not for {sys.platform}: ticks may be late")
        yield


def _precise_timers(undo: contextlib.ExitStack) -> None:
    """Sleeps of an ordinary thread end up to 50 us late on purpose, to save power; see prctl(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    before_ns = libc.prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
    if before_ns > 0 and libc.prctl(_PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0) == 0:
        undo.callback(libc.prctl, _PR_SET_TIMERSLACK, before_ns, 0, 0, 0)


def _first_in_line(undo: contextlib.ExitStack) -> str | None:
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
    except OSError:
        return (
            "real-time scheduling is not allowed, ticks may be late: put `@realtime - rtprio 50` into "
            "/etc/security/limits.conf, the user into the group realtime, and log in again"
        )
    undo.callback(os.sched_setscheduler, 0, policy, parameters)
    return None


def _locked_memory(undo: contextlib.ExitStack) -> str | None:
    """Locks all memory, also what is to come; under a limit that would make a later allocation fail, so nothing is locked."""
    libc = ctypes.CDLL(None, use_errno=True)
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    allowed = limit == resource.RLIM_INFINITY or _capable(_CAP_IPC_LOCK)
    if not allowed or libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        return (
            "memory may not be locked, a page fault may delay a tick: put `@realtime - memlock unlimited` into "
            "/etc/security/limits.conf, the user into the group realtime, and log in again"
        )
    undo.callback(libc.munlockall)
    return None


def _capable(capability: int) -> bool:
    """Has this process got a capability? See capabilities(7)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> capability & 1)
