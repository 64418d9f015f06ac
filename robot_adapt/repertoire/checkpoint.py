"""A checkpoint of a repertoire's growth, written atomically after every stage; going on gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

from robot_adapt import array_file
from robot_adapt.errors import UserError
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.growth import GrowthState
from robot_adapt.repertoire.members import Members

_FORMAT = "robot_adapt repertoire checkpoint 2"


def save(state: GrowthState, config: RepertoireConfig, path: Path) -> None:
    """Writes the state, with the config it belongs to."""
    values = {
        "format": _FORMAT,
        "config": config.model_dump(mode="json"),
        "stages": state.stages,
        "trials": state.trials,
        "words": state.members.words,
        "log": state.log,
    }
    array_file.write_atomically(path, array_file.encode({"members": state.members.thetas}, values))


def load(path: Path, config: RepertoireConfig) -> GrowthState:
    """The state saved there. Raises UserError when the file is damaged or belongs to another config."""
    arrays, values, _ = array_file.read(path)
    if values.get("format") != _FORMAT:
        raise UserError(f"{path}: not a checkpoint of this version ({_FORMAT})")
    if values["config"] != json.loads(json.dumps(config.model_dump(mode="json"))):
        raise UserError(f"{path}: a checkpoint of another config: give --out another folder, or remove it")
    log = tuple((round_, family, before, after) for round_, family, before, after in values["log"])
    return GrowthState(values["stages"], values["trials"], Members(arrays["members"], tuple(values["words"])), log)
