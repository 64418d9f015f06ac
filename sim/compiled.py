"""numba's compiler, the one place that imports it."""

from __future__ import annotations

import ctypes
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

__all__ = ["Address", "Double", "Int", "Nothing", "address_of", "external", "link", "njit", "version_of"]

Address, Double, Int, Nothing = types.intp, types.float64, types.int32, types.void


def external(name: str, returns: types.Type, *arguments: types.Type) -> Any:
    """A C function by name; only compiled code can call it, and not before `link` found it."""
    return types.ExternalFunction(name, returns(*arguments))


def link(library: ctypes.CDLL, *functions: Any) -> bool:
    """Tells compiled code where a library has these external functions; False when it has not all of them."""
    if not all(hasattr(library, function.symbol) for function in functions):
        return False
    for function in functions:
        add_symbol(function.symbol, address_of(library, function.symbol))
    return True


def address_of(library: ctypes.CDLL, name: str) -> int:
    """Of a function that the library has."""
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


def version_of(*rooms: ModuleType) -> int:
    """Of these rooms' sources: for a compiled function that compiles them in to close over.

    numba compiles a cached function anew when the function's own file or what it closes over changed, and for nothing else.
    """
    sources = b"".join(Path(str(room.__file__)).read_bytes() for room in rooms)
    return int.from_bytes(hashlib.sha256(sources).digest()[:4], "big")
