from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.repertoire import checkpoint
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.growth import Growth, GrowthState, _most_promising
from robot_adapt.repertoire.members import Members
from robot_adapt.repertoire.mirror import mirror_of
from robot_adapt.repertoire.work import Row, RowItem, Specialist, SpecialistItem, measure_row, train_specialist
from tests.builders import shipped_policy
from tests.robot_adapt.repertoire.test_config import _GENERALISTS, _TINY, _config
from tests.robot_adapt.repertoire.test_members import _row

_REFINEMENT = {"tasks": 2, "training": {**_TINY, "worlds": 3}}


def _growth(config: RepertoireConfig, monkeypatch: pytest.MonkeyPatch) -> Growth:
    monkeypatch.setattr("robot_adapt.repertoire.growth._WORTH_M", -1.0)  # so short a search gains nothing
    return Growth(config, shipped_policy(), InProcessExecutor())


def _grown(growth: Growth) -> tuple[GrowthState, list[tuple[str, int]]]:
    """After all stages, and their names and items."""
    state, stages = growth.start(), []
    while (stage := growth.next_stage(state)) is not None:
        stages.append((stage.name, stage.items))
        state = stage.advance(state)
    return state, stages


def test_members_come_in_mirrored_pairs_and_the_matrix_is_its_own_mirror_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robot_adapt.repertoire.members._best_of", lambda *args: float(len(args[2])))
    config = _config()
    growth = _growth(config, monkeypatch)
    state, stages = _grown(growth)
    assert stages == [("round 1 of 2", 5), ("round 2 of 2", 3), ("selection", 2)]
    repertoire, trials = growth.finish(state)
    assert len(repertoire.members) == 7  # the meta-policy, three specialists, their mirror images
    assert repertoire.returns.shape == (6, 7)
    mirror, policy = mirror_of(config.robot.robot.body, config.robot.robot.trot), shipped_policy()
    for one in (1, 3, 5):
        across = mirror.parameters(policy, repertoire.members[one])
        np.testing.assert_allclose(across, repertoire.members[one + 1], atol=1e-9)
        np.testing.assert_array_equal(repertoire.returns[:3, one], repertoire.returns[3:, one + 1])
    np.testing.assert_array_equal(repertoire.returns[:3, 0], repertoire.returns[3:, 0])
    specialists = 3 * (2 * 2 * 2 + 16)
    rows = 3 * 2 + 2 * (1 + 5) + 2 * (1 + 2 * 7) + 3 * (1 + 2 * 7)  # round 1, round 2, selection, matrix
    assert trials == specialists + rows


def test_growth_resumed_from_a_checkpoint_of_any_stage_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(refinement=_REFINEMENT)
    growth, path = _growth(config, monkeypatch), tmp_path / "checkpoint"
    state, names = growth.start(), []
    while (stage := growth.next_stage(state)) is not None:
        checkpoint.save(state, config, shipped_policy(), path)
        resumed = checkpoint.load(path, config, replace(shipped_policy(), provenance={"repertoire": "of an earlier growth"}))
        again = growth.next_stage(resumed)
        assert again is not None
        straight, resumed = stage.advance(state), again.advance(resumed)
        np.testing.assert_array_equal(straight.members.thetas, resumed.members.thetas)
        assert (straight.log, straight.trials, straight.stages) == (resumed.log, resumed.trials, resumed.stages)
        state = straight
        names.append(again.name)
    assert names == ["round 1 of 2", "round 2 of 2", "selection", "refinement"]
    with pytest.raises(UserError, match="another config"):
        checkpoint.load(path, _config(seed=2), shipped_policy())
    with pytest.raises(UserError, match="another policy"):
        checkpoint.load(path, config, shipped_policy("laikago"))


def test_without_a_selection_all_that_gained_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    state, stages = _grown(_growth(_config(selection=None), monkeypatch))
    assert stages == [("round 1 of 2", 5), ("round 2 of 2", 3)]
    assert len(state.members.thetas) == 1 + 2 * 3


@pytest.mark.parametrize("key", ["selection", "matrix"])
def test_a_repertoire_that_walks_on_none_of_its_tasks_says_so(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config()
    assert config.selection is not None
    growth = _growth(config, monkeypatch)
    monkeypatch.setattr(growth, "_run", lambda _, work: dict.fromkeys(work, Row(np.zeros((1, 2)), None, 3)))
    finish = growth.finish if key == "matrix" else partial(growth.select, config.selection)
    with pytest.raises(UserError, match=rf"{key}\.tasks: the meta-policy falls before its first tick on all of them"):
        finish(growth.start())


def test_the_matrix_s_tasks_go_through_all_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    legs = ["front_left", "back_left", "back_right"]
    weak = {"kind": "weak_leg", "leg": {"one_of": legs}, "strength": {"low": 0.1, "high": 0.4}}
    config = _config(families={"weak": {"hobbles": [{"probability": 1.0, "change": weak}]}}, matrix={"tasks": 6, "trials": 2})
    met: list[str] = []

    def run(_: object, work: dict[int, RowItem]) -> dict[int, Row]:
        met.extend(leg for one in work.values() for leg in one.robot.dynamics.strength)
        return {key: Row(np.array([[0.0, 1.0]]), np.zeros(47), 3) for key in work}

    growth = _growth(config, monkeypatch)
    monkeypatch.setattr(growth, "_run", run)
    growth.finish(growth.start())
    assert met == legs + legs


def _legs(robot: SimulatedRobotConfig) -> str:
    return "serial" if robot.simulation is None else robot.simulation.legs


@pytest.mark.parametrize(("traces", "traced"), [(None, {"serial", "five_bar"}), ("minitaur_five_bar_training", {"five_bar"})])
def test_a_family_with_a_robot_of_its_own_is_met_on_it_in_every_stage(
    traces: str | None, traced: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(robots={"slope": "minitaur_five_bar_training"}, traces=traces, refinement=_REFINEMENT)
    growth = _growth(config, monkeypatch)
    met: list[tuple[str, bool]] = []
    left_traces: set[str] = set()

    def run(_: object, work: dict[int, RowItem | SpecialistItem]) -> dict[int, Row | Specialist]:
        done: dict[int, Row | Specialist] = {}
        for key, one in work.items():
            worlds = one.worlds if isinstance(one, SpecialistItem) else (one.robot.dynamics,)
            assert len({bool(world.strength) for world in worlds}) == 1  # weak legs, or slopes
            met.append((_legs(one.robot), bool(worlds[0].strength)))
            if isinstance(one, RowItem):
                assert one.traced.dynamics == one.robot.dynamics
                left_traces.add(_legs(one.traced))
            done[key] = (
                Specialist(one.start, 0.0, 1.0, 1)
                if isinstance(one, SpecialistItem)
                else Row(np.arange(len(one.members))[:, None] + np.array([0.0, 0.1]), np.zeros(47), 2)
            )
        return done

    monkeypatch.setattr(growth, "_run", run)
    growth.finish(_grown(growth)[0])
    assert set(met) == {("serial", True), ("five_bar", False)}
    assert left_traces == traced


def test_a_robot_that_lies_there_before_its_first_tick_is_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, policy = load(shipped("rigs", "minitaur_training.yaml"), SimulatedRobotConfig), shipped_policy()
    lost = rig.model_copy(update={"dynamics": rig.dynamics.with_changes(shank_share={"front_left": 0.0})})
    row = measure_row(RowItem(policy, lost, lost, 0.4, policy.parameters[None], 1, 0, 0))
    assert row.trace is None
    growth = _growth(_config(), monkeypatch)
    trained: list[int] = []

    def run(function: object, work: dict[int, object]) -> dict[int, object]:
        if function is measure_row:
            return {key: row if key == 1 else Row(np.array([[1.0]]), np.zeros(47), 2) for key in work}
        trained.extend(work)
        return {key: Specialist(np.zeros(policy.parameters.size), 0.0, 0.0, 1) for key in work}

    monkeypatch.setattr(growth, "_run", run)
    growth.grow(growth.start())
    assert sorted(trained) == [0, 2]


def test_a_work_item_that_fails_ends_the_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    growth = _growth(_config(), monkeypatch)
    monkeypatch.setattr("robot_adapt.repertoire.growth.measure_row", lambda _: 1 / 0)
    with pytest.raises(UserError, match=r"work item 0 failed: .*division"):
        growth.grow(growth.start())


def _starts(growth: Growth, state: GrowthState, monkeypatch: pytest.MonkeyPatch) -> list[FloatArray]:
    """Where a round's specialists begin when of three members the last one walks best, here by decree."""
    starts: list[FloatArray] = []

    def run(_: object, work: dict[int, RowItem | SpecialistItem]) -> dict[int, Row | Specialist]:
        starts.extend(one.start for one in work.values() if isinstance(one, SpecialistItem))
        return {
            key: Row(np.array([[0.0], [1.0], [2.0]]), np.zeros(47), 3)
            if isinstance(one, RowItem)
            else Specialist(np.zeros(one.start.size), 0.0, 0.0, 1)
            for key, one in work.items()
        }

    monkeypatch.setattr(growth, "_run", run)
    growth.grow(state)
    return starts


def test_a_specialist_begins_as_the_best_of_its_own_family(monkeypatch: pytest.MonkeyPatch) -> None:
    growth = _growth(_config(), monkeypatch)
    theta = shipped_policy().parameters
    state = GrowthState(0, 0, Members(np.stack((theta, theta + 1.0, theta + 2.0)), ("meta-policy", "weak", "weak")), ())
    starts = _starts(growth, state, monkeypatch)
    assert sorted(float((start - theta)[0]) for start in starts) == [0.0, 2.0]  # of slope: nobody but the meta-policy


def test_generalists_come_first_are_where_any_family_may_begin_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(generalists=_GENERALISTS)
    growth = _growth(config, monkeypatch)
    worlds: list[float] = []

    def train(item: SpecialistItem) -> Specialist:
        worlds.extend(one.mass_ratio for one in item.worlds)
        return train_specialist(item)

    monkeypatch.setattr("robot_adapt.repertoire.growth.train_specialist", train)
    state = growth.start()
    assert state.members.words == ("meta-policy", "wide", "wide")
    assert len(set(worlds)) == 3
    assert state.trials == 2 * 2 * 2 + 16
    mirror = mirror_of(config.robot.robot.body, config.robot.robot.trot)
    np.testing.assert_allclose(mirror.parameters(shipped_policy(), state.members.thetas[1]), state.members.thetas[2], atol=1e-9)

    assert [start.tolist() for start in _starts(growth, state, monkeypatch)] == [state.members.thetas[2].tolist()] * 2
    growth = _growth(config, monkeypatch)
    assert config.selection is not None
    repertoire, _ = growth.finish(growth.select(config.selection, state))
    assert repertoire.member_words == ("meta-policy", "wide", "wide")
    assert repertoire.without(frozenset({"slope"})).member_words == repertoire.member_words


def test_families_not_tried_yet_take_turns_worst_first() -> None:
    family = {0: "a", 1: "a", 2: "a", 3: "b", 4: "b"}
    assert _most_promising(family, {0: 0.1, 1: 0.3, 2: 0.2, 3: 0.9, 4: 0.5}, {}) == [0, 4, 2, 3, 1]


def test_then_tasks_go_first_where_a_specialist_may_gain_most() -> None:
    family = {0: "hopeless", 1: "easy", 2: "open", 3: "open"}
    best = {0: 0.1, 1: 1.3, 2: 0.6, 3: 1.1}
    assert _most_promising(family, best, {"hopeless": (0.1, 1.0), "easy": (0.9, 1.4), "open": (0.8, 1.3)}) == [2, 3, 0, 1]


def test_prospects_are_those_of_the_specialists_that_gained() -> None:
    log = ((0, "weak", 0.4, 1.0), (0, "weak", 0.4, 0.4), (0, "slope", 0.9, 1.2), (0, "dead", 0.1, 0.1))
    prospects = GrowthState(1, 0, Members(np.zeros((1, 1)), ("meta-policy",)), log).prospects
    assert prospects == {"weak": (0.5, 1.0), "slope": (2 / 3, 1.2), "dead": (1 / 3, 1.1)}


def test_the_start_is_the_policy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    state: GrowthState = _growth(_config(), monkeypatch).start()
    np.testing.assert_array_equal(state.members.thetas, shipped_policy().parameters[None])


def test_specialists_are_refined_in_the_worlds_of_their_niche_and_stay_as_they_were_if_they_gain_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = _config(refinement=_REFINEMENT)
    growth = _growth(config, monkeypatch)
    mirror, policy = mirror_of(config.robot.robot.body, config.robot.robot.trot), shipped_policy()
    theta = policy.parameters
    thetas = np.stack((theta, theta + 0.01, mirror.parameters(policy, theta + 0.01), theta, mirror.parameters(policy, theta)))
    state = GrowthState(3, 0, Members(thetas, ("meta-policy", "weak", "weak", "slope", "slope")), ())
    trained: list[SpecialistItem] = []

    def run(_: object, work: dict[int, RowItem | SpecialistItem]) -> dict[int, Row | Specialist]:
        done: dict[int, Row | Specialist] = {}
        for key, one in work.items():
            if isinstance(one, SpecialistItem):
                trained.append(one)
                done[key] = Specialist(one.start + 1.0, 0.5, {1: 0.6, 3: 0.4}[key], 10)
            else:
                done[key] = _row(0.0, 0.1, 0.2, 0.2, 0.1)  # of the weak ones the mirror image is better
        return done

    monkeypatch.setattr(growth, "_run", run)
    stage = growth.next_stage(state)
    assert stage is not None
    assert (stage.name, stage.items) == ("refinement", 4)
    refined = stage.advance(state)

    assert growth.next_stage(refined) is None
    weak, slope = trained
    np.testing.assert_array_equal(weak.guide, state.members.guide([0, 1, 2]))
    np.testing.assert_array_equal(slope.guide, state.members.guide([0, 3, 4]))
    assert all(list(world.strength) == ["front_right"] for world in weak.worlds)
    assert len({world.model_dump_json() for world in slope.worlds}) == 1  # the slope is fixed, and so is what is around it
    assert len(weak.worlds) == len(slope.worlds) == 3
    np.testing.assert_array_equal(refined.members.thetas[1], thetas[1] + 1.0)
    np.testing.assert_allclose(refined.members.thetas[2], mirror.parameters(policy, thetas[1] + 1.0))
    np.testing.assert_array_equal(refined.members.thetas[3:], thetas[3:])
    assert refined.log == ((2, "weak", 0.5, 0.6), (2, "slope", 0.5, 0.4))
    assert refined.trials == 2 * 1 + 2 * 10
