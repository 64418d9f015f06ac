from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from robot_adapt import config as configs
from robot_adapt.baselines import behaviour_map
from robot_adapt.baselines.behaviour_map import BehaviourMap
from robot_adapt.baselines.policy_gradient import PolicyGradientConfig
from robot_adapt.bench.config import RecoveryBenchConfig
from robot_adapt.bench.methods import absent, ready
from robot_adapt.bench.recovery import plan
from robot_adapt.bench.searches import MapSearch
from robot_adapt.errors import Absent, UserError
from tests.builders import shipped_policy
from tests.robot_adapt.bench.test_recovery import bench_config

BHC = {"policy": "minitaur", "operator": {"population": 1, "rounds": 2, "sigma": 0.02}}
CMA_ES = {
    "policy": "minitaur",
    "operator": {"kind": "cma_es", "population": 4, "rounds": 2, "sigma": 0.1},
    "from_scratch": True,
}
TRIAL_AND_ERROR = {"kind": "trial_and_error", "trials": 3}


def _config(**methods: object) -> RecoveryBenchConfig:
    return bench_config(methods={"BHC": BHC, **methods})


def _map(path: Path, weights: float = 0.0) -> str:
    theta = shipped_policy().parameters + weights
    behaviour_map.save(BehaviourMap(np.vstack((theta, theta + 0.01)), np.eye(2), np.array([1.0, 1.1]), 0.05), path)
    return str(path)


def test_a_method_from_scratch_has_no_weights_and_the_policy_s_normalizer() -> None:
    policy = ready(_config(CMA=CMA_ES), "CMA").policy
    assert not policy.parameters.any()
    np.testing.assert_array_equal(policy.normalizer.std, shipped_policy().normalizer.std)
    assert policy.repertoire is None


def test_a_method_from_scratch_is_not_zero_shot() -> None:
    config = _config(CMA=CMA_ES)
    assert [config.begins_from_start(label) for label in config.methods] == [True, False]
    with pytest.raises(UserError, match="no method begins from minitaur"):
        bench_config(methods={"CMA": CMA_ES})


def test_a_map_is_a_name_or_a_file_and_of_the_method_s_policy(tmp_path: Path) -> None:
    its_own, other = _map(tmp_path / "map.safetensors"), _map(tmp_path / "other.safetensors", 0.1)
    methods = {
        label: {"policy": "minitaur", "operator": {**TRIAL_AND_ERROR, "map": map_}}
        for label, map_ in (("IT", its_own), ("OTHER", other))
    }
    config = _config(**methods)
    search = ready(config, "IT").search
    assert isinstance(search, MapSearch)
    assert len(search.map.returns) == 2
    with pytest.raises(UserError, match=r"methods.OTHER: this behaviour map was made around another policy"):
        ready(config, "OTHER")


def test_a_policy_that_is_not_made_yet_is_named_with_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(late={"policy": "late", "operator": None})
    (tmp_path / "meta_train").mkdir()
    (tmp_path / "meta_train" / "late.yaml").touch()
    monkeypatch.setattr(configs, "_CONFIGS", tmp_path)
    reason = "configs/policies/late.safetensors is not made yet: robot-adapt meta-train configs/meta_train/late.yaml"
    assert absent(config, ["late"]) == {"late": f"methods.late: {reason} makes it in runs/: copy it"}


def test_a_policy_that_nothing_makes_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r"methods.late: no policies named late: there is") as error:
        absent(_config(late={"policy": "late", "operator": None}), ["late"])
    assert not isinstance(error.value, Absent)


def test_a_file_or_an_extra_that_is_not_there_leaves_out_its_method_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    nowhere = str(tmp_path / "none.safetensors")
    trial_and_error = {"policy": "minitaur", "operator": {**TRIAL_AND_ERROR, "map": nowhere}}
    config = _config(CMA=CMA_ES, IT=trial_and_error, DR={"policy": nowhere, "operator": None})
    reasons = absent(config, config.methods)
    assert list(reasons) == ["CMA", "IT", "DR"]
    assert "pip install 'robot-adapt[optim]'" in reasons["CMA"]
    assert reasons["IT"] == f"methods.IT: {nowhere}: no such file"
    assert {one.method for one in plan(config, ["oracle", "BHC"])} == {"oracle", "BHC"}
    with pytest.raises(Absent, match=r"methods.CMA: "):
        plan(config)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"policy": "minitaur", "operator": TRIAL_AND_ERROR}, "methods.late.operator.map is missing"),
        (
            {"policy": "minitaur", "operator": {"kind": "bhc", "population": 1, "rounds": 2, "sigma": 0.02, "map": "minitaur"}},
            "methods.late.operator.map",
        ),
        ({"policy": "minitaur", "operator": None, "space": "learned"}, "methods.late.space: this operator searches none"),
        ({"policy": "minitaur"}, "methods.late.operator is missing"),
        ({"policy": "minitaur", "operator": {"kind": "policy_gradient", "episodes": 1}}, "methods.late.operator.episodes: "),
        ({"policy": "minitaur", "operator": {"kind": "magic"}}, "methods.late.operator: kind should be repertoire"),
    ],
)
def test_a_method_that_does_not_hold_together_is_named_with_its_key(method: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        _config(late=method)


def test_quick_takes_a_step_up_the_policy_gradient() -> None:
    gradient = {"kind": "policy_gradient", "episodes": 20, "steps": 2, "std": 0.1, "alpha": 0.0001}
    quick = _config(PG={"policy": "minitaur", "operator": gradient}).quick()
    operator = quick.methods["PG"].operator
    assert isinstance(operator, PolicyGradientConfig)
    assert operator.episodes < quick.budgets[-1]
