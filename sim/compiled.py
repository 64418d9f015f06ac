"""numba's compiler, the one place that imports it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

from hardware.types import RobotError

try:
    from llvmlite.binding import add_symbol
    from numba import njit, types
except ImportError as error:
    raise RobotError("simulation needs numba: pip install 'robot-adapt[sim]'") from error

__all__ = ["Address", "Double", "Int", "Nothing", "add_symbol", "external", "njit", "version_of"]

Address, Double, Int, Nothing = types.intp, types.float64, types.int32, types.void


def external(name: str, returns: types.Type, *arguments: types.Type) -> Any:
    """A C function by name; only compiled code can call it, and not before `add_symbol` told where it is."""
    return types.ExternalFunction(name, returns(*arguments))


def version_of(*rooms: ModuleType) -> int:
    """Of these rooms' sources: for a compiled function that compiles them in to close over.

    numba compiles a cached function anew when the function's own file or what it closes over changed, and for nothing else.
    """
    sources = b"".join(Path(str(room.__file__)).read_bytes() for room in rooms)
    return int.from_bytes(hashlib.sha256(sources).digest()[:4], "big")
