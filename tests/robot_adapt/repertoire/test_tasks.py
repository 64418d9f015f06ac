from __future__ import annotations

from robot_adapt.repertoire.mirror import mirror_of
from robot_adapt.repertoire.tasks import Tasks
from tests.robot_adapt.repertoire.test_config import WEAK, _config


def _tasks() -> Tasks:
    legs = {"one_of": ["front_left", "back_left"]}
    families = {"healthy": {}, "weak": {"hobbles": [{"probability": 1.0, "change": {**WEAK, "leg": legs}}]}}
    config = _config(families=families, worlds={"dynamics": {"mass_ratio": {"low": 0.9, "high": 1.1}}})
    return Tasks(config, mirror_of(config.robot.robot.body, config.robot.robot.trot))


def test_families_take_turns() -> None:
    drawn = _tasks().drawn("round", 0, 4).values()
    assert [family for family, _ in drawn] == ["healthy", "weak"] * 2
    assert [len(world.strength) for _, world in drawn] == [0, 1] * 2


def test_tasks_that_are_spread_go_through_all_choices_of_each_family_in_turn() -> None:
    drawn = _tasks().spread("matrix", 6).values()
    assert [family for family, _ in drawn] == ["healthy", "weak"] * 3
    assert [list(world.strength) for _, world in drawn] == [[], ["front_left"], [], ["back_left"], [], ["front_left"]]
    assert len({world.mass_ratio for _, world in drawn}) == 6


def test_a_task_s_worlds_have_its_hobble_and_the_first_one_is_its_own() -> None:
    tasks = _tasks()
    worlds = tasks.worlds("round", 0, 1, 3)
    assert worlds[0] == tasks.drawn("round", 0, 2)[1][1]
    assert len({world.mass_ratio for world in worlds}) == 3
    assert all(world.strength == worlds[0].strength for world in worlds)


def test_a_niche_s_tasks_take_turns_those_of_the_other_side_mirrored() -> None:
    tasks = _tasks()
    here, across = tasks.worlds("niche", 0, 1, 2), tasks.worlds("niche", 0, 3, 2)
    worlds = tasks.niche_worlds([(1, False), (3, True)], 3)
    assert worlds[::2] == here
    ((leg, strength),) = across[0].strength.items()
    assert worlds[1].strength == {leg.replace("left", "right"): strength}
    assert worlds[1].mass_ratio == across[0].mass_ratio
