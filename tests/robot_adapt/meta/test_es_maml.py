from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from robot_adapt import array_file
from robot_adapt.config import load
from robot_adapt.errors import UserError
from robot_adapt.meta import checkpoint, curve
from robot_adapt.meta.config import HeldOutConfig, MetaTrainConfig, StageConfig
from robot_adapt.meta.es_maml import EsMaml, MetaState
from robot_adapt.meta.executors import Executor, Failure, Item, Result
from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
from robot_adapt.meta.task import TaskItem, TaskResult, run_task
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.policy import policy_file
from robot_adapt.policy.normalizer import Moments
from sim.dynamics import Dynamics

SHIPPED = load(Path(__file__).parents[3] / "configs" / "meta_train" / "minitaur.yaml", MetaTrainConfig)
SEARCH = BatchHillClimbingConfig(population=1, rounds=1, sigma=0.02)
TINY = SHIPPED.model_copy(
    update={
        "trial_s": 0.2,
        "stages": (
            StageConfig(name="one", iterations=2, pairs=2, sigma=0.05, step=0.05, final_step=0.01),
            StageConfig(name="two", iterations=1, pairs=1, sigma=0.05, step=0.02, final_step=0.01, adaptation=SEARCH),
        ),
        "held_out": HeldOutConfig(every=2, tasks=2, fresh_trials=1, adaptation=SEARCH),
    }
)


def trained(config: MetaTrainConfig, executor: Executor, state: MetaState | None = None) -> MetaState:
    algorithm = EsMaml(config, executor)
    state = state or algorithm.start()
    while state.iteration < config.iterations:
        state = algorithm.iterate(state)
    return state


def content(state: MetaState) -> str:
    return policy_file.sha256(EsMaml(TINY, InProcessExecutor()).policy(state))


@pytest.fixture(scope="module")
def finished() -> MetaState:
    return trained(TINY, InProcessExecutor())


def test_it_trains_and_counts_its_trials(finished: MetaState) -> None:
    algorithm = EsMaml(TINY, InProcessExecutor())
    assert finished.iteration == 3
    training = sum(algorithm.trials_in(k) for k in range(3)) - 2 * 2 * (2 + SEARCH.trials)
    assert finished.trials == training == 2 * 2 * 2 + 2 * 3
    assert [point.iteration for point in finished.curve] == [2, 3]
    assert np.abs(finished.theta).max() > 0.0


def test_processes_give_the_same_bytes_as_this_process(finished: MetaState) -> None:
    executor = LocalProcessesExecutor(2)
    try:
        assert content(trained(TINY, executor)) == content(finished)
    finally:
        executor.close()


@pytest.mark.parametrize("iterations", [1, 2])
def test_a_checkpoint_resumes_to_the_same_bytes(tmp_path: Path, finished: MetaState, iterations: int) -> None:
    path, algorithm = tmp_path / "checkpoint", EsMaml(TINY, InProcessExecutor())
    state = algorithm.start()
    for _ in range(iterations):
        state = algorithm.iterate(state)
    checkpoint.save(state, TINY, path)
    resumed = trained(TINY, InProcessExecutor(), checkpoint.load(path, TINY))
    assert content(resumed) == content(finished)
    assert resumed.curve == finished.curve


def test_another_seed_trains_another_policy(finished: MetaState) -> None:
    other = TINY.model_copy(update={"seed": 2})
    assert not np.array_equal(trained(other, InProcessExecutor()).theta, finished.theta)


def test_a_checkpoint_of_another_config_is_refused(tmp_path: Path, finished: MetaState) -> None:
    checkpoint.save(finished, TINY, tmp_path / "checkpoint")
    with pytest.raises(UserError, match="a checkpoint of another config"):
        checkpoint.load(tmp_path / "checkpoint", TINY.model_copy(update={"seed": 2}))


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, finished: MetaState) -> None:
    path = tmp_path / "checkpoint"
    checkpoint.save(finished, TINY, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(path, TINY)
    array_file.write_atomically(path, array_file.encode({"x": np.zeros(1)}, {"format": "policy"}))
    with pytest.raises(UserError, match="not a checkpoint"):
        checkpoint.load(path, TINY)


class Known:
    """Answers work items by a known function of the parameters instead of simulating; some may fail."""

    def __init__(self, value: Callable[[TaskItem], float], fails: Callable[[int], bool] = lambda _: False) -> None:
        self._value, self._fails = value, fails

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        assert function is run_task
        for key, item in reversed(list(items.items())):
            assert isinstance(item, TaskItem)
            value = self._value(item)
            result = TaskResult(value, value, 1, Moments.empty(14))
            yield key, Failure("lost") if self._fails(key) else result  # type: ignore[misc]

    def close(self) -> None:
        pass


LONG = TINY.model_copy(
    update={"stages": (StageConfig(name="one", iterations=150, pairs=16, sigma=0.1, step=0.1, final_step=0.02),)}
)


def level(dynamics: Dynamics) -> float:
    """What a task is worth in itself; tasks differ by several units."""
    return 0.0 if dynamics.battery_v is None else dynamics.battery_v


def distance(item: TaskItem) -> float:
    """A task's return: its own level, less the distance to a goal."""
    return level(item.robot.dynamics) - float(np.square(item.policy.parameters - 0.3).sum())


def test_it_climbs_although_tasks_differ_in_what_they_are_worth() -> None:
    state = trained(LONG, Known(distance))
    assert np.square(state.theta - 0.3).sum() < 0.2 * np.square(np.full(150, 0.3)).sum()


def test_a_lost_result_is_neither_a_zero_nor_another_s() -> None:
    lost = trained(LONG, Known(distance, fails=lambda key: key % 16 == 5))
    assert np.square(lost.theta - 0.3).sum() < 0.3 * np.square(np.full(150, 0.3)).sum()


def test_when_most_work_is_lost_it_stops_and_says_why() -> None:
    with pytest.raises(RuntimeError, match="of 32 work items failed: lost"):
        trained(LONG, Known(distance, fails=lambda key: key > 10))


def test_the_curve_is_written_as_csv_and_png(tmp_path: Path, finished: MetaState) -> None:
    curve.write(finished.curve, tmp_path)
    rows = list(csv.DictReader((tmp_path / "curve.csv").read_text().splitlines()))
    assert [int(row["iteration"]) for row in rows] == [2, 3]
    assert float(rows[1]["after_se"]) == finished.curve[1].after_se
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_held_out_tasks_are_the_same_at_every_point_and_never_trained_on() -> None:
    held_out: set[str] = set()
    training: list[str] = []

    def remember(item: TaskItem) -> float:
        (held_out.add if item.measure_before else training.append)(item.robot.dynamics.model_dump_json())
        return 0.0

    trained(TINY, Known(remember))
    assert len(held_out) == TINY.held_out.tasks
    assert not held_out & set(training)


def test_both_sides_of_a_pair_mirror_each_other_and_meet_the_same_task_and_noise() -> None:
    seen: dict[tuple[int, ...], list[TaskItem]] = {}

    def remember(item: TaskItem) -> float:
        seen.setdefault(item.index, []).append(item)
        return 0.0

    algorithm = EsMaml(TINY, Known(remember))
    state = algorithm.start()
    theta = state.theta
    algorithm.iterate(state)
    assert list(seen) == [(0, 1), (0, 0)]
    for one, other in seen.values():
        assert one.robot == other.robot
        np.testing.assert_allclose(one.policy.parameters - theta, theta - other.policy.parameters, atol=1e-12)
        assert np.std(one.policy.parameters - theta) == pytest.approx(0.05, rel=0.3)
