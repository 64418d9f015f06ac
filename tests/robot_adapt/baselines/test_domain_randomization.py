from __future__ import annotations

import pytest

from robot_adapt.baselines.domain_randomization import domain_randomization_only
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.es_maml import EsMaml
from robot_adapt.meta.executors.local import InProcessExecutor
from robot_adapt.meta.robot_arena import RobotArena


def config(name: str) -> MetaTrainConfig:
    return load(shipped("meta_train", f"{name}.yaml"), MetaTrainConfig)


def training_trials(one: MetaTrainConfig) -> int:
    return sum(stage.iterations * stage.trials for stage in one.stages)


@pytest.mark.parametrize("robot", ["minitaur", "laikago"])
def test_the_shipped_baseline_is_the_shipped_training_without_adaptation_at_equal_compute(robot: str) -> None:
    whole, alone = config(robot), config(f"{robot}_dr")
    assert alone == domain_randomization_only(whole)
    assert training_trials(alone) == training_trials(whole)
    tests = [one.plan.iterations // one.held_out.every for one in (whole, alone)]
    assert tests == [5, 5]


def test_policy_gradient_maml_is_shipped_at_equal_compute() -> None:
    whole, rival = config("minitaur"), config("minitaur_policy_gradient")
    assert training_trials(rival) == training_trials(whole)
    assert rival.stages[0] == whole.stages[0]
    assert (rival.tasks, rival.robot, rival.seed) == (whole.tasks, whole.robot, whole.seed)


def test_a_training_that_adapts_from_the_first_iteration_is_refused() -> None:
    whole = config("minitaur")
    with pytest.raises(UserError, match=r"stages\.0: ES-MAML .* adapts"):
        domain_randomization_only(whole.model_copy(update={"stages": whole.stages[1:]}))


@pytest.mark.parametrize("name", ["minitaur_dr", "minitaur_policy_gradient"])
def test_each_trains_a_robot_for_an_iteration(name: str) -> None:
    whole = config(name)
    last = whole.stages[-1]
    changes: dict[str, object] = {"iterations": 1, "tasks": 1}
    if last.kind == "zero_order":
        changes["pairs"] = 1
    if last.kind == "policy_gradient_maml":
        changes["adaptation"] = last.adaptation.model_copy(update={"episodes": 2})
    held_out = whole.held_out.model_copy(update={"every": 99, "tasks": 2, "fresh_trials": 1})
    search = held_out.adaptation.model_copy(update={"population": 1, "rounds": 1})
    tiny = whole.model_copy(
        update={
            "trial_s": 0.1,
            "stages": (last.model_copy(update=changes),),
            "held_out": held_out.model_copy(update={"adaptation": search}),
        }
    )
    arena = RobotArena(tiny)
    algorithm = EsMaml(tiny.plan, arena, InProcessExecutor())
    state = algorithm.iterate(algorithm.start())
    assert state.trials == tiny.stages[0].trials
    assert (state.theta != 0.0).any()
    assert arena.policy(state).provenance["trials"] == state.trials
