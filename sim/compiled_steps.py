"""Compiled steps: what sim.stepping does in Python for any engine, for those that let themselves be called past Python."""

from __future__ import annotations

from typing import Any

from hardware.types import FloatArray
from sim import bullet_c, motor_model, mujoco_c, physics
from sim.compiled import njit, version_of
from sim.drivetrain import Drivetrain
from sim.physics import Stepping
from sim.sensors import Sensors
from sim.values import PointM


def compiled_steps(body: bullet_c.Body | mujoco_c.Body, drivetrain: Drivetrain, sensors: Sensors) -> Stepping:
    """Steps of a robot that `drivetrain` drives and `sensors` look at, both begun before any step."""
    # Plain tuples, which numba takes in faster than named ones.
    engines = (tuple(body), None) if isinstance(body, bullet_c.Body) else (None, tuple(body))

    def run(steps: int) -> PointM:
        seen = min(steps, sensors.samples)
        position_m: PointM = _steps(steps, seen, *engines, sensors.count, sensors.rows, *drivetrain.for_kernels)
        drivetrain.went_on(steps)
        sensors.count += seen
        return position_m

    return run


def _compiled_with(version: int) -> Any:
    @njit(cache=True)
    def steps_of_a_robot(
        steps: int, seen: int, in_bullet: tuple[Any, ...] | None, in_mujoco: tuple[Any, ...] | None,
        samples: int, rows: FloatArray,
        count: int, serial: bool, pd: tuple[int, float], joints: FloatArray, motors: FloatArray, shared: FloatArray,
        history: FloatArray, table_nm: FloatArray,
    ) -> PointM:  # fmt: skip
        abs(version)  # closed over
        motor_model.drive_joints(count, serial, pd, joints, motors, shared, history, table_nm)
        for left in range(steps - 1, -1, -1):
            # numba compiles one function for each engine, without the other's branch.
            if in_bullet is not None:
                position_m, orientation, rates_rad_s = bullet_c.take_step(bullet_c.Body(*in_bullet), joints)
            if in_mujoco is not None:
                position_m, orientation, rates_rad_s = mujoco_c.take_step(mujoco_c.Body(*in_mujoco), joints)
            motor_model.observe(count, serial, pd, joints, motors, shared, history, table_nm)
            count += 1
            if left > 0:  # before the next call's steps there may be another command
                motor_model.drive_joints(count, serial, pd, joints, motors, shared, history, table_nm)
            if left < seen:
                row = rows[samples % rows.shape[0]]
                row[0], row[1], row[2], row[3] = orientation
                row[4], row[5], row[6] = rates_rad_s
                samples += 1
        return position_m

    return steps_of_a_robot


_steps = _compiled_with(version_of(bullet_c, mujoco_c, motor_model, physics))
