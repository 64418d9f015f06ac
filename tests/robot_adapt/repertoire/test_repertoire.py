from __future__ import annotations

import json

import numpy as np
import pytest

from robot_adapt.config import load, shipped
from robot_adapt.policy import policy_file
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.mirror import mirror_of


@pytest.mark.parametrize("name", ["minitaur", "laikago"])
def test_the_shipped_repertoire_is_the_product_of_the_shipped_config_around_the_shipped_policy(name: str) -> None:
    policy = policy_file.load(shipped("policies", f"{name}.safetensors"))
    config = load(shipped("repertoire", f"{name}.yaml"), RepertoireConfig)
    assert policy.repertoire is not None
    assert RepertoireConfig.model_validate_json(json.dumps(policy.provenance["repertoire"]["config"])) == config
    assert set(policy.repertoire.task_words) == set(config.families)
    mirror = mirror_of(config.robot.robot.body, config.robot.robot.trot)
    for one in range(1, len(policy.repertoire.members), 2):
        across = mirror.parameters(policy, policy.repertoire.members[one])
        np.testing.assert_allclose(across, policy.repertoire.members[one + 1], atol=1e-9)
