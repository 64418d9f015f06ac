from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.bench import recovery, work
from robot_adapt.bench.config import RecoveryBenchConfig
from robot_adapt.bench.methods import absent
from robot_adapt.bench.recovery import HEALTHY, ORACLE, carry_out, missing, plan, read
from robot_adapt.bench.work import AdaptationBout, Item, OracleBout, Score
from robot_adapt.config import load, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.optim.operator import Best, Candidate
from robot_adapt.policy import policy_file
from tests.builders import policy_with_repertoire

LEGS = ["front_left", "back_left", "front_right", "back_right"]


WEAK = {"kind": "weak_leg", "leg": {"one_of": LEGS}, "strength": {"low": 0.2, "high": 0.4}}
BENCH = {
    "rigs": {"robot": "minitaur_training"},
    "start": "minitaur",
    "seeds": 2,
    "trial_s": 0.1,
    "budgets": [1, 3],
    "return_noise_m": 0.05,
    "fresh_trials": 2,
    "oracle": {"kind": "oracle", "pairs": 1, "sigma": 0.05, "step": 0.05, "most": 2, "every": 1, "check": 1},
    "hobbles": {"leg": {"families": ["a weak leg"], "draw": {"hobbles": [{"probability": 1.0, "change": WEAK}]}}},
    "methods": {"BHC": {"policy": "minitaur", "operator": {"population": 1, "rounds": 2, "sigma": 0.02}}},
}


def bench_config(**changes: object) -> RecoveryBenchConfig:
    return validate({**BENCH, **changes}, RecoveryBenchConfig, "test.yaml")


def _repertoire_config(folder: Path) -> RecoveryBenchConfig:
    file = str(folder / "policy.safetensors")
    policy_file.save(policy_with_repertoire(5), Path(file))
    method = {"policy": file, "operator": {"kind": "repertoire", "member_trials": 3}}
    return bench_config(start=file, methods={"ours": method, "without": {**method, "knows_family": False}})


def test_a_table_has_a_row_a_budget_and_the_oracle_one(tmp_path: Path) -> None:
    planned = plan(bench_config(), ["BHC", ORACLE])
    said: list[str] = []
    carry_out(planned, tmp_path / "table.csv", InProcessExecutor(), said.append)
    rows = read(planned, tmp_path / "table.csv")
    assert [row.trials for row in rows if row.method == "BHC"] == [0, 1, 3] * 2
    assert len([row for row in rows if row.method == ORACLE]) == 2
    assert len(said) == 4
    assert all(np.isfinite(row.return_m) for row in rows)


def test_what_was_run_is_not_run_again_and_what_has_changed_is(tmp_path: Path) -> None:
    path, planned = tmp_path / "table.csv", plan(bench_config(), ["BHC", ORACLE])
    carry_out(planned[:2], path, InProcessExecutor(), lambda _: None)
    assert missing(planned, read(planned, path)) == planned[2:]
    louder = plan(bench_config(return_noise_m=0.1), ["BHC", ORACLE])  # adaptations are told other returns, oracles are not
    assert [one.method for one in missing(louder, read(louder, path))] == ["BHC", "BHC", ORACLE]


def test_the_same_bout_gives_the_same_row_whatever_ran_before() -> None:
    planned = plan(bench_config())
    assert work.run(planned[0].item) == work.run(planned[0].item) != work.run(planned[2].item)


def test_hobbles_are_drawn_by_seed_and_all_methods_meet_the_same() -> None:
    planned = plan(bench_config(seeds=6), ["BHC", ORACLE])
    worlds = [one.item.bout.robot.dynamics for one in planned]
    assert worlds[::2] == worlds[1::2]
    assert len({str(world.strength) for world in worlds}) == 6
    assert len({next(iter(world.strength)) for world in worlds}) > 1


def test_a_method_that_does_not_know_the_family_has_no_member_of_it(tmp_path: Path) -> None:
    planned = plan(_repertoire_config(tmp_path))
    words = {one.method: one.item.bout.policy.repertoire for one in planned if isinstance(one.item, AdaptationBout)}
    ours, without = words["ours"], words["without"]
    assert ours is not None
    assert without is not None
    assert set(ours.member_words) - set(without.member_words) == {"a weak leg"}


def test_an_oracle_begins_from_the_best_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four members the one that walks best on the hobble, here by decree."""
    item = next(one.item for one in plan(_repertoire_config(tmp_path)) if isinstance(one.item, OracleBout))
    starts: list[FloatArray] = []

    class Track:
        trials = 0

        def mean(self, theta: FloatArray, trials: int, *index: int) -> float:
            return float(np.array_equal(theta, item.starts[2]))

    def climb(_: object, start: FloatArray, *__: object) -> tuple[FloatArray, tuple[float, ...], bool]:
        starts.append(start)
        return start, (), True

    monkeypatch.setattr(work, "climb", climb)
    monkeypatch.setattr(work, "_measured", lambda *_: Score(1, 1.0, 0.0, 0))
    work._oracle(Track(), item)  # type: ignore[arg-type]
    np.testing.assert_array_equal(starts[0], item.starts[2])


class Stubborn:
    """An operator that tries zeros for ever and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[float] = []

    @property
    def best(self) -> Best:
        return Best(np.zeros(150), 0.0)

    def ask(self) -> list[Candidate]:
        return [Candidate(len(self.told), np.zeros(150))]

    def tell(self, candidate_id: int, outcome: float, telemetry: object) -> None:
        self.told.append(outcome)


def test_what_a_method_is_told_is_noisier_than_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[float]] = []
    for noise_m in (0.0, 0.5):
        operator = Stubborn()
        monkeypatch.setattr("robot_adapt.bench.searches.make_policy_operator", lambda *_, stubborn=operator: stubborn)
        work.run(plan(bench_config(return_noise_m=noise_m, budgets=[8]))[0].item)
        told.append(operator.told)
    noise = np.array(told[1]) - np.array(told[0])
    assert len(noise) == 8
    assert 0.2 < noise.std() < 1.0


def test_the_healthy_robot_walks_as_the_zero_shot_policy_and_has_no_hobble() -> None:
    config = bench_config()
    healthy, _ = plan(config, [HEALTHY])
    assert healthy.hobble == HEALTHY
    assert healthy.item.bout.robot == config.rigs["robot"]
    before, after = work.run(healthy.item)
    assert before.return_m == after.return_m


def test_a_method_is_not_called_as_a_row_of_the_table_s_own() -> None:
    with pytest.raises(UserError, match="healthy: the table has this row of its own"):
        plan(bench_config(methods={"healthy": {"policy": "minitaur", "operator": None}}))


def test_a_family_that_the_repertoire_has_not_is_named(tmp_path: Path) -> None:
    config = _repertoire_config(tmp_path)
    hobbles = {"leg": config.hobbles["leg"].model_copy(update={"families": ("a weak lag",)})}
    with pytest.raises(UserError, match=r"^hobbles\.leg\.families: a weak lag: .*'s repertoire has none .*a weak leg"):
        plan(config.model_copy(update={"hobbles": hobbles}))


def test_of_a_hobble_that_no_family_knows_nothing_is_left_out(tmp_path: Path) -> None:
    config = _repertoire_config(tmp_path)
    planned = plan(config.model_copy(update={"hobbles": {"leg": config.hobbles["leg"].model_copy(update={"families": ()})}}))
    ours, without = (next(one.item.bout.policy for one in planned if one.method == name) for name in ("ours", "without"))
    assert policy_file.sha256(ours) == policy_file.sha256(without)


@pytest.mark.parametrize(("family", "is_there"), [("wide", False), ("meta-policy", False), ("gone", True)])
def test_families_are_those_that_were_grown_and_no_generalists(family: str, is_there: bool, tmp_path: Path) -> None:
    config = _repertoire_config(tmp_path)
    file = tmp_path / "policy.safetensors"
    grown = {"config": {"generalists": {"worlds": {"wide": {}}}, "families": {"gone": {}}}}  # nothing of it is left
    policy_file.save(replace(policy_file.load(file), provenance={"repertoire": grown}), file)
    hobbles = {"leg": config.hobbles["leg"].model_copy(update={"families": (family,)})}
    with contextlib.nullcontext() if is_there else pytest.raises(UserError, match=f"families: {family}: "):
        plan(config.model_copy(update={"hobbles": hobbles}))


def test_a_method_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="no method CMA: there are BHC, healthy, oracle"):
        plan(bench_config(), ["CMA"])


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    path, planned = tmp_path / "table.csv", plan(bench_config())
    carry_out(planned[:1], path, InProcessExecutor(), lambda _: None)
    path.write_text(path.read_text().replace(",3,", ",three,"))
    with pytest.raises(UserError, match=r"table.csv: line 4: not a row"):
        read(planned, path)


def _broken(_: Item) -> list[Score]:
    raise RuntimeError("trial aborted: a wheel fell off")


def test_a_bout_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "run", _broken)
    with pytest.raises(UserError, match=r"robot, leg, seed 0, BHC: RuntimeError: trial aborted: a wheel fell off"):
        carry_out(plan(bench_config()), tmp_path / "table.csv", InProcessExecutor(), lambda _: None)


def test_a_method_that_does_not_fit_its_policy_is_named_before_anything_runs() -> None:
    with pytest.raises(UserError, match=r"methods.ours: trial_s: this policy's repertoire is of trials of 3 s, not 0.1 s"):
        plan(bench_config(methods={"ours": {"policy": "minitaur", "operator": {"kind": "repertoire", "member_trials": 2}}}))


def test_another_operator_or_name_of_a_method_is_run_anew_and_no_oracle_is(tmp_path: Path) -> None:
    path, planned = tmp_path / "table.csv", plan(bench_config())
    carry_out(planned, path, InProcessExecutor(), lambda _: None)
    for name, sigma in (("BHC", 0.03), ("hill climbing", 0.02)):
        method = {"policy": "minitaur", "operator": {"population": 1, "rounds": 2, "sigma": sigma}}
        other = plan(bench_config(methods={name: method}))
        assert [one.method for one in missing(other, read(other, path))] == [name, name]


def test_shipped_benchmarks_fit_their_robots() -> None:
    config = load(shipped("bench", "minitaur.yaml"), RecoveryBenchConfig)
    assert len(config.hobbles) == 12
    late = absent(config, config.methods)  # what is not made yet
    assert all("makes it" in reason for reason in late.values())
    there = [label for label in config.methods if label not in late]
    assert recovery.missing(planned := plan(config.quick(), [ORACLE, *there]), []) == planned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budgets": [5, 1]}, "budgets: should ascend"),
        ({"start": "laikago"}, "start: no method begins from laikago"),
        ({"rigs": {"dog": "laikago"}}, r"hobbles.leg.draw.hobbles.0.change"),
    ],
)
def test_what_does_not_fit_is_named_with_its_key(changes: dict[str, object], message: str) -> None:
    tail = {"kind": "weak_leg", "leg": "tail", "strength": 0.5} if "rigs" in changes else None
    if tail:
        draw = {"hobbles": [{"probability": 1.0, "change": tail}]}
        changes = {**changes, "hobbles": {"leg": {"families": ["f"], "draw": draw}}}
    with pytest.raises(UserError, match=message):
        bench_config(**changes)


@pytest.mark.parametrize("lost", [1, 30, 90, 10_000])
def test_a_bout_that_was_cut_off_while_it_was_written_is_run_again(tmp_path: Path, lost: int) -> None:
    """A full disk, a lost mains: the last row torn, the last bout with some of its rows, nothing but an empty file."""
    path, planned = tmp_path / "table.csv", plan(bench_config(), ["BHC"])
    carry_out(planned, path, InProcessExecutor(), lambda _: None)
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    again = missing(planned, read(planned, path))
    assert again == (planned if lost == 10_000 else planned[1:])
    carry_out(again, path, InProcessExecutor(), lambda _: None)
    assert missing(planned, rows := read(planned, path)) == []
    path.write_bytes(whole)
    assert sorted(map(str, rows)) == sorted(map(str, read(planned, path)))


def test_a_trial_shorter_than_a_control_period_is_named() -> None:
    with pytest.raises(UserError, match=r"trial_s: 0\.01 s is shorter than the policy's control period"):
        plan(bench_config(trial_s=0.01))
