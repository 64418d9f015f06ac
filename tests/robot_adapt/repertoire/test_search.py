from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.errors import UserError
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.repertoire.prior import Prior
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.search import RepertoireSearch, RepertoireSearchConfig
from robot_adapt.repertoire.trace import trace

NOISE_SD = 0.05
TASKS, MEMBERS = 60, 9
DIRECTIONS = np.random.default_rng(0).standard_normal((MEMBERS, 3)) / np.sqrt(3)


def _task(seed: int) -> FloatArray:
    return np.random.default_rng([1, seed]).standard_normal(3)


def _returns(task: FloatArray) -> FloatArray:
    """A member is good where its direction is the task's; the meta-policy is never bad nor good."""
    returns: FloatArray = 1.0 + 0.5 * (DIRECTIONS @ task)
    returns[0] = 1.0
    return returns


def _telemetry(task: FloatArray) -> dict[str, NDArray[np.float32]]:
    """A walk of 10 ticks of a one-jointed robot, tilted and slowed by its task."""
    ticks, ones = 10, np.ones(10, dtype=np.float32)
    return {
        "position_rad": np.zeros((ticks, 1), dtype=np.float32),
        "target_rad": np.full((ticks, 1), task[0], dtype=np.float32),
        "torque_nm": np.full((ticks, 1), task[1], dtype=np.float32),
        "tilt": np.column_stack((ones * 0.0, ones * task[2])).astype(np.float32),
        "yaw_rad": np.zeros((ticks, 1), dtype=np.float32),
        "battery_v": np.full((ticks, 1), 16.0, dtype=np.float32),
    }


def _repertoire() -> Repertoire:
    tasks = [_task(seed) for seed in range(TASKS)]
    noise = np.random.default_rng(2).standard_normal((TASKS, MEMBERS)) * NOISE_SD
    return Repertoire(
        members=np.vstack((np.zeros(4), np.random.default_rng(3).standard_normal((MEMBERS - 1, 4)))),
        returns=np.array([_returns(task) for task in tasks]) + noise,
        traces=np.array([trace(_telemetry(task), 10) for task in tasks]),
        noise_sd=NOISE_SD,
        ticks=10,
        member_words=("meta-policy", *[f"made for {i}" for i in range(1, MEMBERS)]),
        task_words=tuple(f"family {i % 3}" for i in range(TASKS)),
    )


def _search(trials: int, told: FloatArray | None = None, traced: bool = True) -> tuple[RepertoireSearch, list[int]]:
    """A search on a robot with this task; the members it tried."""
    repertoire = _repertoire()
    operator, tried = RepertoireSearch(RepertoireSearchConfig(member_trials=trials), repertoire, 0), []
    task = _task(1000) if told is None else told
    while candidates := operator.ask():
        (candidate,) = candidates
        member = int(np.argmin(np.linalg.norm(repertoire.members - candidate.parameters, axis=1)))
        tried.append(member)
        operator.tell(candidate.id, float(_returns(task)[member]), _telemetry(task) if traced else None)
    return operator, tried


def test_the_meta_policy_walks_first() -> None:
    assert _search(5)[1][0] == 0


def test_after_one_traced_trial_it_tries_nearly_the_best_member() -> None:
    shares = []
    for seed in range(1000, 1020):
        returns = _returns(_task(seed))
        _, tried = _search(2, _task(seed))
        shares.append((returns[tried[1]] - returns[0]) / (returns.max() - returns[0]))
    assert np.mean(shares) > 0.8


def test_without_a_trace_the_second_trial_knows_less_than_with_one() -> None:
    gains = [
        [_returns(_task(seed))[_search(2, _task(seed), traced)[1][1]] for seed in range(1000, 1020)] for traced in (False, True)
    ]
    assert np.mean(gains[1]) > np.mean(gains[0]) + 0.1


def test_a_walk_like_those_that_left_little_in_doubt_leaves_little_in_doubt() -> None:
    plain, noise = _repertoire(), np.random.default_rng(5)
    well, badly = _telemetry(np.array([0.0, 0.0, 0.1])), _telemetry(np.array([1.0, 1.0, 1.0]))
    tasks = [well, badly] * (TASKS // 2)
    spread = np.array([0.01, 0.4] * (TASKS // 2))[:, None]
    repertoire = dataclasses.replace(
        plain,
        returns=1.0 + spread * noise.standard_normal((TASKS, MEMBERS)),
        traces=np.array([trace(one, 10) for one in tasks]) + 0.01 * noise.standard_normal((TASKS, plain.traces.shape[1])),
    )
    sure, unsure = (Prior(repertoire).belief(trace(one, 10)).sd.mean() for one in (well, badly))
    assert sure < 0.5 * unsure


def test_a_search_that_knows_its_noise_is_small_believes_a_trial_more() -> None:
    told = []
    for noise_m in (0.01, 0.5):
        operator = RepertoireSearch(RepertoireSearchConfig(member_trials=3, noise_m=noise_m), _repertoire(), 0)
        operator.tell(0, 3.0, _telemetry(_task(1000)))
        told.append(operator.best.value)
    assert told[0] > told[1] + 0.3


def test_it_ends_with_nearly_the_best_member() -> None:
    for seed in range(1000, 1010):
        operator, _ = _search(6, _task(seed))
        assert _returns(_task(seed))[_winner(operator)] > _returns(_task(seed)).max() - 0.15


def test_one_trial_already_sends_off_a_member_that_is_clearly_better_but_only_where_the_walk_told_it() -> None:
    for seed in range(1000, 1010):
        returns = _returns(_task(seed))
        traced, untraced = _search(1, _task(seed))[0], _search(1, _task(seed), traced=False)[0]
        assert returns[_winner(traced)] >= returns[0]
        assert _winner(untraced) == 0
    assert _winner(traced) != 0


def _winner(operator: RepertoireSearch) -> int:
    return int(np.argmin(np.linalg.norm(_repertoire().members - operator.best.parameters, axis=1)))


def test_where_the_meta_policy_is_best_it_stays() -> None:
    operator, _ = _search(6, np.zeros(3))
    np.testing.assert_allclose(operator.best.parameters, 0.0, atol=2.5)


def test_a_member_whose_trial_was_aborted_is_not_tried_again() -> None:
    operator = RepertoireSearch(RepertoireSearchConfig(member_trials=4), _repertoire(), 0)
    operator.tell(0, 1.0, _telemetry(_task(1000)))
    aborted = operator.ask()[0]
    operator.tell(aborted.id, None)
    for number in (2, 3):
        assert not np.array_equal(operator.ask()[0].parameters, aborted.parameters)
        operator.tell(number, 0.5)
    assert not np.array_equal(operator.best.parameters, aborted.parameters)


def test_a_first_trial_that_was_aborted_is_tried_once_more_for_its_trace() -> None:
    operator, plain = (RepertoireSearch(RepertoireSearchConfig(member_trials=6), _repertoire(), 0) for _ in range(2))
    plain.tell(0, 1.0, _telemetry(_task(1000)))
    operator.tell(0, None, {})
    assert not operator.ask()[0].parameters.any()
    operator.tell(1, 1.0, _telemetry(_task(1000)))
    assert operator.ask()[0].why == plain.ask()[0].why
    restored = RepertoireSearch(RepertoireSearchConfig(member_trials=6), _repertoire(), 0)
    restored.restore(json.loads(json.dumps(operator.state())))
    assert restored.ask()[0].why == plain.ask()[0].why


def test_a_robot_that_falls_at_once_whatever_it_tries_is_spared_the_rest() -> None:
    fell = {name: rows[:0] for name, rows in _telemetry(_task(1000)).items()}
    config = RepertoireSearchConfig(member_trials=9, hopeless=3)
    operator, again = (RepertoireSearch(config, _repertoire(), 0) for _ in range(2))
    operator.tell(0, 0.0, fell)
    operator.tell(1, 0.0, fell)
    operator.tell(2, 0.4, _telemetry(_task(1000)))  # it can walk after all
    operator.tell(3, 0.0, fell)
    operator.tell(4, 0.0, fell)
    again.restore(json.loads(json.dumps(operator.state())))
    for one in (operator, again):
        assert one.ask()[0].why.endswith("the last one, if the robot falls at once again")
        one.tell(5, 0.0, fell)
        assert one.ask() == []


def test_a_round_of_local_search_that_has_begun_is_ended_however_the_robot_falls() -> None:
    fell = {name: rows[:0] for name, rows in _telemetry(_task(1000)).items()}
    local = BatchHillClimbingConfig(population=5, rounds=1, sigma=0.1)
    config = RepertoireSearchConfig(member_trials=1, local=local, rank=3, hopeless=2)
    operator, told = RepertoireSearch(config, _repertoire(), 0), 0
    while candidates := operator.ask():
        for candidate in candidates:
            operator.tell(candidate.id, 0.0, fell)
        told += len(candidates)
    assert told == config.trials


def test_a_policy_aborted_twice_is_left_alone() -> None:
    operator = RepertoireSearch(RepertoireSearchConfig(member_trials=6), _repertoire(), 0)
    for number in range(2):
        operator.tell(number, None, {})
    assert operator.ask()[0].parameters.any()


def test_a_first_trial_that_ended_before_a_tick_leaves_no_trace_and_stops_nothing() -> None:
    operator = RepertoireSearch(RepertoireSearchConfig(member_trials=4), _repertoire(), 0)
    operator.tell(0, 0.0, {name: np.zeros(0, dtype=np.float32) for name in _telemetry(_task(1000))})
    assert operator.state()["trace"] is None
    assert operator.ask()


def test_what_a_robot_does_not_measure_stands_at_its_mean_and_the_rest_is_told_all_the_same() -> None:
    whole, task = _repertoire(), _task(1000)
    blind = {**_telemetry(task), "battery_v": np.full((10, 1), np.nan, dtype=np.float32)}
    told = {}
    for name, telemetry in (("whole", _telemetry(task)), ("blind", blind), ("nothing", None)):
        operator = RepertoireSearch(RepertoireSearchConfig(member_trials=4), whole, 0)
        operator.tell(0, 1.0, telemetry)
        json.dumps(operator.state(), allow_nan=False)
        told[name] = operator.ask()[0].why
    assert told["blind"] == told["whole"] != told["nothing"]  # all batteries are alike here


def test_the_local_search_starts_at_the_winner_and_stays_in_the_members_directions() -> None:
    local = BatchHillClimbingConfig(population=2, rounds=2, sigma=0.5)
    operator = RepertoireSearch(RepertoireSearchConfig(member_trials=2, local=local, rank=2), _repertoire(), 0)
    operator.tell(0, 1.0, _telemetry(_task(1000)))
    operator.tell(1, 3.0)
    first = operator.ask()
    assert [candidate.id for candidate in first] == [2, 3]
    for candidate in first:
        operator.tell(candidate.id, 1.0)
    steps = np.array([candidate.parameters for candidate in operator.ask()]) - first[0].parameters
    directions = _repertoire().directions[:, :2]
    outside = steps.T - directions @ np.linalg.lstsq(directions, steps.T, rcond=None)[0]
    np.testing.assert_allclose(outside, 0.0, atol=1e-9)
    assert np.linalg.norm(steps) > 0.1


def test_a_search_restored_from_any_trial_goes_on_identically() -> None:
    local = BatchHillClimbingConfig(population=2, rounds=2, sigma=0.5)
    config = RepertoireSearchConfig(member_trials=3, local=local, rank=2)
    for cut in range(config.trials):
        one, other = (RepertoireSearch(config, _repertoire(), 0) for _ in range(2))
        for number in range(cut):
            one.tell(number, 1.0 + 0.01 * number, _telemetry(_task(1000)))
        other.restore(json.loads(json.dumps(one.state())))
        for a, b in zip(one.ask(), other.ask(), strict=True):
            np.testing.assert_array_equal(a.parameters, b.parameters)
            assert a.why == b.why


def test_the_belief_tightens_where_it_was_told_and_follows() -> None:
    belief = Prior(_repertoire()).belief()
    after = belief.after(3, belief.mean[3] + 0.5, NOISE_SD)
    assert after.mean[3] == pytest.approx(belief.mean[3] + 0.5, abs=0.1)
    assert after.sd[3] < NOISE_SD * 1.01
    assert (after.sd <= belief.sd + 1e-12).all()


def test_families_left_out_leave_no_member_and_no_task() -> None:
    whole = _repertoire()
    rest = whole.without(frozenset({"family 1", "made for 2"}))
    assert "made for 2" not in rest.member_words
    assert "family 1" not in rest.task_words
    assert rest.returns.shape == (40, MEMBERS - 1)


def test_shapes_that_do_not_fit_are_refused() -> None:
    whole = _repertoire()
    with pytest.raises(UserError, match="columns"):
        Repertoire(whole.members[1:], whole.returns, whole.traces, 0.1, 10, whole.member_words, whole.task_words)
    with pytest.raises(UserError, match="finite"):
        Repertoire(whole.members * np.nan, whole.returns, whole.traces, 0.1, 10, whole.member_words, whole.task_words)
