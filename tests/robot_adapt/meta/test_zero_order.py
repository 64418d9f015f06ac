from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.config import validate
from robot_adapt.errors import UserError
from robot_adapt.meta.arena import ProblemArena
from robot_adapt.meta.es_maml import EsMaml, train
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.plan import Plan
from robot_adapt.meta.task import TaskItem, run_task
from robot_adapt.meta.zero_order import ExplorationConfig, StageConfig, ZeroOrder, average_over_tasks
from robot_adapt.optim.ascent import AdamConfig, AscentConfig, MomentumConfig, SgdConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.es_gradient import EsGradientConfig
from robot_adapt.optim.operators import OperatorConfig
from robot_adapt.optim.recombination import RecombinationConfig
from robot_adapt.optim.space import Space
from robot_adapt.policy.normalizer import Moments
from robot_adapt.randomness import generator
from tests.robot_adapt.meta.quadratics import Quadratics, in_active_subspace

BHC = BatchHillClimbingConfig(population=4, rounds=4, sigma=0.3)
STAGE = StageConfig(name="s", iterations=40, pairs=8, sigma=0.1, step=0.1, final_step=0.02)
MIDDLE = np.array([0.8, -0.4, 0.3, 0.0, 0.5])
ARENA = ProblemArena(Quadratics(np.eye(5), MIDDLE, 0.5 * np.eye(5), noise=0.05))


def trained(stage: StageConfig, arena: ProblemArena = ARENA) -> FloatArray:
    return train(EsMaml(Plan(seed=1, stages=(stage,)), arena, InProcessExecutor()), stage.iterations).theta


def items(stage: StageConfig) -> list[TaskItem]:
    return list(ZeroOrder(stage, 0, ARENA, 1, ARENA.start()).items.values())


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize(
    "ascent", [SgdConfig(step=1.0), MomentumConfig(kind="momentum", step=0.3, beta=0.7), AdamConfig(kind="adam", step=0.5)]
)
def test_it_climbs_to_the_middle_of_the_tasks(ascent: AscentConfig, antithetic: bool) -> None:
    stage = STAGE.model_copy(update={"ascent": ascent, "antithetic": antithetic, "tasks": 2, "pairs": 8 if antithetic else 16})
    assert np.square(trained(stage) - MIDDLE).sum() < 0.15 * np.square(MIDDLE).sum()


@pytest.mark.parametrize(
    "adaptation",
    [
        BatchHillClimbingConfig(population=2, rounds=2, sigma=0.1),
        EsGradientConfig(kind="es_gradient", directions=2, rounds=1, sigma=0.1, ascent=SgdConfig(step=0.5)),
        RecombinationConfig(kind="recombination", pairs=2, rounds=1, sigma=0.1),
    ],
    ids=lambda config: config.kind,
)
def test_any_operator_adapts_inside(adaptation: OperatorConfig) -> None:
    stage = STAGE.model_copy(update={"adaptation": adaptation})
    assert np.square(trained(stage) - MIDDLE).sum() < 0.3 * np.square(MIDDLE).sum()


def test_a_batch_gives_every_pair_tasks_of_its_own() -> None:
    made = items(STAGE.model_copy(update={"pairs": 3, "tasks": 2}))
    assert [item.index for item in made] == [(0, task) for task in range(6) for _ in range(2)]
    assert len({item.world.task.goal.tobytes() for item in made}) == 6  # type: ignore[attr-defined]
    np.testing.assert_array_equal(made[0].theta, made[2].theta)
    np.testing.assert_allclose(made[0].theta, -made[1].theta, atol=1e-15)


def test_forward_all_perturbations_meet_the_same_tasks() -> None:
    made = items(STAGE.model_copy(update={"pairs": 3, "tasks": 2, "antithetic": False}))
    assert [item.index for item in made] == [(0, 0), (0, 1)] * 3
    assert len({item.theta.tobytes() for item in made}) == 3


def test_without_common_noise_no_two_items_share_their_noise() -> None:
    made = items(STAGE.model_copy(update={"pairs": 3, "tasks": 2, "common_noise": False}))
    assert len({item.index for item in made}) == len(made) == 12


def test_a_pair_is_averaged_over_the_tasks_where_both_its_sides_are_known() -> None:
    nan = np.nan
    values = np.array([[[1.0, 2.0], [3.0, 5.0]], [[1.0, nan], [3.0, 5.0]], [[nan, 1.0], [nan, nan]]])
    np.testing.assert_array_equal(average_over_tasks(values), [[2.0, 3.5], [3.0, 5.0], [nan, nan]])


def test_a_single_side_is_freed_of_what_its_tasks_are_worth() -> None:
    values = np.array([[1.0, 100.0], [3.0, np.nan], [np.nan, 104.0]])[:, :, None]
    np.testing.assert_array_equal(average_over_tasks(values), [-1.5, 1.0, 2.0])


def test_exploration_without_adaptation_is_refused() -> None:
    values = {**STAGE.model_dump(), "exploration": {"sigma": 0.1, "step": 0.1}}
    with pytest.raises(UserError, match=r"x\.yaml: .*exploration: there is no adaptation"):
        validate(values, StageConfig, "x.yaml")


def after_adaptation(arena: ProblemArena, search: OperatorConfig, space: Space | None, tasks: int = 150) -> FloatArray:
    """Returns (tasks,) after adaptation from zero; the same tasks and noise for every search and space."""
    theta = np.zeros(arena.problem.parameters)

    def one(task: int) -> float:
        world = arena.world(Moments.empty(0), generator(9, "fresh task", task))
        return run_task(TaskItem(world, theta, search, space, 1, False, 9, (task,), common_fresh=True)).after

    return np.array([one(task) for task in range(tasks)])


def assert_better(learned: FloatArray, isotropic: FloatArray) -> None:
    """By more than a paired 99.9 % confidence interval."""
    gain = learned - isotropic
    assert gain.mean() > 3.3 * gain.std(ddof=1) / np.sqrt(len(gain)), gain.mean()


def test_learned_lengths_of_axes_beat_any_isotropic_search_where_few_axes_matter() -> None:
    active = [3, 11]
    arena = ProblemArena(in_active_subspace(20, active, noise=0.1))
    stage = StageConfig(
        name="s", iterations=25, pairs=16, sigma=0.02, step=0.001, final_step=0.0005, adaptation=BHC,
        exploration=ExplorationConfig(sigma=0.3, step=0.5),
    )  # fmt: skip
    state = train(EsMaml(Plan(seed=1, stages=(stage,)), arena, InProcessExecutor()), 25)
    assert state.space is not None
    assert isinstance(state.space.scale, np.ndarray)
    assert set(np.argsort(-state.space.scale)[:2]) == set(active)
    learned = after_adaptation(arena, BHC, state.space)
    for sigma in (0.1, 0.2):
        assert_better(learned, after_adaptation(arena, BHC.model_copy(update={"sigma": sigma}), None))


def test_exploration_scales_a_learned_subspace_too() -> None:
    arena = ProblemArena(in_active_subspace(6, [0, 1], noise=0.1))
    stage = STAGE.model_copy(update={"adaptation": BHC, "exploration": ExplorationConfig(sigma=0.3, step=0.3), "iterations": 2})
    basis = np.eye(6)[:, :2]
    begin = replace(arena.start(), space=Space(6, None, basis))
    state = train(EsMaml(Plan(seed=1, stages=(stage,)), arena, InProcessExecutor()), 2, begin)
    assert state.space is not None
    assert state.space.basis is not None
    assert state.space.scale is None
    assert (state.space.basis[:2] != basis[:2]).sum() == 2  # the columns' lengths
    assert not state.space.basis[2:].any()


def variance_of(values: Callable[[bool, int], float], common: bool, count: int = 150) -> float:
    return float(np.var([values(common, i) for i in range(count)], ddof=1))


def difference(adaptation: OperatorConfig | None, noise: float) -> Callable[[bool, int], float]:
    """One mirrored pair's difference in return, with common noise or without."""
    arena = ProblemArena(Quadratics(np.eye(5), MIDDLE, 0.5 * np.eye(5), noise))

    def one(common: bool, seed: int) -> float:
        stage = STAGE.model_copy(update={"pairs": 1, "adaptation": adaptation, "common_noise": common})
        plus, minus = (run_task(item).after for item in ZeroOrder(stage, 0, arena, seed, arena.start()).items.values())
        return plus - minus

    return one


@pytest.mark.parametrize(("adaptation", "most"), [(None, 0.5), (BHC, 0.9)], ids=["no adaptation", "bhc"])
def test_common_noise_takes_variance_out_of_mirrored_pairs(adaptation: OperatorConfig | None, most: float) -> None:
    differences = difference(adaptation, noise=0.3)
    assert variance_of(differences, True) < most * variance_of(differences, False)


def test_common_fresh_noise_takes_variance_out_of_comparing_operators() -> None:
    """Two budgets on the same tasks: fresh trials after either meet the same noise, although trials before them differ."""
    short, long = BHC, BHC.model_copy(update={"rounds": 5})

    def gap(common: bool, seed: int) -> float:
        world = ARENA.world(Moments.empty(0), generator(seed, "task"))
        item = TaskItem(replace(world, task=replace(world.task, noise=1.0)), MIDDLE, short, None, 1, False, seed, (0,), common)  # type: ignore[type-var, attr-defined]
        return run_task(item).after - run_task(replace(item, adaptation=long)).after

    assert variance_of(gap, True) < 0.8 * variance_of(gap, False)
