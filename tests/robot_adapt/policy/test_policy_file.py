from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot_adapt import array_file
from robot_adapt.config import load, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.optim.space import Space
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.normalizer import Normalizer
from robot_adapt.repertoire.repertoire import Repertoire
from tests.builders import SPEC, shipped_policy


@pytest.fixture
def policy() -> LinearPolicy:
    return shipped_policy()


def written(tmp_path: Path, policy: LinearPolicy) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    path = tmp_path / "policy.safetensors"
    policy_file.save(policy, path)
    arrays, values, _ = array_file.read(path)
    return path, arrays, values


def rewritten(path: Path, arrays: dict[str, Any], values: dict[str, Any]) -> Path:
    array_file.write_atomically(path, array_file.encode(arrays, values))
    return path


def test_what_is_saved_is_loaded(tmp_path: Path, policy: LinearPolicy) -> None:
    path, _, _ = written(tmp_path, policy)
    loaded = policy_file.load(path)
    np.testing.assert_array_equal(loaded.weights, policy.weights)
    np.testing.assert_array_equal(loaded.normalizer.mean, policy.normalizer.mean)
    assert loaded.trot == policy.trot
    assert loaded.provenance == policy.provenance
    assert policy_file.sha256(loaded) == policy_file.sha256(policy)


def test_a_repertoire_travels_in_the_policy_s_file_and_counts_for_its_identity(tmp_path: Path, policy: LinearPolicy) -> None:
    theta = policy.parameters
    whole = Repertoire(np.vstack((theta, theta + 1.0)), np.eye(2), np.ones((2, 5)), 0.1, 150, ("meta-policy", "a"), ("a", "b"))
    path, arrays, values = written(tmp_path, replace(policy, repertoire=whole))
    loaded = policy_file.load(path)
    assert loaded.repertoire is not None
    np.testing.assert_array_equal(loaded.repertoire.members, whole.members)
    assert loaded.repertoire.member_words == whole.member_words
    assert policy_file.sha256(loaded) != policy_file.sha256(policy)
    assert loaded.with_parameters(theta).repertoire is None
    with pytest.raises(UserError, match="the array repertoire_traces is missing"):
        policy_file.load(rewritten(path, {k: v for k, v in arrays.items() if k != "repertoire_traces"}, values))
    with pytest.raises(UserError, match="first member"):
        policy_file.load(rewritten(path, {**arrays, "repertoire_members": whole.members + 1.0}, values))


def test_saving_again_gives_the_same_bytes_and_the_returned_sha(tmp_path: Path, policy: LinearPolicy) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert policy_file.save(policy, one) == policy_file.save(policy, two) == policy_file.sha256(policy)
    assert one.read_bytes() == two.read_bytes()


def test_the_file_says_names_order_units_and_scales(tmp_path: Path, policy: LinearPolicy) -> None:
    _, arrays, values = written(tmp_path, policy)
    assert values["robot"] == "minitaur"
    assert values["observations"][-8:] == list(SPEC.joint_names)
    assert len(values["observations"]) == len(values["observation_units"]) == arrays["mean"].size
    assert len(values["actions"]) == len(values["action_units"]) == len(values["action_scales"]) == len(arrays["weights"])
    assert values["provenance"]["config"]["seed"] == 1


def test_a_truncated_file_is_refused(tmp_path: Path, policy: LinearPolicy) -> None:
    path, _, _ = written(tmp_path, policy)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(UserError, match=r"policy\.safetensors: damaged, cut short"):
        policy_file.load(path)


@pytest.mark.parametrize("name", ["weights", "mean", "std"])
def test_a_value_that_is_not_finite_is_refused_naming_the_array(tmp_path: Path, policy: LinearPolicy, name: str) -> None:
    path, arrays, values = written(tmp_path, policy)
    arrays[name] = arrays[name].copy()
    arrays[name].flat[3] = np.nan
    with pytest.raises(UserError, match=rf"policy\.safetensors: policy {name} hold a value that is not finite"):
        policy_file.load(rewritten(path, arrays, values))


def test_a_missing_array_is_named(tmp_path: Path, policy: LinearPolicy) -> None:
    path, arrays, values = written(tmp_path, policy)
    del arrays["std"]
    with pytest.raises(UserError, match="the array std is missing"):
        policy_file.load(rewritten(path, arrays, values))


def test_weights_of_the_wrong_shape_are_refused(tmp_path: Path, policy: LinearPolicy) -> None:
    path, arrays, values = written(tmp_path, policy)
    arrays["weights"] = arrays["weights"][:, :-1]
    with pytest.raises(UserError, match=r"weights have shape \(10, 14\), should be \(10, 15\)"):
        policy_file.load(rewritten(path, arrays, values))


@pytest.mark.parametrize("shape", [(1,), (13,), ()])
def test_a_normalizer_of_the_wrong_shape_is_refused(tmp_path: Path, policy: LinearPolicy, shape: tuple[int, ...]) -> None:
    path, arrays, values = written(tmp_path, policy)
    arrays["std"] = np.ones(shape)
    with pytest.raises(UserError, match=r"mean and std have shapes \(14,\) and"):
        policy_file.load(rewritten(path, arrays, values))


def test_a_joint_of_a_leg_that_is_not_there_is_refused(tmp_path: Path, policy: LinearPolicy) -> None:
    path, arrays, values = written(tmp_path, policy)
    values["trot"]["joints"]["motor_front_leftL_joint"]["leg"] = 9
    with pytest.raises(UserError, match="trot: joint motor_front_leftL_joint is of leg 9, but there are 4 phase offsets"):
        policy_file.load(rewritten(path, arrays, values))


def test_an_array_file_that_is_no_policy_is_refused(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "other", {"x": np.zeros(1)}, {"format": "something else"})
    with pytest.raises(UserError, match="not a policy file"):
        policy_file.load(path)


@pytest.mark.parametrize("name", ["observations", "actions", "action_units", "action_scales"])
def test_names_units_or_scales_in_another_order_are_refused(tmp_path: Path, policy: LinearPolicy, name: str) -> None:
    path, arrays, values = written(tmp_path, policy)
    values[name] = list(reversed(values[name]))
    with pytest.raises(UserError, match="names, units or scales"):
        policy_file.load(rewritten(path, arrays, values))


def test_a_policy_for_another_robot_is_refused(policy: LinearPolicy) -> None:
    policy.check_fits(SPEC)
    with pytest.raises(UserError, match="for the robot minitaur, not for laikago"):
        policy.check_fits(replace(SPEC, name="laikago"))


def test_a_policy_for_another_joint_order_is_refused_naming_the_joint(policy: LinearPolicy) -> None:
    swapped = replace(SPEC, joints=(SPEC.joints[1], SPEC.joints[0], *SPEC.joints[2:]))
    with pytest.raises(UserError, match="differs at motor_front_leftL_joint"):
        policy.check_fits(swapped)
    with pytest.raises(UserError, match="the number of joints"):
        policy.check_fits(replace(SPEC, joints=SPEC.joints[:-1]))


@pytest.mark.parametrize("space", [Space(150, 0.5), Space(150, None, np.ones((150, 3)))])
def test_a_learned_space_travels_in_the_policy_s_file_and_outlives_adaptation(
    tmp_path: Path, policy: LinearPolicy, space: Space
) -> None:
    path, arrays, values = written(tmp_path, replace(policy, space=space))
    loaded = policy_file.load(path)
    assert loaded.space is not None
    z = np.random.default_rng(0).standard_normal((2, space.dimensions))
    np.testing.assert_array_equal(loaded.space.steps(z), space.steps(z))
    assert policy_file.sha256(loaded) != policy_file.sha256(policy)
    assert loaded.adapted(policy.parameters + 1.0, {}).space is loaded.space
    name = next(name for name in arrays if name.startswith("space_"))
    with pytest.raises(UserError, match=r"policy\.safetensors: the policy's space is of 149 parameters, it has 150"):
        policy_file.load(rewritten(path, {**arrays, name: arrays[name][:-1]}, values))
    with pytest.raises(UserError, match=r"policy\.safetensors: the space's"):
        policy_file.load(rewritten(path, {**arrays, name: np.ones((2, 2, 2))}, values))


def test_a_normalizer_that_would_divide_by_zero_is_refused(policy: LinearPolicy) -> None:
    std = policy.normalizer.std.copy()
    std[0] = 0.0
    with pytest.raises(UserError, match="std must be positive"):
        replace(policy, normalizer=Normalizer(policy.normalizer.mean, std))


@pytest.mark.parametrize("robot", ["minitaur", "laikago", "a1"])
def test_a_shipped_policy_says_that_it_is_the_product_of_the_committed_config(robot: str) -> None:
    config = load(shipped("meta_train", f"{robot}.yaml"), MetaTrainConfig)
    provenance = shipped_policy(robot).provenance
    assert validate(provenance["config"], MetaTrainConfig, "policy") == config
    assert provenance["iterations"] == config.plan.iterations
