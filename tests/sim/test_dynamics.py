from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from robot_adapt.config import load, validate
from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig
from sim.dynamics import Dynamics, DynamicsSampler
from sim.hobbles import Hobble

SAMPLER = load(Path(__file__).parents[2] / "configs" / "meta_train" / "minitaur.yaml", MetaTrainConfig).tasks


def hobble(*changes: dict[str, object]) -> Hobble:
    return validate({"name": "test", "changes": list(changes)}, Hobble, "test.yaml")


def test_sampled_worlds_stay_in_their_ranges_and_fill_them() -> None:
    worlds = [SAMPLER.sample(np.random.default_rng(seed)) for seed in range(400)]
    for name in ("mass_ratio", "payload_kg", "battery_v", "foot_friction", "joint_friction_nm", "control_latency_s"):
        values, span = [getattr(world, name) for world in worlds], getattr(SAMPLER, name)
        assert span.low <= min(values) < span.low + 0.05 * (span.high - span.low)
        assert span.high >= max(values) > span.high - 0.05 * (span.high - span.low)


def test_one_leg_is_weak_as_often_as_asked_and_every_leg_takes_its_turn() -> None:
    worlds = [SAMPLER.sample(np.random.default_rng(seed)) for seed in range(1000)]
    weak = [np.flatnonzero(np.array(world.motor_strength) < SAMPLER.motor_strength.low) for world in worlds]
    assert max(len(legs) for legs in weak) == 1
    assert np.mean([len(legs) for legs in weak]) == pytest.approx(SAMPLER.weak_leg_probability, abs=0.05)
    assert set(np.concatenate(weak)) == {0, 1, 2, 3}


def test_the_same_generator_gives_the_same_world() -> None:
    assert SAMPLER.sample(np.random.default_rng(5)) == SAMPLER.sample(np.random.default_rng(5))


def test_a_range_upside_down_is_refused() -> None:
    values = SAMPLER.model_dump(mode="json")
    values["battery_v"] = {"low": 16.0, "high": 12.0}
    with pytest.raises(UserError, match=r"tasks\.yaml: battery_v: high 12\.0 is below low 16\.0"):
        validate(values, DynamicsSampler, "tasks.yaml")


@pytest.mark.parametrize("bad", [{"mass_ratio": 0.0}, {"battery_v": -1.0}, {"foot_friction": float("nan")}, {"colour": 1}])
def test_dynamics_that_no_world_has_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Dynamics().with_changes(**bad)


def test_a_range_that_leaves_the_possible_is_refused() -> None:
    values = SAMPLER.model_dump(mode="json")
    values["weak_leg_strength"] = {"low": -0.2, "high": 0.5}
    with pytest.raises(UserError, match=r"tasks\.yaml: top level: weak_leg_strength: no world has -0\.2"):
        validate(values, DynamicsSampler, "tasks.yaml")


def test_two_payloads_are_one_at_their_common_centre() -> None:
    one = {"kind": "payload", "mass_kg": 0.5, "position_m": [0.0, 0.1, 0.0]}
    both = hobble(one, {"kind": "payload", "mass_kg": 0.3, "position_m": [0.1, -0.1, 0.0]}).apply(Dynamics())
    assert both.payload_kg == pytest.approx(0.8)
    assert both.payload_position_m == pytest.approx((0.0375, 0.025, 0.0))


def test_hobbles_change_what_they_name_and_compose() -> None:
    changed = hobble(
        {"kind": "payload", "mass_kg": 0.5, "position_m": [0.0, 0.1, 0.0]},
        {"kind": "low_battery", "battery_v": 10.0},
        {"kind": "weak_leg", "leg": "back_right", "strength": 0.5},
        {"kind": "weak_leg", "leg": "back_right", "strength": 0.5},
        {"kind": "slippery_feet", "friction": 0.3},
    ).apply(Dynamics())
    assert changed == Dynamics(
        payload_kg=0.5,
        payload_position_m=(0.0, 0.1, 0.0),
        battery_v=10.0,
        motor_strength=(1.0, 1.0, 1.0, 0.25),
        foot_friction=0.3,
    )


def test_a_hobble_says_what_it_is_in_words() -> None:
    text = str(hobble({"kind": "low_battery", "battery_v": 10.0}, {"kind": "weak_leg", "leg": "front_left", "strength": 0.4}))
    assert text == "battery at 10 V, front left leg at 40% strength"


def test_a_leg_that_the_robot_lacks_is_named() -> None:
    with pytest.raises(UserError, match=r"test\.yaml: changes\.0\.weak_leg\.leg: Input should be 'front_left', 'back_left'"):
        hobble({"kind": "weak_leg", "leg": "middle", "strength": 0.4})


def test_a_hobble_that_does_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="changes"):
        hobble()
