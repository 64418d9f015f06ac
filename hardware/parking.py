"""Parking: what happens once, slowly and to the end before a robot's torque goes off; and the ramp, which also gets it up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from hardware.types import FloatArray

PERIOD_S = 0.02
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C is ignored meanwhile: the second one of an impatient operator would drop the robot that the first one stopped.

    So are SIGTERM and a lost terminal. Does nothing outside the main thread, which is the one that Ctrl-C interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {ending: signal.signal(ending, signal.SIG_IGN) for ending in _ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            if handler is not None:  # None is a handler that was not installed by Python
                signal.signal(ending, handler)


def ramp(start_rad: FloatArray, end_rad: FloatArray, duration_s: float) -> Iterator[FloatArray]:
    """Poses every PERIOD_S on the straight line from start to end; the last one is the end."""
    steps = max(1, round(duration_s / PERIOD_S))
    for step in range(1, steps + 1):
        yield start_rad + step / steps * (end_rad - start_rad)
