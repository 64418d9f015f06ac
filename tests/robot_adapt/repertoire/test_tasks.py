from __future__ import annotations

from robot_adapt.repertoire.mirror import mirror_of
from robot_adapt.repertoire.tasks import Tasks
from tests.robot_adapt.repertoire.test_config import WEAK, _config


def _tasks() -> Tasks:
    legs = {"one_of": ["front_left", "back_left"]}
    families = {"healthy": {}, "weak": {"hobbles": [{"probability": 1.0, "change": {**WEAK, "leg": legs}}]}}
    config = _config(families=families, worlds={"dynamics": {"mass_ratio": {"low": 0.9, "high": 1.1}}})
    return Tasks(config, mirror_of(config.robot.robot.body, config.robot.robot.trot))


def test_tasks_go_through_all_choices_of_all_families_in_turn() -> None:
    drawn = _tasks().drawn("matrix", 0, 6).values()
    assert [family for family, _ in drawn] == ["healthy", "weak", "weak"] * 2
    assert [list(world.strength) for _, world in drawn] == [[], ["front_left"], ["back_left"]] * 2


def test_worlds_alike_have_the_same_choices_and_hobbles_of_their_own_the_first_one_the_task_s() -> None:
    tasks = _tasks()
    worlds = tasks.alike("round", 0, 2, 3)
    assert worlds[0] == tasks.drawn("round", 0, 3)[2][1]
    assert len({world.mass_ratio for world in worlds}) == 3
    assert all(list(world.strength) == ["back_left"] for world in worlds)
    assert len({world.strength["back_left"] for world in worlds}) == 3


def test_a_niche_s_tasks_take_turns_those_of_the_other_side_mirrored() -> None:
    tasks = _tasks()
    drawn = tasks.drawn("niche", 0, 5)
    here, across = drawn[1][1], drawn[4][1]
    worlds = tasks.niche_worlds([(1, False), (4, True)], 3)
    assert worlds[0] == here
    assert worlds[2].strength == here.strength
    assert worlds[2].mass_ratio != here.mass_ratio
    assert worlds[1].strength == {"front_right": across.strength["front_left"]}
    assert worlds[1].mass_ratio == across.mass_ratio
