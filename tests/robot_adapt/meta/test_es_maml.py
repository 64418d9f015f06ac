from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt import array_file
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.meta import checkpoint, curve
from robot_adapt.meta.arena import ProblemArena
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.es_maml import DivergedError, EsMaml, train
from robot_adapt.meta.executors import Executor, Failure, Item, Result
from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
from robot_adapt.meta.plan import DivergenceConfig, HeldOutConfig, Plan
from robot_adapt.meta.robot_arena import RobotArena, RobotWorld
from robot_adapt.meta.state import MetaState
from robot_adapt.meta.subspace import SubspaceStageConfig
from robot_adapt.meta.task import TaskItem, TaskResult, run_task
from robot_adapt.meta.zero_order import ExplorationConfig, StageConfig
from robot_adapt.optim.ascent import AdamConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.evolution_strategy import es_step
from robot_adapt.policy import policy_file
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator
from sim.dynamics import Dynamics
from tests.robot_adapt.meta.quadratics import Quadratics

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
    return train(EsMaml(config.plan, RobotArena(config), executor), config.plan.iterations, state)


def content(state: MetaState) -> str:
    return policy_file.sha256(RobotArena(TINY).policy(state))


@pytest.fixture(scope="module")
def finished() -> MetaState:
    return trained(TINY, InProcessExecutor())


def test_it_trains_and_counts_its_trials(finished: MetaState) -> None:
    assert finished.iteration == 3
    training = sum(TINY.plan.trials_in(k) for k in range(3)) - 2 * 2 * (2 + SEARCH.trials)
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
    path = tmp_path / "checkpoint"
    state = train(EsMaml(TINY.plan, RobotArena(TINY), InProcessExecutor()), iterations)
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

LONG_FEW = LONG.model_copy(update={"stages": (LONG.stages[0].model_copy(update={"iterations": 3}),)})


def level(world: Dynamics) -> float:
    """What a task is worth in itself; tasks differ by several units."""
    return 0.0 if world.battery_v is None else world.battery_v


def dynamics(item: TaskItem) -> Dynamics:
    assert isinstance(item.world, RobotWorld)
    return item.world.robot.dynamics


def distance(item: TaskItem) -> float:
    """A task's return: its own level, less the distance to a goal."""
    return level(dynamics(item)) - float(np.square(item.theta - 0.3).sum())


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
        (held_out.add if item.measure_before else training.append)(dynamics(item).model_dump_json())
        return 0.0

    trained(TINY, Known(remember))
    assert len(held_out) == TINY.held_out.tasks
    assert not held_out & set(training)


def test_both_sides_of_a_pair_mirror_each_other_and_meet_the_same_task_and_noise() -> None:
    seen: dict[tuple[int, ...], list[TaskItem]] = {}

    def remember(item: TaskItem) -> float:
        seen.setdefault(item.index, []).append(item)
        return 0.0

    algorithm = EsMaml(TINY.plan, RobotArena(TINY), Known(remember))
    state = algorithm.start()
    theta = state.theta
    algorithm.iterate(state)
    assert list(seen) == [(0, 1), (0, 0)]
    for one, other in seen.values():
        assert dynamics(one) == dynamics(other)
        np.testing.assert_allclose(one.theta - theta, theta - other.theta, atol=1e-12)
        assert np.std(one.theta - theta) == pytest.approx(0.05, rel=0.3)


def test_a_stage_of_the_shipped_configs_steps_as_es_step_does_to_the_last_bit() -> None:
    state = trained(LONG_FEW, Known(distance))
    theta: FloatArray = np.zeros(150)
    for k in range(3):
        g = generator(LONG.seed, "outer", k).standard_normal((16, 150))
        values = [
            [float(level(world)) - float(np.square(theta + sign * 0.1 * one - 0.3).sum()) for sign in (1.0, -1.0)]
            for pair, one in enumerate(g)
            for world in [LONG.tasks.sample(LONG.robot.dynamics, generator(LONG.seed, "task", k, pair))]
        ]
        differences = np.array(values)[:, 0] - np.array(values)[:, 1]
        theta = theta + es_step(g, differences, 0.1 + (0.02 - 0.1) * (k / 3))
    assert state.theta.tobytes() == theta.tobytes()


@pytest.mark.parametrize("robot", ["minitaur", "laikago"])
def test_what_is_new_is_not_in_the_provenance_of_configs_that_came_before(robot: str) -> None:
    dumped = load(shipped("meta_train", f"{robot}.yaml"), MetaTrainConfig).model_dump(mode="json")
    assert list(dumped) == ["robot", "seed", "trial_s", "period_s", "tasks", "stages", "held_out"]
    before = ["name", "iterations", "pairs", "sigma", "step", "final_step", "adaptation"]
    assert [list(stage) for stage in dumped["stages"]] == [before, before]
    assert list(dumped["held_out"]) == ["every", "tasks", "fresh_trials", "adaptation"]


class Shuffled:
    """Results arrive in an order of chance."""

    def __init__(self, seed: int) -> None:
        self._order = np.random.default_rng(seed)

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        for key in self._order.permutation(list(items)):
            item = items[int(key)]
            assert isinstance(item, TaskItem)
            rows = generator(1, "rows", *item.index, int(key)).normal(1e3, 1.0, (7, 14))
            yield int(key), TaskResult(0.0, float(item.theta.sum()), 1, Moments.of(rows))  # type: ignore[misc]

    def close(self) -> None:
        pass


def test_moments_and_theta_do_not_depend_on_the_order_of_arrival_to_the_last_bit() -> None:
    one, *others = (trained(LONG_FEW, Shuffled(seed)) for seed in range(4))
    assert one.moments.count == 3 * 32 * 7
    for other in others:
        assert other.theta.tobytes() == one.theta.tobytes()
        assert other.moments.mean.tobytes() == one.moments.mean.tobytes()
        assert other.moments.squares.tobytes() == one.moments.squares.tobytes()


PROBLEM = ProblemArena(Quadratics(np.eye(6), np.full(6, 0.5), 0.3 * np.eye(6), noise=0.05))
STAGE = StageConfig(name="s", iterations=30, pairs=8, sigma=0.1, step=0.1, final_step=0.02)


def test_a_checkpoint_keeps_the_ascent_and_the_learned_space(tmp_path: Path) -> None:
    adam = StageConfig(
        name="a", iterations=4, pairs=4, sigma=0.1, step=0.1, final_step=0.1, adaptation=SEARCH,
        ascent=AdamConfig(kind="adam", step=1.0), exploration=ExplorationConfig(sigma=0.1, step=0.1),
    )  # fmt: skip
    subspace = SubspaceStageConfig(kind="subspace", name="b", tasks=4, pairs=2, sigma=0.1, rank=2)
    config = TINY.model_copy(update={"stages": (adam, subspace, adam)})
    algorithm, path = EsMaml(Plan(seed=1, stages=config.stages), PROBLEM, InProcessExecutor()), tmp_path / "checkpoint"
    finished = train(algorithm, 9)
    for iterations in (2, 4, 5, 7):
        checkpoint.save(train(algorithm, iterations), config, path)
        resumed = train(algorithm, 9, checkpoint.load(path, config))
        assert resumed.theta.tobytes() == finished.theta.tobytes()
        assert resumed.space is not None
        assert finished.space is not None
        np.testing.assert_array_equal(resumed.space.basis, finished.space.basis)
        assert resumed.returns == finished.returns


def test_a_run_that_diverges_stops_and_says_why() -> None:
    wild = STAGE.model_copy(update={"step": 3.0, "final_step": 3.0})
    plan = Plan(seed=1, stages=(wild,), divergence=DivergenceConfig(window=5, drop=2.0))
    algorithm, state = EsMaml(plan, PROBLEM, InProcessExecutor()), PROBLEM.start()
    good: list[bool] = []

    def go_on() -> None:
        nonlocal state
        while state.iteration < 30:
            state = algorithm.iterate(state)
            good.append(algorithm.is_good(state))

    with pytest.raises(DivergedError, match=r"mean return of iterations \d+ to \d+ is -\d.*divergence.drop is 2$"):
        go_on()
    assert good[:5] == [False] * 4 + [True]
    levels = [np.mean(state.returns[k - 5 : k]) for k in range(5, state.iteration + 1)]
    assert good[4:] == [level == max(levels[: k + 1]) for k, level in enumerate(levels)]


def test_a_run_that_climbs_is_let_alone() -> None:
    plan = Plan(seed=1, stages=(STAGE,), divergence=DivergenceConfig(window=5, drop=0.2))
    state = train(EsMaml(plan, PROBLEM, InProcessExecutor()), 30)
    assert np.square(state.theta - 0.5).sum() < 0.2 * 6 * 0.25
