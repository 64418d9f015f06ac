from __future__ import annotations

import pytest

from robot_adapt.config import validate
from robot_adapt.errors import UserError
from robot_adapt.repertoire.config import RepertoireConfig

_TINY = {"iterations": 2, "pairs": 2, "sigma": 0.05, "final_sigma": 0.02, "step": 0.06, "final_step": 0.02}
_GENERALISTS = {
    "training": {**_TINY, "worlds": 3},
    "worlds": {"wide": {"dynamics": {"mass_ratio": {"low": 0.8, "high": 1.2}}}},
}
_WIDE_TO_NARROW = {"sigma": 0.08, "final_sigma": 0.02, "step": 0.04, "final_step": 0.01}
WEAK = {"kind": "weak_leg", "leg": "front_left", "strength": {"low": 0.1, "high": 0.4}}
SLOPE = {"kind": "ground", "ground": {"kind": "slope", "roll_rad": 0.1}}
TINY_GROWTH = {
    "policy": "minitaur",
    "robot": "minitaur_training",
    "seed": 1,
    "trial_s": 0.4,
    "worlds": {"dynamics": {"start_push_m_s": 0.05}},
    "families": {name: {"hobbles": [{"probability": 1.0, "change": one}]} for name, one in (("weak", WEAK), ("slope", SLOPE))},
    "specialist": {**_TINY, "worlds": 2},
    "rounds": [{"candidates": 3, "specialists": 2}, {"candidates": 2, "specialists": 1}],
    "selection": {"tasks": 2, "trials": 2, "members": 7},
    "matrix": {"tasks": 3, "trials": 2},
}


def _config(**changes: object) -> RepertoireConfig:
    return validate({**TINY_GROWTH, **changes}, RepertoireConfig, "test.yaml")


def test_generalists_need_their_places() -> None:
    with pytest.raises(UserError, match=r"selection\.members: 2 are too few: the meta-policy, .* are 3"):
        _config(generalists=_GENERALISTS, selection={"tasks": 2, "trials": 2, "members": 2})


def test_no_family_is_called_as_member_0() -> None:
    with pytest.raises(UserError, match=r"families\.meta-policy: member 0 has this name"):
        _config(families={"meta-policy": {}})


def test_a_generalist_is_not_called_as_a_family() -> None:
    called_so = {**_GENERALISTS, "worlds": {"weak": {}}}
    with pytest.raises(UserError, match=r"generalists.worlds.weak: a family has this name"):
        _config(generalists=called_so)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rounds": [{"candidates": 2, "specialists": 1}, {"candidates": 1, "specialists": 1}]}, "rounds.1.candidates"),
        ({"selection": {"tasks": 1, "trials": 2, "members": 7}}, "selection.tasks"),
        ({"refinement": {"tasks": 1, "training": {**_TINY, "worlds": 1}}}, "refinement.tasks"),
        ({"families": {name: {} for name in "abcd"}}, "matrix.tasks"),
    ],
)
def test_every_family_has_its_turn(changes: dict[str, object], key: str) -> None:
    others = {"rounds": [{"candidates": 9, "specialists": 1}], "selection": None}
    with pytest.raises(UserError, match=rf"{key}: \d are too few for \d families"):
        _config(**{**others, **changes})


def test_a_specialist_searches_widely_first_and_narrowly_in_the_end() -> None:
    config = _config(specialist={"iterations": 4, "pairs": 2, **_WIDE_TO_NARROW, "worlds": 1}).specialist
    assert config.at(0) == (0.08, 0.04)
    assert config.at(2) == pytest.approx((0.04, 0.02))


def test_a_family_that_this_robot_cannot_have_is_named() -> None:
    with pytest.raises(UserError, match=r"families.weak.hobbles.0.change.leg: minitaur has no leg tail"):
        _config(families={"weak": {"hobbles": [{"probability": 1.0, "change": {**WEAK, "leg": "tail"}}]}})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"robot": "minitaur_mujoco"}, "robot: engine mujoco"),
        ({"robots": {"weak": "minitaur_mujoco"}}, r"robots\.weak: engine mujoco"),
        ({"robots": {"weak": "laikago_training"}}, r"robots\.weak: laikago is not the robot, minitaur"),
        ({"traces": "minitaur_mujoco"}, r"traces: engine mujoco"),
        ({"traces": "laikago_training"}, r"traces: laikago is not the robot, minitaur"),
        ({"robots": {"weka": "minitaur"}}, r"robots\.weka: no family has this name"),
    ],
)
def test_nothing_is_grown_on_what_stands_for_reality_or_on_another_robot(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        _config(**changes)
