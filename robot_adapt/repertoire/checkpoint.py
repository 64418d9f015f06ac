"""A checkpoint of a repertoire's growth, written atomically after every stage; going on gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robot_adapt import checkpoint_file
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.growth import GrowthState
from robot_adapt.repertoire.members import Members

_FORMAT = "robot_adapt repertoire checkpoint 3"


def save(state: GrowthState, config: RepertoireConfig, policy: LinearPolicy, path: Path) -> None:
    """Writes the state, with the config and the policy that it belongs to."""
    values = {"stages": state.stages, "trials": state.trials, "words": state.members.words, "log": state.log}
    checkpoint_file.save(path, _FORMAT, _of(config, policy), {"members": state.members.thetas}, values)


def load(path: Path, config: RepertoireConfig, policy: LinearPolicy) -> GrowthState:
    """The state saved there. Raises UserError when the file is damaged or belongs to another config or policy."""
    arrays, values = checkpoint_file.load(path, _FORMAT, _of(config, policy))
    log = tuple((round_, family, before, after) for round_, family, before, after in values["log"])
    return GrowthState(values["stages"], values["trials"], Members(arrays["members"], tuple(values["words"])), log)


def _of(config: RepertoireConfig, policy: LinearPolicy) -> dict[str, Any]:
    return checkpoint_file.identity(config, config.robot.robot.body) | {"policy": policy_file.walk_sha256(policy)}
