"""Named arrays and plain JSON in one safe file (safetensors): written atomically, sealed with a SHA-256, never pickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from robot_adapt.errors import Absent, UserError

Arrays = Mapping[str, NDArray[Any]]
_KEY = "robot_adapt"


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or, after a crash at any instant, the one before: write aside, sync, rename, sync the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".partial")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def digest(arrays: Arrays, values: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over values, their order included, and arrays by name."""
    sha = hashlib.sha256(json.dumps(values, allow_nan=False).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def encode(arrays: Arrays, values: Mapping[str, Any]) -> bytes:
    """The same arrays and values give the same bytes."""
    sealed = {"values": values, "sha256": digest(arrays, values)}
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    return save(ordered, metadata={_KEY: json.dumps(sealed, allow_nan=False)})


def decode(data: bytes, where: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
    """Arrays, values and their SHA-256. Raises UserError, beginning with `where`, for anything but an intact file."""
    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        sealed = json.loads(header["__metadata__"][_KEY])
        values, sha256 = sealed["values"], sealed["sha256"]
        intact = digest(arrays, values) == sha256
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise UserError(f"{where}: damaged, cut short, or not a file of this program") from None
    if not intact:
        raise UserError(f"{where}: the content does not match its SHA-256: damaged or edited")
    return arrays, values, sha256


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
    """`decode` of a file. Raises UserError naming the file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Absent(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return decode(data, str(path))
