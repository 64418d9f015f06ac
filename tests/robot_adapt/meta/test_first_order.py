from __future__ import annotations

import numpy as np
import pytest

from hardware.types import FloatArray
from robot_adapt.meta.arena import ProblemArena, ProblemWorld
from robot_adapt.meta.es_maml import EsMaml, train
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.first_order import FirstOrderStageConfig, hessian_product, meta_gradient
from robot_adapt.meta.plan import Plan
from robot_adapt.meta.task_gradient import GradientItem, MetaGradientConfig
from tests.robot_adapt.meta.quadratics import Quadratics, QuadraticTask

A = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 0.5]])
GOAL = np.array([1.0, -0.5, 2.0])
THETA = np.array([0.2, 0.1, -0.3])
ALPHA = 0.2


def analytic(hessian: bool) -> FloatArray:
    """Of a quadratic, whose smoothed gradient is its gradient; the Hessian is -A."""
    adapted = THETA - ALPHA * A @ (THETA - GOAL)
    slope = -A @ (adapted - GOAL)
    full: FloatArray = slope - ALPHA * A @ slope if hessian else slope
    return full


def estimates(config: MetaGradientConfig, count: int = 300) -> FloatArray:
    world = ProblemWorld(QuadraticTask(A, GOAL, noise=0.1))
    return np.array([meta_gradient(GradientItem(world, THETA, config, 1, (i,))).gradient for i in range(count)])


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("hessian", [True, False])
def test_the_estimate_is_the_analytic_meta_gradient_within_its_confidence_interval(hessian: bool, antithetic: bool) -> None:
    config = MetaGradientConfig(directions=16, sigma=0.3, alpha=ALPHA, hessian=hessian, antithetic=antithetic)
    found = estimates(config)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    away = np.abs(found.mean(axis=0) - analytic(hessian)) / error
    assert (away < 3.0).all(), away
    other = np.abs(found.mean(axis=0) - analytic(not hessian)) / error
    assert other.max() > 4.0, other  # the interval tells the two meta-gradients apart


@pytest.mark.parametrize("mirrored", [True, False])
def test_the_hessian_is_that_of_a_quadratic(mirrored: bool) -> None:
    task, randomness, v = QuadraticTask(A, GOAL, noise=0.0), np.random.default_rng(1), np.array([1.0, -2.0, 0.5])
    g = randomness.standard_normal((40_000, 3))

    def values(sign: float) -> FloatArray:
        return np.array([task.value(THETA + sign * 0.5 * one, randomness) for one in g])

    seen = np.column_stack((values(1.0), values(-1.0))) if mirrored else values(1.0)
    np.testing.assert_allclose(hessian_product(g, seen, 0.5, v), -A @ v, atol=0.15)


def test_the_hessian_is_unbiased_from_as_few_as_two_perturbations() -> None:
    task, randomness, v = QuadraticTask(A, GOAL, noise=0.0), np.random.default_rng(3), np.array([1.0, -2.0, 0.5])

    def one() -> FloatArray:
        g = randomness.standard_normal((2, 3))
        sides = [[task.value(THETA + sign * 0.5 * step, randomness) for sign in (1.0, -1.0)] for step in g]
        return hessian_product(g, np.array(sides), 0.5, v)

    found = np.array([one() for _ in range(4000)])
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) + A @ v) < 3.0 * error).all()
    assert (error < 0.15 * np.linalg.norm(A @ v)).all()


def test_what_returns_are_worth_in_themselves_does_not_matter() -> None:
    randomness = np.random.default_rng(2)
    g, values, v = randomness.standard_normal((5, 3)), randomness.standard_normal(5), np.ones(3)
    np.testing.assert_allclose(hessian_product(g, values + 1e3, 0.5, v), hessian_product(g, values, 0.5, v), rtol=1e-6)


@pytest.mark.parametrize("hessian", [True, False])
def test_training_climbs_to_the_middle_of_the_tasks(hessian: bool) -> None:
    middle = np.array([0.5, -1.0, 1.0])
    arena = ProblemArena(Quadratics(A, middle, 0.3 * np.eye(3), noise=0.05))
    stage = FirstOrderStageConfig(
        kind="first_order", name="s", iterations=60, tasks=4, step=0.5, final_step=0.05,
        estimate=MetaGradientConfig(directions=4, sigma=0.1, alpha=0.1, hessian=hessian),
    )  # fmt: skip
    plan = Plan(seed=1, stages=(stage,))
    state = train(EsMaml(plan, arena, InProcessExecutor()), 60)
    assert state.trials == sum(plan.trials_in(k) for k in range(60)) == 60 * 4 * (24 if hessian else 16)
    # The meta-optimum is the mean of the goals: curvature is the same in all tasks.
    np.testing.assert_allclose(state.theta, middle, atol=0.25)
