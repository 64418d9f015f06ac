from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_adapt.config import validate
from robot_adapt.errors import UserError
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.repertoire import joining
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.members import Members
from tests.builders import policy_with_repertoire, shipped_policy
from tests.robot_adapt.repertoire.test_config import TINY_GROWTH

CONFIG = validate(TINY_GROWTH, RepertoireConfig, "tiny.yaml")
WITH_REPERTOIRE = policy_with_repertoire(20)


def grown(path: Path, seed: int, policy: LinearPolicy = WITH_REPERTOIRE, **changes: object) -> Path:
    """A policy file as a growth of that seed writes it; the repertoire means nothing."""
    config = {**CONFIG.model_dump(mode="json"), "seed": seed, **changes}
    how = {"config": config, "trials": 10 * seed, "specialists": [[0, "weak", 0.1, 0.2]]}
    policy_file.save(replace(policy, provenance={"repertoire": how}), path)
    return path


def test_members_join_but_the_meta_policy() -> None:
    one = Members(np.array([[0.0], [1.0], [-1.0]]), ("meta-policy", "weak", "weak"))
    other = Members(np.array([[0.0], [2.0], [-2.0]]), ("meta-policy", "slope", "slope"))
    both = one.joined([other])
    assert both.thetas.ravel().tolist() == [0.0, 1.0, -1.0, 2.0, -2.0]
    assert both.words == ("meta-policy", "weak", "weak", "slope", "slope")
    assert both.across.tolist() == [0, 2, 1, 4, 3]


def test_each_is_read_with_how_it_was_grown(tmp_path: Path) -> None:
    paths = [grown(tmp_path / f"{seed}.safetensors", seed) for seed in (2, 3)]
    found = joining.read(paths, CONFIG, shipped_policy())
    assert [(one.how["seed"], one.how["trials"]) for one in found] == [(2, 20), (3, 30)]
    assert all(len(one.members.thetas) == len(one.members.words) == 4 for one in found)


def test_what_would_make_nonsense_is_refused_by_name(tmp_path: Path) -> None:
    policy = shipped_policy()
    for path, why in (
        (grown(tmp_path / "same.safetensors", CONFIG.seed), "a growth with seed 1 is there already"),
        (grown(tmp_path / "other.safetensors", 2, trial_s=0.6), "not the growth of this config"),
        (grown(tmp_path / "bare.safetensors", 2, policy), "no repertoire around the policy"),
    ):
        with pytest.raises(UserError, match=f"{path}: {why}"):
            joining.read([path], CONFIG, policy)
    policy_file.save(replace(WITH_REPERTOIRE, provenance={}), unknown := tmp_path / "unknown.safetensors")
    with pytest.raises(UserError, match=f"{unknown}: provenance.repertoire.config: should be a mapping"):
        joining.read([unknown], CONFIG, policy)
    another = replace(policy, weights=policy.weights + 1.0)
    with pytest.raises(UserError, match=r"no repertoire around the policy that the config names, minitaur"):
        joining.read([grown(tmp_path / "around.safetensors", 2)], CONFIG, another)
    twice = grown(tmp_path / "twice.safetensors", 2)
    with pytest.raises(UserError, match=r"seed 2 is there already"):
        joining.read([twice, twice], CONFIG, policy)
