from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from robot_adapt.config import load, shipped
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.policy import policy_file
from robot_adapt.repertoire.config import RepertoireConfig, RoundConfig
from robot_adapt.repertoire.growth import Growth, GrowthState
from robot_adapt.repertoire.members import Members
from robot_adapt.repertoire.mirror import mirror_of


@pytest.mark.parametrize("name", ["minitaur", "laikago", "a1"])
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


@pytest.mark.parametrize(("name", "family"), [("minitaur", "dead_motor"), ("laikago", "mass_voltage"), ("a1", "mass_voltage")])
def test_the_shipped_specialists_began_on_the_tasks_that_the_shipped_config_draws(name: str, family: str) -> None:
    policy = policy_file.load(shipped("policies", f"{name}.safetensors"))
    config = load(shipped("repertoire", f"{name}.yaml"), RepertoireConfig)
    assert policy.repertoire is not None
    assert config.generalists is not None
    known = 1 + 2 * len(config.generalists.worlds)
    generalists = Members(policy.repertoire.members[:known], policy.repertoire.member_words[:known])
    hardly = config.specialist.model_copy(update={"iterations": 1, "pairs": 1})  # what it began with does not depend on it
    briefly = config.model_copy(update={"rounds": (RoundConfig(candidates=3, specialists=3),), "specialist": hardly})
    growth = Growth(briefly, replace(policy, repertoire=None), InProcessExecutor())
    (began,) = (before for _, word, before, _ in growth.grow(GrowthState(0, 0, generalists, ())).log if word == family)
    shipped_log = policy.provenance["repertoire"]["specialists"]
    assert began in [before for index, word, before, _ in shipped_log if (index, word) == (0, family)]
