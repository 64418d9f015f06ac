from __future__ import annotations

from dataclasses import replace

import pytest

from robot_adapt.adapt.config import AdaptConfig, search_space
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.optim.space import Space
from tests.builders import shipped_policy

FULL = load(shipped("adapt", "minitaur.yaml"), AdaptConfig)
LEARNED = FULL.model_copy(update={"space": "learned"})


def test_all_weights_are_searched_unless_the_config_says_where() -> None:
    policy = replace(shipped_policy(), space=Space(150, 2.0))
    assert search_space(FULL, policy) is None
    assert search_space(LEARNED, policy) is policy.space


def test_a_policy_that_has_learned_no_space_is_refused_one() -> None:
    with pytest.raises(UserError, match="space: learned: this policy was not meta-trained where to search"):
        search_space(LEARNED, replace(shipped_policy(), space=None))
