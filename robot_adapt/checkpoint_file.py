"""A checkpoint of a long command: arrays and plain values in one safe file, with what they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from robot_adapt import array_file
from robot_adapt.array_file import Arrays
from robot_adapt.errors import UserError
from sim.robots.body import Body


def identity(config: BaseModel, body: Body) -> dict[str, Any]:
    """What every checkpoint belongs to: its config, and the URDF as it is now; others add the policy it began with."""
    return {"config": config.model_dump(mode="json"), "URDF": body.urdf_sha256}


def save(path: Path, format_: str, of: Mapping[str, Any], arrays: Arrays, values: Mapping[str, Any]) -> None:
    """Writes it atomically. `of` is what it belongs to, by its name in words; plain JSON values, as all others."""
    array_file.write_atomically(path, array_file.encode(arrays, {"format": format_, "of": dict(of), **values}))


def load(path: Path, format_: str, of: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and values. Raises UserError when the file is damaged, of another version or belongs to something else."""
    arrays, values, _ = array_file.read(path)
    if values.get("format") != format_:
        raise UserError(f"{path}: not a checkpoint of this version ({format_})")
    for name, ours in json.loads(json.dumps(dict(of))).items():
        if values["of"].get(name) != ours:
            raise UserError(f"{path}: a checkpoint of another {name}: give --out another folder, or remove it")
    return arrays, values
