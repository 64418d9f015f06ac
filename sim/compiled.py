"""numba's compiler, the one place that imports it."""

from __future__ import annotations

from hardware.types import RobotError

try:
    from numba import njit
except ImportError as error:
    raise RobotError("simulation needs numba: pip install 'robot-adapt[sim]'") from error

__all__ = ["njit"]
