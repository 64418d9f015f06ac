"""Compiled steps: what sim.stepping does in Python for any engine, for a Bullet that lets itself be called past Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from sim import bullet_c, motor_model, physics
from sim.compiled import njit, version_of
from sim.drivetrain import Drivetrain
from sim.physics import LEVEL, Quaternion, Stepping
from sim.sensors import Sensors
from sim.values import PointM

_compose, _rotate = njit(cache=True)(physics.compose), njit(cache=True)(physics.rotate)


def compiled_steps(
    body: bullet_c.Body, center: tuple[PointM, Quaternion] | None, pull_n: FloatArray,
    drivetrain: Drivetrain, sensors: Sensors,
) -> Stepping:  # fmt: skip
    """Steps of a robot that `drivetrain` drives and `sensors` look at, both begun before any step.

    Args:
        body: the robot in Bullet.
        center: the base's centre of mass, and what turns the principal axes there into the base's; None where they are.
        pull_n: the force (3,) that pulls on that centre in every step, as it is by then.
        drivetrain: its motors.
        sensors: its IMU.

    """
    in_bullet = (body.client, body.body, body.angles, body.velocities, body.q, body.u)
    frame = (center is None, *(center or ((0.0, 0.0, 0.0), LEVEL)))

    def run(steps: int) -> PointM:
        seen = min(steps, sensors.samples)
        position_m: PointM = _steps(
            steps, seen, *in_bullet, pull_n, *frame, sensors.count, sensors.rows, *drivetrain.for_kernels
        )
        drivetrain.went_on(steps)
        sensors.count += seen
        return position_m

    return run


def _compiled_with(version: int) -> Any:
    @njit(cache=True)
    def steps_in_bullet(
        steps: int, seen: int,
        client: int, body: int, angles: NDArray[np.int32], velocities: NDArray[np.int32], q: FloatArray, u: FloatArray,
        pull_n: FloatArray, centered: bool, center_m: PointM, from_principal: Quaternion,
        samples: int, rows: FloatArray,
        count: int, serial: bool, pd: tuple[int, float], joints: FloatArray, motors: FloatArray, shared: FloatArray,
        history: FloatArray, table_nm: FloatArray,
    ) -> PointM:  # fmt: skip
        abs(version)  # closed over
        pulled = pull_n.any()
        motor_model.drive_joints(count, serial, pd, joints, motors, shared, history, table_nm)
        for left in range(steps - 1, -1, -1):
            bullet_c.drive(client, body, velocities, joints[2])
            if pulled:
                bullet_c.read(client, body, q, u)
                bullet_c.pull(client, body, pull_n, q)
            bullet_c.step(client)
            bullet_c.read(client, body, q, u)
            for i in range(angles.size):
                joints[0, i], joints[1, i] = q[angles[i]], u[velocities[i]]
            motor_model.observe(count, serial, pd, joints, motors, shared, history, table_nm)
            count += 1
            if left > 0:  # before the next call's steps there may be another command
                motor_model.drive_joints(count, serial, pd, joints, motors, shared, history, table_nm)
            if left < seen:
                orientation = (q[3], q[4], q[5], q[6])
                if not centered:
                    orientation = _compose(orientation, from_principal)
                row = rows[samples % rows.shape[0]]
                row[0], row[1], row[2], row[3] = orientation
                row[4:] = u[3:6]
                samples += 1
        position = (q[0], q[1], q[2])
        if not centered:
            x, y, z = _rotate(orientation, center_m)
            position = (position[0] - x, position[1] - y, position[2] - z)
        return position

    return steps_in_bullet


_steps = _compiled_with(version_of(bullet_c, motor_model, physics))
