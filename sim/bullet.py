"""PyBullet itself: the one import of it, its clients, its window. What is in a client is sim.world's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from hardware.types import RobotError

__all__ = ["close_client", "open_client", "open_window", "pybullet", "silent"]


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """PyBullet tells C's standard output and error when it was built and what it merges; that is no news."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    with Path(os.devnull).open("w") as null:
        try:
            os.dup2(null.fileno(), 1)
            os.dup2(null.fileno(), 2)
            yield
        finally:
            ctypes.CDLL(None).fflush(None)
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


try:
    with silent():
        import pybullet
except ImportError as error:
    raise RobotError("simulation needs PyBullet: pip install 'robot-adapt[sim]'") from error


# PyBullet has one window in a process, and does not survive a second one: the next world takes over the window of the last.
_window: int = -1


def open_window() -> int:
    """An empty window. Raises RobotError where there is no display: PyBullet would end the process."""
    global _window
    if pybullet.isConnected(_window):
        pybullet.resetSimulation(physicsClientId=_window)
        return _window
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        raise RobotError("a window needs a display and libX11: leave out --gui") from None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    if display is None:
        shown = os.environ.get("DISPLAY")
        raise RobotError(f"no window: {f'the display {shown} does not answer' if shown else 'there is no DISPLAY'}")
    x11.XSetIOErrorHandler(_end_quietly)
    with silent():
        _window = pybullet.connect(pybullet.GUI)
    x11.XCloseDisplay(display)  # not before: Xvfb starts anew when its last client goes
    pybullet.configureDebugVisualizer(pybullet.COV_ENABLE_GUI, 0, physicsClientId=_window)
    return _window


# PyBullet does not ask to be told when its window is closed: X ends the connection, and this handler may not return.
_end_quietly = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda _: os._exit(0))


# A client costs 20 ms to connect and to fill for the first time, an emptied one 1 ms.
_emptied: list[int] = []
_MOST_EMPTIED = 4


def open_client() -> int:
    """An empty client without a window; negative when there is no room for another."""
    if _emptied:
        return _emptied.pop()
    client: int = pybullet.connect(pybullet.DIRECT)
    if client >= 0:
        _empty(client)
    return client


def close_client(client: int) -> None:
    """Of either kind."""
    if client == _window:
        if pybullet.isConnected(client):
            with silent():
                pybullet.disconnect(physicsClientId=client)
    elif len(_emptied) < _MOST_EMPTIED:
        _empty(client)
        _emptied.append(client)
    else:
        pybullet.disconnect(physicsClientId=client)


def _empty(client: int) -> None:
    """Pairs that may touch are then looked for one by one: for a robot's few links a tree costs a tenth of a step."""
    pybullet.resetSimulation(pybullet.RESET_USE_SIMPLE_BROADPHASE, client)
