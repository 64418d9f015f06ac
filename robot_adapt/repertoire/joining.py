"""Growths that differ in the seed only, whose members make one repertoire: what one of them did not find, another may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot_adapt.config import validate
from robot_adapt.errors import UserError
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.members import Members


@dataclass(frozen=True)
class Grown:
    """What another growth gives: its members, and for the provenance its seed, trials and log."""

    members: Members
    how: dict[str, Any]


def read(paths: Sequence[Path], config: RepertoireConfig, policy: LinearPolicy) -> list[Grown]:
    """Of policy files that `config` grew around `policy` with other seeds. Raises UserError naming the first that is none."""
    seeds = {config.seed}
    found = []
    for path in paths:
        grown = policy_file.load(path)
        how = grown.provenance.get("repertoire", {})
        if grown.repertoire is None or policy_file.walk_sha256(grown) != policy_file.walk_sha256(policy):
            raise UserError(f"{path}: no repertoire around the policy that the config names, {config.policy}")
        other = validate(how.get("config"), RepertoireConfig, f"{path}: provenance.repertoire.config")
        if other.model_copy(update={"seed": config.seed}) != config or "joined" in how:
            raise UserError(f"{path}: not the growth of this config with another seed")
        if other.seed in seeds:
            raise UserError(f"{path}: a growth with seed {other.seed} is there already")
        seeds.add(other.seed)
        members = Members(grown.repertoire.members, grown.repertoire.member_words)
        found.append(Grown(members, {"seed": other.seed, "trials": how["trials"], "specialists": how["specialists"]}))
    return found
