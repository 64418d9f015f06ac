from __future__ import annotations

import numpy as np
import pytest

from robot_adapt.config import load, shipped, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.robot_model import RobotModel
from sim.dynamics import Dynamics
from sim.ground import Rough, Slope, Steps
from sim.sampler import DynamicsSampler

SHIPPED = load(shipped("meta_train", "minitaur.yaml"), MetaTrainConfig)


def sampler(dynamics: object = None, *hobbles: object) -> DynamicsSampler:
    return validate({"dynamics": dynamics or {}, "hobbles": list(hobbles)}, DynamicsSampler, "tasks.yaml")


def worlds(of: DynamicsSampler, count: int, nominal: Dynamics | None = None) -> list[Dynamics]:
    return [of.sample(nominal or Dynamics(), np.random.default_rng(seed)) for seed in range(count)]


def test_a_range_is_filled_evenly_and_never_left() -> None:
    values = [world.mass_ratio for world in worlds(sampler({"mass_ratio": {"low": 0.8, "high": 1.2}}), 400)]
    assert 0.8 <= min(values) < 0.82 < 1.18 < max(values) <= 1.2
    assert np.mean(values) == pytest.approx(1.0, abs=0.02)


def test_a_choice_takes_each_of_its_values_as_often() -> None:
    values = [world.battery_v for world in worlds(sampler({"battery_v": {"one_of": [10.0, 12.0, 16.0]}}), 600)]
    assert {value: values.count(value) for value in set(values)} == pytest.approx({10.0: 200, 12.0: 200, 16.0: 200}, abs=40)


def test_ranges_may_stand_inside_points_mappings_and_choices() -> None:
    grounds = {
        "one_of": [
            {"kind": "slope", "pitch_rad": {"low": 0.1, "high": 0.2}},
            {"kind": "steps", "height_m": {"low": 0.01, "high": 0.02}, "length_m": 0.3},
            {"kind": "rough", "height_m": 0.01, "length_m": 0.1, "seed": {"one_of": [1, 2, 3]}},
        ]
    }
    varied = {"payload_position_m": [{"low": 0.1, "high": 0.2}, 0.0, 0.05], "ground": grounds}
    drawn = worlds(sampler({**varied, "strength": {"front_left": {"low": 0.5, "high": 0.6}}}), 100)
    assert {type(world.ground) for world in drawn} == {Slope, Steps, Rough}
    assert {world.ground.seed for world in drawn if isinstance(world.ground, Rough)} == {1, 2, 3}
    assert len({world.payload_position_m[0] for world in drawn}) == 100
    assert all(0.1 <= world.payload_position_m[0] <= 0.2 and world.payload_position_m[2] == 0.05 for world in drawn)
    assert all(0.5 <= world.strength["front_left"] <= 0.6 for world in drawn)


def test_what_is_not_varied_is_as_in_the_nominal_world() -> None:
    (world,) = worlds(sampler({"mass_ratio": {"low": 0.8, "high": 1.2}}), 1, Dynamics(joint_noise_rad=0.01, mass_ratio=3.0))
    assert world.joint_noise_rad == 0.01
    assert world.mass_ratio < 2.0


def test_a_hobble_comes_as_often_as_asked_and_every_leg_takes_its_turn() -> None:
    legs = ["front_left", "back_left", "front_right", "back_right"]
    weak = {"kind": "weak_leg", "leg": {"one_of": legs}, "strength": {"low": 0.2, "high": 0.8}}
    drawn = [world.strength for world in worlds(sampler({}, {"probability": 0.7, "change": weak}), 1000)]
    assert np.mean([len(strength) for strength in drawn]) == pytest.approx(0.7, abs=0.05)
    assert {leg for strength in drawn for leg in strength} == set(legs)
    assert all(0.2 <= value <= 0.8 for strength in drawn for value in strength.values())


def test_hobbles_have_a_coin_each_and_come_on_top_of_the_varied_world() -> None:
    halves = [{"probability": 0.5, "change": {"kind": "weak_leg", "leg": leg, "strength": 0.5}} for leg in ("a", "b")]
    drawn = [frozenset(world.strength.items()) for world in worlds(sampler({"strength": {"a": 0.5}}, *halves), 200)]
    kinds = {frozenset({("a", 0.5)}), frozenset({("a", 0.25)})}
    assert set(drawn) == kinds | {kind | {("b", 0.5)} for kind in kinds}


def test_a_hobble_that_never_comes_changes_no_other_draw() -> None:
    varied = {"mass_ratio": {"low": 0.8, "high": 1.2}}
    weak = {"kind": "weak_leg", "leg": "front_left", "strength": {"low": 0.2, "high": 0.8}}
    slip = {"probability": 1.0, "change": {"kind": "slippery_feet", "friction": {"low": 0.1, "high": 0.5}}}
    never, always = (sampler(varied, {"probability": p, "change": weak}, slip) for p in (0.0, 1.0))
    for without, with_it in zip(worlds(never, 5), worlds(always, 5), strict=True):
        assert without.foot_friction == with_it.foot_friction
        assert without == with_it.with_changes(strength={})


def test_the_same_generator_gives_the_same_world_and_others_others() -> None:
    drawn = [world.model_dump_json() for world in worlds(SHIPPED.tasks, 20, SHIPPED.robot.dynamics)]
    assert drawn == [world.model_dump_json() for world in worlds(SHIPPED.tasks, 20, SHIPPED.robot.dynamics)]
    assert len(set(drawn)) == 20


BELOW_0 = {"one_of": [0.5, {"one_of": [0.6, {"one_of": [0.7, {"low": -0.1, "high": 0.8}]}]}]}


@pytest.mark.parametrize(
    "friction_of",
    [
        {"a": BELOW_0},
        {"one_of": [{"a": 0.5}, {"b": 0.5, "c": BELOW_0}]},
        {"a": BELOW_0, **{f"l{k}": {"low": 0.1, "high": 0.2} for k in range(30)}},
    ],
)
def test_a_bad_value_in_a_choice_of_choices_is_refused(friction_of: object) -> None:
    with pytest.raises(
        UserError, match=r"^tasks\.yaml: dynamics\.foot_friction_of\.[ac]: .* greater than or equal to 0, not -0\.1$"
    ):
        sampler({"foot_friction_of": friction_of})


def test_every_combination_within_a_hobble_is_one_that_the_robot_can_have() -> None:
    joints = {"one_of": ["FL_hip_joint", {"one_of": ["FL_upper_joint", "FL_lower_joint"]}]}

    def jammed(low_rad: float) -> DynamicsSampler:
        angle = {"one_of": [0.0, {"low": low_rad, "high": 0.2}]}
        return sampler({}, {"probability": 0.0, "change": {"kind": "locked_joint", "joint": joints, "angle_rad": angle}})

    a1 = load(shipped("robots", "a1.yaml"), RobotModel).body
    assert jammed(-0.7).misfit(a1) is None
    wrong = "hobbles.0.change.angle_rad: FL_hip_joint turns from -0.75 to 0.75 about its stance, not to -0.8"
    assert jammed(-0.8).misfit(a1) == wrong


@pytest.mark.parametrize(
    ("dynamics", "why"),
    [
        ({"battery_v": {"low": 16.0, "high": 12.0}}, r"dynamics\.battery_v: high 12\.0 is below low 16\.0"),
        ({"battery_v": {"low": "a", "high": 12.0}}, r"dynamics\.battery_v: low: Input should be a valid number, not 'a'"),
        ({"strength": {"a": {"low": -0.5, "high": 1.0}}}, r"dynamics\.strength\.a: .* greater than or equal to 0, not -0\.5"),
        ({"mass_ratio": {"one_of": [1.0, -1.0, 2.0]}}, r"dynamics\.mass_ratio: .* greater than 0, not -1\.0"),
        ({"mass_ratio": {"one_of": []}}, r"dynamics\.mass_ratio: one_of: .* at least 1 item"),
        ({"mass_ratio": {"one_of": 5}}, r"dynamics\.mass_ratio: one_of: .* not 5"),
        ({"mass_ratio": {"low": 1.0, "high": float("inf")}}, r"dynamics\.mass_ratio: high: .* finite"),
        ({"mass": 1.0}, r"dynamics\.mass: "),
    ],
)
def test_a_distribution_with_an_impossible_value_is_refused_by_its_key(dynamics: object, why: str) -> None:
    with pytest.raises(UserError, match=rf"^tasks\.yaml: {why}"):
        sampler(dynamics)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "weak_leg", "leg": "a", "strength": {"low": 0.5, "high": 1.5}}, r"\.strength: .* less than or equal to 1"),
        ({"kind": "weak_leg", "leg": "a"}, r"\.strength: Field required"),
        ({"kind": "gremlins"}, r": .*'gremlins'"),
        ({"kind": "low_battery", "battery_v": {"low": 0.0, "high": 9.0}}, r"\.battery_v: .* greater than 0"),
    ],
)
def test_a_hobble_with_an_impossible_value_is_refused_by_its_place(change: object, why: str) -> None:
    with pytest.raises(UserError, match=rf"^tasks\.yaml: hobbles\.1\.change{why}"):
        sampler(
            {},
            {"probability": 1.0, "change": {"kind": "slippery_feet", "friction": 0.1}},
            {"probability": 0.5, "change": change},
        )


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_is_one(probability: float) -> None:
    change = {"kind": "slippery_feet", "friction": 0.1}
    with pytest.raises(UserError, match=r"hobbles\.0\.probability"):
        sampler({}, {"probability": probability, "change": change})


def test_tasks_that_name_a_leg_the_robot_lacks_are_refused_even_in_the_middle_of_a_choice() -> None:
    values = SHIPPED.model_dump(mode="json")
    values["robot"] = "minitaur_training"
    legs = {"one_of": ["front_left", "tail", "back_left"]}
    values["tasks"]["hobbles"] = [{"probability": 0.1, "change": {"kind": "weak_leg", "leg": legs, "strength": 0.5}}]
    with pytest.raises(
        UserError, match=r"^x\.yaml: tasks\.hobbles\.0\.change\.leg: minitaur has no leg tail; it has front_left"
    ):
        validate(values, MetaTrainConfig, "x.yaml")
    values["tasks"] = {"dynamics": {"mass_ratio": 1.0, "strength": {"one_of": [{"front_left": 0.5}, {"tail": 0.5}]}}}
    with pytest.raises(UserError, match=r"^x\.yaml: tasks\.dynamics\.strength: minitaur has no joint or leg tail; it has"):
        validate(values, MetaTrainConfig, "x.yaml")


def test_strata_have_every_combination_of_choices_once_and_keep_the_ranges() -> None:
    joint = {"kind": "encoder_offset", "joint": {"one_of": ["front_left.0", "back_left.1"]}}
    angle = {"one_of": [{"low": -0.3, "high": -0.2}, {"low": 0.2, "high": 0.3}]}
    weak = {"kind": "weak_leg", "leg": "front_left", "strength": {"low": 0.1, "high": 0.2}}
    whole = sampler(
        {"battery_v": {"one_of": [10.0, 12.0]}, "mass_ratio": {"low": 0.9, "high": 1.1}},
        {"probability": 1.0, "change": {**joint, "angle_rad": angle}},
        {"probability": 0.5, "change": weak},
    )
    strata = whole.strata()
    choices = set()
    for one in strata:
        assert one.dynamics["mass_ratio"] == {"low": 0.9, "high": 1.1}
        assert (one.hobbles[1].probability, one.hobbles[1].change) == (0.5, weak)
        change = one.hobbles[0].change
        choices.add((one.dynamics["battery_v"], change["joint"], change["angle_rad"]["low"]))
        assert one.strata() == (one,)
    assert len(strata) == len(choices) == 8
