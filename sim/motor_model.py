"""DC motor: desired torque -> PWM, clipped -> back-EMF -> current -> torque table.

Plain floats: eight motors are too few for numpy.
Constants: bullet3 pybullet_envs/minitaur (`motor.py`, `minitaur.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

RESISTANCE_OHM = 0.186
TORQUE_CONSTANT_NM_PER_A = 0.0954
NOMINAL_V = 16.0
# What the motor controller's PD believes one unit of duty cycle gives at standstill on a nominal battery.
NM_PER_DUTY = TORQUE_CONSTANT_NM_PER_A * NOMINAL_V / RESISTANCE_OHM
_NM_PER_10_A = (0.0, 1.0, 1.9, 2.45, 3.0, 3.25, 3.5)
_NM_PER_A_BELOW_10_A = _NM_PER_10_A[1] / 10.0


def torque_from_current(current_a: float) -> float:
    """Saturating torque (N m) of a current (A), by linear interpolation; constant above 60 A."""
    magnitude = abs(current_a) / 10.0
    index = int(magnitude)
    if index >= len(_NM_PER_10_A) - 1:
        torque = _NM_PER_10_A[-1]
    else:
        low = _NM_PER_10_A[index]
        torque = low + (magnitude - index) * (_NM_PER_10_A[index + 1] - low)
    return torque if current_a >= 0.0 else -torque


def motor_torques(
    desired_nm: Iterable[float],
    velocities_rad_s: Iterable[float],
    strengths: Iterable[float],
    battery_v: float,
    friction_nm: float,
) -> list[float]:
    """Torques (N m) at the shafts of motors asked for `desired_nm` while turning.

    `strengths` are shares of a healthy motor's torque; Coulomb friction is linear below 0.1 rad/s, so that it cannot reverse a
    joint within a step.
    """
    torques = []
    for desired, velocity, strength in zip(desired_nm, velocities_rad_s, strengths, strict=True):
        duty = desired / NM_PER_DUTY
        duty = -1.0 if duty < -1.0 else 1.0 if duty > 1.0 else duty
        current_a = (duty * battery_v - TORQUE_CONSTANT_NM_PER_A * velocity) / RESISTANCE_OHM
        if current_a >= 10.0 or current_a <= -10.0:
            torque = strength * torque_from_current(current_a)
        else:  # the table's first segment, where most steps are: one call less
            torque = strength * current_a * _NM_PER_A_BELOW_10_A
        slip = velocity * 10.0
        torques.append(torque - friction_nm * (-1.0 if slip < -1.0 else 1.0 if slip > 1.0 else slip))
    return torques
