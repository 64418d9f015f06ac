from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_adapt.config import shipped
from robot_adapt.errors import UserError
from robot_adapt.meta import checkpoint
from robot_adapt.meta.robot_arena import RobotArena
from robot_adapt.policy import policy_file
from tests.robot_adapt.meta.test_es_maml import TINY


def test_training_starts_from_a_policy_and_keeps_its_normalizer() -> None:
    config = TINY.model_copy(update={"start": "minitaur"})
    arena, policy = RobotArena(config), policy_file.load(shipped("policies", "minitaur.safetensors"))
    state = arena.start()
    np.testing.assert_array_equal(state.theta, policy.parameters)
    np.testing.assert_allclose(state.moments.normalizer().std, policy.normalizer.std, rtol=1e-12)
    made = arena.policy(state)
    assert made.provenance["start_sha256"] == policy_file.sha256(policy)
    assert made.provenance["config"]["start"] == "minitaur"


def test_a_start_of_another_robot_is_refused() -> None:
    config = TINY.model_copy(update={"start": str(shipped("policies", "laikago.safetensors"))})
    with pytest.raises(
        UserError, match=r"start: .*laikago\.safetensors: this policy is for the robot laikago, not for minitaur"
    ):
        RobotArena(config)


def test_a_start_of_another_control_period_is_refused() -> None:
    with pytest.raises(UserError, match=r"start: minitaur: this policy's control period is not that of this config"):
        RobotArena(TINY.model_copy(update={"start": "minitaur", "period_s": 0.01}))


def test_a_checkpoint_of_another_start_is_refused(tmp_path: Path) -> None:
    checkpoint.save(RobotArena(TINY).start(), TINY, tmp_path / "checkpoint", "one")
    with pytest.raises(UserError, match="a checkpoint of another start policy"):
        checkpoint.load(tmp_path / "checkpoint", TINY, "other")
