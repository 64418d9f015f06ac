from __future__ import annotations

import pytest

from sim.motor_model import NM_PER_DUTY, motor_torques, torque_from_current


def torque(
    desired_nm: float, velocity: float = 0.0, strength: float = 1.0, battery_v: float = 16.0, friction: float = 0.0
) -> float:
    return motor_torques([desired_nm], [velocity], [strength], battery_v, friction)[0]


@pytest.mark.parametrize(("current_a", "nm"), [(0, 0), (10, 1.0), (15, 1.45), (30, 2.45), (60, 3.5), (500, 3.5), (-20, -1.9)])
def test_the_torque_table_is_the_public_one(current_a: float, nm: float) -> None:
    assert torque_from_current(current_a) == pytest.approx(nm)


def test_at_standstill_a_small_torque_is_linear_in_the_current() -> None:
    # 0.5 N m asked: duty 0.5 / 8.2, 0.98 V, 5.24 A, and the table gives 0.1 N m an ampere.
    assert torque(0.5) == pytest.approx(0.5 / 0.0954 * 0.1)


def test_the_duty_cycle_is_clipped() -> None:
    assert torque(100.0) == torque(NM_PER_DUTY) == 3.5


def test_a_lower_battery_gives_less() -> None:
    assert torque(2.0, battery_v=10.0) < torque(2.0)


def test_back_emf_takes_torque_from_a_motor_that_turns_and_brakes_one_without_duty() -> None:
    assert torque(2.0, velocity=20.0) < torque(2.0)
    assert torque(0.0, velocity=5.0) < 0.0
    assert torque(0.0, velocity=-5.0) == -torque(0.0, velocity=5.0)


def test_strength_scales_the_torque() -> None:
    assert torque(2.0, strength=0.3) == pytest.approx(0.3 * torque(2.0))
    assert torque(2.0, strength=0.0) == 0.0


def test_friction_opposes_motion_and_holds_nothing_at_rest() -> None:
    assert torque(0.0, velocity=1.0, friction=0.05) == pytest.approx(torque(0.0, velocity=1.0) - 0.05)
    assert torque(0.0, velocity=-1.0, friction=0.05) == pytest.approx(torque(0.0, velocity=-1.0) + 0.05)
    assert torque(0.0, velocity=0.0, friction=0.05) == 0.0
