from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hardware.types import FloatArray
from robot_adapt.baselines import behaviour_map
from robot_adapt.baselines.intelligent_trial_and_error import TrialAndError, TrialAndErrorConfig
from robot_adapt.baselines.map_elites import Behaviours, BehavioursItem, MapElites, MapElitesConfig, MapState, load, save
from robot_adapt.cli.main import app
from robot_adapt.config import load as load_config
from robot_adapt.config import shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.lane import Lane
from robot_adapt.meta.executors import Executor, Failure, Item, Result
from robot_adapt.meta.executors.local import InProcessExecutor
from tests.builders import shipped_policy, simulated_config, write_yaml

pytest.importorskip("ribs")

POLICY = shipped_policy()
VALUES = {
    "policy": "minitaur", "robot": "minitaur_training", "seed": 1, "trial_s": 0.2, "cells": 3, "generations": 2, "batch": 4,
    "iso_sigma": 0.1, "line_sigma": 0.2, "trials": 1, "fresh": 2,
}  # fmt: skip


def config(**changes: object) -> MapElitesConfig:
    return validate({**VALUES, **changes}, MapElitesConfig, "test.yaml")


class Plane:
    """An executor that runs no simulator: weights 0 to 3 are the duty factors but for an offset, weight 4 is the return."""

    def __init__(self, failing: int = -1) -> None:
        self.failing = failing
        self.tried: list[float] = []
        self.offsets: list[FloatArray] = []

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        for key, item in reversed(list(items.items())):
            assert isinstance(item, BehavioursItem)
            offset = item.thetas - POLICY.parameters
            self.tried += offset[:, 4].tolist()
            self.offsets.append(offset)
            returns = offset[:, 4:5] + np.linspace(0.0, 0.1, item.trials)
            result = Behaviours(returns, np.clip(0.5 + offset[:, :4], 0.0, 1.0))
            yield key, Failure("a power cut") if key == self.failing else result  # type: ignore[misc]

    def close(self) -> None: ...


def run(algorithm: MapElites, generations: int, state: MapState | None = None) -> MapState:
    state = algorithm.start() if state is None else state
    while state.generations < generations:
        state = algorithm.advance(state)
    return state


def cells(state: MapState) -> list[tuple[int, ...]]:
    return [tuple(one) for one in np.minimum((3 * state.descriptors).astype(int), 2).tolist()]


def test_every_cell_keeps_the_best_behaviour_that_fell_into_it() -> None:
    plane = Plane()
    algorithm, best = MapElites(config(batch=40), POLICY, plane), dict[tuple[int, ...], float]()
    state = algorithm.start()
    for _ in range(8):
        state = algorithm.advance(state)
        now = dict(zip(cells(state), state.returns.tolist(), strict=True))
        assert len(now) == len(state.returns)
        assert all(now[cell] >= value for cell, value in best.items())
        best = now
    assert state.trials == 8 * 40
    assert max(best.values()) == max(plane.tried)
    assert len(best) > 20


def test_the_first_generation_is_the_policy_and_what_is_around_it() -> None:
    plane = Plane()
    run(MapElites(config(batch=30), POLICY, plane), 1)
    assert plane.tried.count(0.0) == 1
    assert 0.03 < np.std(plane.tried) < 0.2


def test_what_is_reported_is_measured_afresh_the_policy_first() -> None:
    algorithm = MapElites(config(batch=30, fresh=3), POLICY, Plane())
    state = run(algorithm, 3)
    found = algorithm.finish(state)
    np.testing.assert_array_equal(found.behaviours[0], POLICY.parameters)
    np.testing.assert_array_equal(found.behaviours[1:], state.thetas)
    np.testing.assert_allclose(found.returns[1:], state.returns + 0.05)
    assert found.noise_sd == pytest.approx(0.05)
    assert found.provenance["trials"] == state.trials + 3 * (1 + len(state.returns))


def test_a_work_item_that_fails_costs_its_behaviours_only() -> None:
    algorithm = MapElites(config(batch=40), POLICY, Plane(failing=16))
    state = run(algorithm, 1)
    assert state.trials == 24
    np.testing.assert_allclose(state.returns, (state.thetas - POLICY.parameters)[:, 4])


def test_every_generation_has_chance_of_its_own() -> None:
    plane = Plane()
    run(MapElites(config(batch=16), POLICY, plane), 2)
    first, second = plane.offsets
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.2


def test_interrupted_and_resumed_it_comes_to_the_same_bytes(tmp_path: Path) -> None:
    settings = config(batch=20)
    straight = run(MapElites(settings, POLICY, Plane()), 4)
    save(run(MapElites(settings, POLICY, Plane()), 2), settings, POLICY, tmp_path / "checkpoint")
    resumed = run(MapElites(settings, POLICY, Plane()), 4, load(tmp_path / "checkpoint", settings, POLICY))
    for name in ("thetas", "descriptors", "returns"):
        np.testing.assert_array_equal(getattr(straight, name), getattr(resumed, name))
    with pytest.raises(UserError, match="another config"):
        load(tmp_path / "checkpoint", config(batch=21), POLICY)
    with pytest.raises(UserError, match="another policy"):
        load(tmp_path / "checkpoint", settings, POLICY.with_parameters(POLICY.parameters + 1.0))


def test_without_ribs_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ribs.archives", None)
    executor: Executor = InProcessExecutor()
    with pytest.raises(UserError, match=r"robot-adapt\[map-elites\]"):
        MapElites(config(), POLICY, executor)


def test_the_shipped_config_is_one() -> None:
    load_config(shipped("baselines", "minitaur_map_elites.yaml"), MapElitesConfig)


def test_nothing_is_made_on_what_stands_for_reality() -> None:
    with pytest.raises(UserError, match="mujoco"):
        config(robot="minitaur_mujoco")


def test_from_a_config_to_a_map_to_trial_and_error_on_a_hobbled_robot(tmp_path: Path) -> None:
    settings = write_yaml(tmp_path / "tiny.yaml", VALUES)
    arguments = ["map-elites", str(settings), "--out", str(tmp_path / "run"), "--processes", "0"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    path = tmp_path / "run" / "behaviours.safetensors"
    assert result.stdout.strip() == str(path)
    found = behaviour_map.load(path)
    found.check_fits(POLICY)
    assert len(found.returns) >= 2
    operator = TrialAndError(TrialAndErrorConfig(trials=3, alpha=None), found)
    rig = simulated_config("minitaur_training")
    weak = rig.model_copy(update={"dynamics": rig.dynamics.with_changes(strength={"front_left": 0.1})})
    with Lane(POLICY, weak, 0.2, 1, "test") as lane:
        while candidates := operator.ask():
            operator.tell(candidates[0].id, lane.value(candidates[0].parameters, candidates[0].id))
    assert lane.trials == 3
    assert np.isfinite(operator.best.value)


def test_the_shipped_map_is_the_product_of_the_shipped_config_around_the_shipped_policy() -> None:
    found = behaviour_map.load(behaviour_map.path_of("minitaur"))
    found.check_fits(POLICY)
    settings = load_config(shipped("baselines", "minitaur_map_elites.yaml"), MapElitesConfig)
    assert found.provenance["config"] == settings.model_dump(mode="json")
    assert len(found.returns) <= 1 + settings.cells**POLICY.trot.legs
