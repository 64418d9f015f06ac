"""What a Dynamixel's registers are worth, by model, voltage and mode; what is no motor of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hardware.motors.dynamixel import DynamixelBus
from hardware.motors.dynamixel_models import MODELS
from hardware.motors.dynamixel_units import RATINGS, units
from hardware.types import RobotError
from tests.hardware.motors.dynamixel_bench import (
    COUNT_RAD,
    bench,
    config,
)


def test_every_model_with_figures_is_in_the_sdks_table() -> None:
    assert set(RATINGS) <= set(MODELS)
    assert {model for model in MODELS if model not in RATINGS} == {"XW540-H260"}
    for model, rating in RATINGS.items():
        assert (rating.current_unit_a is not None) == MODELS[model].has_current, model


def test_a_gain_register_is_worth_what_duty_cycle_and_stall_torque_make_of_it() -> None:
    unit = units("XM430-W350", 12.0, "position")
    # 128 of P and 885 counts of error are a whole duty cycle: the stall torque.
    assert unit.kp_nm_per_rad * 128 * 885 * COUNT_RAD == pytest.approx(4.1)
    assert units("XM430-W350", 6.0, "position").kp_nm_per_rad == pytest.approx(unit.kp_nm_per_rad / 2)
    # ... and where the output is a current, that of the torque constant: nearly the same for this model.
    assert units("XM430-W350", 12.0, "current_position").kp_nm_per_rad == pytest.approx(unit.kp_nm_per_rad, rel=0.1)
    assert units("XM430-W350", 12.0, "current_position").effort_nm == pytest.approx(2.69e-3 * 4.1 / 2.3)


def test_an_unknown_model_and_a_mode_it_lacks_are_refused() -> None:
    with pytest.raises(RobotError, match="XL430-W250"):
        bench(model="XL430-W250", mode="current_position")
    with pytest.raises(RobotError, match="'AX-12'"):
        units("AX-12", 12.0, "position")
    twice = config()
    with pytest.raises(RobotError, match="same Dynamixel id"):
        DynamixelBus(replace(twice, motors=(twice.motors[0], twice.motors[0])), bench().log)
