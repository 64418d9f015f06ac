from __future__ import annotations

import pytest

from robot_adapt.config import read_yaml, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig


def test_nothing_is_trained_on_what_stands_for_reality() -> None:
    values = {**read_yaml(shipped("meta_train", "minitaur.yaml")), "robot": "minitaur_mujoco"}
    with pytest.raises(UserError, match=r"train\.yaml: .*robot: engine mujoco stands for reality: nothing is trained on it"):
        validate(values, MetaTrainConfig, "train.yaml")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"period_s": 0.001}, r"period_s 0\.001 is shorter than the physics' step of 0\.004"),
        ({"trial_s": 0.01}, r"trial_s 0\.01 is shorter than period_s 0\.02"),
        (
            {"robot": {**read_yaml(shipped("rigs", "minitaur_training.yaml")), "later": {"after_s": 3, "hobble": "weak_leg"}}},
            r"robot\.later\.after_s 3\.0 is no earlier than a trial's end, trial_s 3\.0",
        ),
    ],
)
def test_what_would_never_happen_in_a_trial_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(UserError, match=rf"train\.yaml: .*{why}"):
        validate({**read_yaml(shipped("meta_train", "minitaur.yaml")), **changes}, MetaTrainConfig, "train.yaml")
