from __future__ import annotations

import pytest

from robot_adapt.config import read_yaml, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig


def test_nothing_is_trained_on_what_stands_for_reality() -> None:
    values = {**read_yaml(shipped("meta_train", "minitaur.yaml")), "robot": "minitaur_mujoco"}
    with pytest.raises(UserError, match=r"train\.yaml: .*robot: engine mujoco stands for reality: nothing is trained on it"):
        validate(values, MetaTrainConfig, "train.yaml")
