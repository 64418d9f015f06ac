"""Motors, compiled by numba: PD -> duty or current -> back-EMF -> torque table; sag, friction, heat, jammed joints.

One call a physics step for all motors of a robot. Angles, velocities, a command and parameters enter, torques at the shafts
leave. No physics engine and no sensor is known here.
"""

from __future__ import annotations

import math

import numpy as np

from hardware.types import FloatArray, JointCommand
from sim.compiled import njit
from sim.dynamics import Dynamics
from sim.robots.body import Body

# Rows of `parts`, one column a motor.
_STRENGTH, _COULOMB, _VISCOUS, ENCODER, _JAMMED, _JAMMED_AT, _JAM_KP, _JAM_KD = range(8)
# Entries of `constants`.
_DUTY_DRIVE, _OHM, _KT, _NOMINAL_V, BATTERY_V, _BATTERY_OHM, _TABLE_STEP_A, _HOT_NM, _HOT_AFTER_S, _TIME_STEP_S = range(10)
# What follows the constants in `shared`: the battery's voltage now, work done, and the lengths of serial legs.
TERMINALS_V, ENERGY_J, UPPER_M, LOWER_M, STANCE_M = range(10, 15)
SHARED = 15
# Rows of `motors`, one column a motor; from PARTS and GOAL on those of `parts` and `goal`.
SIGN, OFFSET, _SLOPE, TORQUE, HOT_S, PARTS, GOAL = 0, 1, 2, 3, 4, 5, 13
MOTORS = 18
# How a jammed joint gives way, against the gains of its motor's controller.
_JAM_STIFFNESS, _JAM_DAMPING = 4.0, 2.0
# It holds so many times the motor's greatest torque: unbounded, a serial leg near its dead point throws the robot.
_JAM_STRENGTH = 5.0
# Coulomb friction is linear below this speed, or below the one it takes from this inertia in a step: it turns no joint round.
_SLIP_RAD_S = 0.1
_LEAST_INERTIA_KG_M2 = 2.0e-3
# Cosine of delta: a leg that is quite straight, or quite folded, has no finite slope.
_STRAIGHT = 0.99


def parts(body: Body, dynamics: Dynamics) -> FloatArray:
    """What differs from motor to motor in one world, for `drive`: (8, n)."""

    def named(values: dict[str, float], joint: str) -> list[float]:
        return [value for name, value in values.items() if joint in body.joints_called(name)]

    rows = []
    for joint in body.spec.joints:
        locked = named(dynamics.locked_joints_rad, joint.name)
        rows.append(
            [
                math.prod(named(dynamics.strength, joint.name)),
                dynamics.joint_friction_nm + sum(named(dynamics.worn_joints_nm, joint.name)),
                dynamics.joint_viscosity_nm_s,
                sum(named(dynamics.encoder_offset_rad, joint.name)),
                float(bool(locked)),
                joint.stance_rad + sum(locked),
                joint.kp_nm_per_rad * _JAM_STIFFNESS,
                joint.kd_nm_s_per_rad * _JAM_DAMPING,
            ]
        )
    return np.array(rows).T.copy()


def constants(body: Body, dynamics: Dynamics, time_step_s: float) -> FloatArray:
    """What all motors of a robot share in one world, for `drive`: (10,)."""
    motor, heat = body.motor, body.motor.overheat
    return np.array(
        [
            float(motor.drive == "duty"),
            motor.resistance_ohm,
            motor.torque_constant_nm_per_a,
            motor.nominal_v,
            motor.nominal_v if dynamics.battery_v is None else dynamics.battery_v,
            dynamics.battery_ohm,
            motor.table_step_a,
            math.inf if heat is None else heat.torque_nm,
            math.inf if heat is None else heat.after_s,
            time_step_s,
        ]
    )


def goal(command: JointCommand) -> FloatArray:
    """A command for `drive`: (5, n)."""
    return np.array(command.rows)


@njit(cache=True)
def torque_from_current(current_a: float, table_nm: FloatArray, step_a: float) -> float:
    """Torque (N m) by linear interpolation in a table from 0 A, `step_a` apart; constant past its end."""
    magnitude = abs(current_a) / step_a
    last = table_nm.size - 1
    index = int(magnitude) if magnitude < last else last
    if index == last:
        torque = table_nm[last]
    else:
        torque = table_nm[index] + (magnitude - index) * (table_nm[index + 1] - table_nm[index])
    return float(torque if current_a >= 0.0 else -torque)


@njit(cache=True)
def drive(
    goal: FloatArray, seen: FloatArray, true: FloatArray, parts: FloatArray, constants: FloatArray, table_nm: FloatArray,
    battery_v: float, hot_s: FloatArray, torques_nm: FloatArray,
) -> float:  # fmt: skip
    """Fills in torques (n,) for one step and adds to the heat (n,); returns the current drawn from the battery (A).

    `seen` (2, n) are angles and velocities as the motors' controllers see them, `true` as they are.
    """
    duty_drive, ohm, kt, nominal_v, _, _, table_step_a, hot_nm, hot_after_s, time_step_s = constants
    drawn_a = 0.0
    for i in range(torques_nm.size):
        velocity = true[1, i]
        # A controller's encoder is off by the same angle as the one that is read.
        error = goal[0, i] - seen[0, i] - parts[ENCODER, i]
        desired = goal[3, i] * error + goal[4, i] * (goal[1, i] - seen[1, i]) + goal[2, i]
        if duty_drive > 0.0:
            duty = min(max(desired * ohm / (kt * nominal_v), -1.0), 1.0)
            current = (duty * battery_v - kt * velocity) / ohm
        else:
            current = min(max(desired / kt, (-battery_v - kt * velocity) / ohm), (battery_v - kt * velocity) / ohm)
            most = table_step_a * (table_nm.size - 1)
            current = min(max(current, -most), most)
            duty = (current * ohm + kt * velocity) / battery_v
        torque = parts[_STRENGTH, i] * torque_from_current(current, table_nm, table_step_a)
        if parts[_STRENGTH, i] > 0.0 and hot_s[i] < hot_after_s:
            drawn_a += max(duty * current, 0.0)
        if hot_s[i] >= hot_after_s:
            hot_s[i] = math.inf
            torque = 0.0
        elif abs(torque) > hot_nm:
            hot_s[i] += time_step_s
        else:
            hot_s[i] = 0.0
        if parts[_JAMMED, i] > 0.0:
            # A damping that more than stops the least inertia within a step would shake the joint.
            damping = min(parts[_JAM_KD, i], _LEAST_INERTIA_KG_M2 / time_step_s)
            most = _JAM_STRENGTH * table_nm[-1]
            torque = parts[_JAM_KP, i] * (parts[_JAMMED_AT, i] - true[0, i]) - damping * velocity
            torque = min(max(torque, -most), most)
        coulomb = parts[_COULOMB, i]
        slip = min(max(velocity / max(_SLIP_RAD_S, coulomb * time_step_s / _LEAST_INERTIA_KG_M2), -1.0), 1.0)
        torques_nm[i] = torque - coulomb * slip - parts[_VISCOUS, i] * velocity
    return drawn_a


@njit(cache=True)
def serial_delta(length_m: float, upper_m: float, lower_m: float) -> tuple[float, float]:
    """Of a leg this long from hip to foot: the angle delta (rad) at the hip to either upper link, and its slope (rad/m).

    The motors of a leg that is swung by phi are at theta_R = phi - delta and theta_L = 2 pi - phi - delta. By virtual work they
    put tau_R - tau_L on the swing and -(tau_R + tau_L) * slope on the length.
    """
    cos = (upper_m**2 + length_m**2 - lower_m**2) / (2.0 * upper_m * length_m)
    cos = min(max(cos, -_STRAIGHT), _STRAIGHT)
    sin = math.sqrt(1.0 - cos * cos)
    return math.acos(cos), (upper_m * cos - length_m) / (upper_m * length_m * sin)


@njit(cache=True)
def observe(
    count: int, serial: bool, pd: tuple[int, float], joints: FloatArray, motors: FloatArray, shared: FloatArray,
    history: FloatArray, table_nm: FloatArray,
) -> None:  # fmt: skip
    """Writes the motors' angles and velocities after a step into the history, and adds their work to the totals."""
    row = history[count % history.shape[0]]
    signs, offsets, slopes, torques = motors[SIGN], motors[OFFSET], motors[_SLOPE], motors[TORQUE]
    n = signs.size
    if serial:
        legs = n // 2
        upper_m, lower_m, stance_m = shared[UPPER_M], shared[LOWER_M], shared[STANCE_M]
        for leg in range(legs):
            sign = signs[2 * leg]
            swing, swing_velocity = sign * joints[0, leg], sign * joints[1, leg]
            delta, slope = serial_delta(stance_m + joints[0, legs + leg], upper_m, lower_m)
            delta_velocity = slope * joints[1, legs + leg]
            row[0, 2 * leg], row[0, 2 * leg + 1] = 2.0 * math.pi - swing - delta, swing - delta
            row[1, 2 * leg], row[1, 2 * leg + 1] = -swing_velocity - delta_velocity, swing_velocity - delta_velocity
            slopes[leg] = slope
    else:
        for i in range(n):
            row[0, i] = signs[i] * (joints[0, i] - offsets[i])
            row[1, i] = signs[i] * joints[1, i]
    power = 0.0
    for i in range(n):
        power += abs(torques[i] * row[1, i])
    shared[ENERGY_J] += power * shared[_TIME_STEP_S]


@njit(cache=True)
def delayed(history: FloatArray, count: int, delay: tuple[int, float]) -> FloatArray:
    """The row of some steps ago, interpolated; before there are enough rows the first stands for all."""
    whole, part = delay
    length = history.shape[0]
    newer = history[max(count - 1 - whole, 0) % length]
    older = history[max(count - 2 - whole, 0) % length]
    row: FloatArray = newer + part * (older - newer)
    return row


@njit(cache=True)
def drive_joints(
    count: int, serial: bool, pd: tuple[int, float], joints: FloatArray, motors: FloatArray, shared: FloatArray,
    history: FloatArray, table_nm: FloatArray,
) -> None:  # fmt: skip
    """Fills in the torques on the URDF's joints for one step."""
    true = history[(count - 1) % history.shape[0]]
    seen = delayed(history, count, pd)
    signs, slopes, torques = motors[SIGN], motors[_SLOPE], motors[TORQUE]
    drawn_a = drive(
        motors[GOAL : GOAL + 5], seen, true, motors[PARTS : PARTS + 8], shared[:10], table_nm, shared[TERMINALS_V],
        motors[HOT_S], torques,
    )  # fmt: skip
    # Sag follows the last step's current, as slowly as it must with all motors at full duty, or it would overshoot.
    ohm, full_v, battery_ohm = shared[_OHM], shared[BATTERY_V], shared[_BATTERY_OHM]
    sagged = max(full_v - battery_ohm * drawn_a, 0.1 * full_v)
    shared[TERMINALS_V] += (sagged - shared[TERMINALS_V]) / (1.0 + battery_ohm * signs.size / ohm)
    if serial:
        legs = signs.size // 2
        for leg in range(legs):
            sign = signs[2 * leg]
            joints[2, leg] = sign * (torques[2 * leg + 1] - torques[2 * leg])
            joints[2, legs + leg] = -(torques[2 * leg + 1] + torques[2 * leg]) * slopes[leg]
    else:
        for i in range(signs.size):
            joints[2, i] = signs[i] * torques[i]


@njit(cache=True)
def advance(
    count: int, serial: bool, pd: tuple[int, float], joints: FloatArray, motors: FloatArray, shared: FloatArray,
    history: FloatArray, table_nm: FloatArray,
) -> None:  # fmt: skip
    """`observe`, then `drive_joints`: one call costs less than two."""
    observe(count, serial, pd, joints, motors, shared, history, table_nm)
    drive_joints(count + 1, serial, pd, joints, motors, shared, history, table_nm)
