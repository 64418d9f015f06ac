from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.errors import UserError
from robot_adapt.meta.arena import ProblemArena
from robot_adapt.meta.es_maml import EsMaml, train
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.plan import Plan
from robot_adapt.meta.subspace import SubspaceStageConfig, active_subspace
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.recombination import RecombinationConfig
from tests.robot_adapt.meta.quadratics import in_active_subspace
from tests.robot_adapt.meta.test_zero_order import after_adaptation, assert_better

ACTIVE = [3, 11]
ARENA = ProblemArena(in_active_subspace(20, ACTIVE, noise=0.1))
STAGE = SubspaceStageConfig(kind="subspace", name="s", tasks=20, pairs=10, sigma=0.1, rank=2)


def test_directions_come_with_their_lengths_from_gradients_without_noise() -> None:
    randomness = np.random.default_rng(1)
    q = np.linalg.qr(randomness.standard_normal((7, 2)))[0]
    gradients = randomness.standard_normal((500, 2)) * [3.0, 1.0] @ q.T
    basis = active_subspace(gradients, gradients, 4)
    np.testing.assert_allclose(
        basis @ basis.T, 7 * np.cov(gradients.T, bias=True) / np.square(gradients).sum(axis=1).mean(), atol=0.1
    )
    lengths = np.linalg.norm(basis, axis=0)
    assert np.square(lengths).sum() == pytest.approx(7.0)
    assert lengths[0] / lengths[1] == pytest.approx(3.0, rel=0.15)


def test_independent_noise_in_both_estimates_does_not_drown_a_direction() -> None:
    randomness = np.random.default_rng(2)
    true = randomness.standard_normal((2000, 1)) * np.eye(30)[4]
    a, b = (true + 3.0 * randomness.standard_normal(true.shape) * (np.arange(30) > 20) for _ in range(2))
    basis = active_subspace(a, b, 1)
    assert abs(basis[4, 0]) > 0.9 * np.sqrt(30.0)
    assert np.argmax(np.square(a).mean(axis=0)) != 4  # where single estimates vary most is elsewhere


def test_gradients_that_contradict_each_other_teach_nothing() -> None:
    with pytest.raises(UserError, match="do not agree: more pairs"):
        active_subspace(np.ones((3, 4)), -np.ones((3, 4)), 2)


def test_the_subspace_of_the_tasks_is_found_and_theta_stays() -> None:
    plan = Plan(seed=1, stages=(STAGE,))
    state = train(EsMaml(plan, ARENA, InProcessExecutor()), 1)
    assert state.trials == plan.trials_in(0) == 20 * 40
    assert not state.theta.any()
    assert state.space is not None
    assert state.space.basis is not None
    assert np.square(state.space.basis[ACTIVE]).sum() > 0.75 * 20


@pytest.mark.parametrize(
    "search",
    [
        BatchHillClimbingConfig(population=4, rounds=4, sigma=0.15),
        RecombinationConfig(kind="recombination", pairs=2, rounds=4, sigma=0.15),
    ],
    ids=lambda config: config.kind,
)
def test_adaptation_in_the_learned_subspace_beats_any_isotropic_one(
    search: BatchHillClimbingConfig | RecombinationConfig,
) -> None:
    space = train(EsMaml(Plan(seed=1, stages=(STAGE,)), ARENA, InProcessExecutor()), 1).space
    learned = after_adaptation(ARENA, search, space)
    for sigma in (0.05, 0.1, 0.2):
        assert_better(learned, after_adaptation(ARENA, search.model_copy(update={"sigma": sigma}), None))
