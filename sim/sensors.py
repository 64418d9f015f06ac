"""Sensors: what a robot measures of the truth: late, noisy, biased, in steps, sometimes not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hardware.types import FloatArray
from sim.compiled import njit
from sim.dynamics import Dynamics
from sim.physics import Quaternion

_ROWS_AT_ONCE = 64


class Sensors:
    """Encoders and an IMU in one world.

    The IMU's samples are kept here: push one (quaternion x, y, z, w and angular velocity in the world's frame) after each of
    the last `samples` steps before a reading. Before there are enough, the oldest stands for all before it.
    """

    def __init__(self, encoder_offset_rad: FloatArray, dynamics: Dynamics, time_step_s: float) -> None:
        n = encoder_offset_rad.size
        steps = dynamics.control_latency_s / time_step_s
        self._whole, self._part = int(steps), steps - int(steps)
        self.samples = self._whole + (2 if self._part > 0.0 else 1)
        # Orientation and rates after each step; the newest is row (count - 1) modulo the length.
        self.rows, self.count = np.zeros((self._whole + 2, 7)), 0
        self._offset_rad = encoder_offset_rad
        self._step_rad = dynamics.encoder_step_rad
        self._velocity_noise_rad_s = dynamics.joint_velocity_noise_rad_s
        self._dropout = dynamics.dropout
        self._scale = np.array(
            [dynamics.joint_noise_rad] * n + [dynamics.orientation_noise_rad] * 3 + [dynamics.gyro_noise_rad_s] * 3
        )
        self._mount = _roll_pitch(*dynamics.imu_tilt_rad)
        self._gyro_bias = np.array(dynamics.gyro_bias_rad_s)
        self.generator = np.random.default_rng(0)
        self._noise: Iterator[FloatArray] = iter(())

    def begin(self, generator: np.random.Generator) -> None:
        """Forgets; the generator decides all noise from here on."""
        self.generator = generator
        self._noise = self._draw_noise()
        self.count = 0

    def push(self, orientation_xyzw: Quaternion, angular_velocity_rad_s: tuple[float, float, float]) -> None:
        self.rows[self.count % len(self.rows)] = (*orientation_xyzw, *angular_velocity_rad_s)
        self.count += 1

    def remember(self, other: Sensors) -> None:
        """What another world's sensors saw before the sample that is here."""
        newest = self.rows[self.count - 1].copy()
        self.count = 0
        remembered = min(len(self.rows), len(other.rows), other.count)
        for count in range(other.count - remembered, other.count - 1):
            self.rows[self.count] = other.rows[count % len(other.rows)]
            self.count += 1
        self.rows[self.count] = newest
        self.count += 1

    def drops_out(self) -> bool:
        """Whether the reading now due does not arrive."""
        return self._dropout > 0.0 and self.generator.random() < self._dropout

    def add_velocity_noise(self, velocities_rad_s: FloatArray) -> None:
        if self._velocity_noise_rad_s > 0.0:
            velocities_rad_s += self._velocity_noise_rad_s * self.generator.standard_normal(self._offset_rad.size)

    def _draw_noise(self) -> Iterator[FloatArray]:
        """A row a reading: joints, orientation, rates. Drawn many at a time, which is faster."""
        while True:
            yield from self.generator.standard_normal((_ROWS_AT_ONCE, self._scale.size)) * self._scale

    def read(self, angles_rad: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Measured joint angles (n,), orientation (w, x, y, z) and angular velocity (3,) in the IMU's frame."""
        n = angles_rad.size
        late = self.count - 1 - self._whole
        every = reading(
            angles_rad,
            self._offset_rad,
            self._step_rad,
            self.rows,
            late,
            self._part,
            next(self._noise),
            self._mount,
            self._gyro_bias,
        )
        return every[:n], every[n : n + 4], every[n + 4 :]


def _roll_pitch(roll_rad: float, pitch_rad: float) -> Quaternion:
    """A roll, then a pitch, about the body's own axes (x, y, z, w)."""
    sr, cr, sp, cp = math.sin(roll_rad / 2), math.cos(roll_rad / 2), math.sin(pitch_rad / 2), math.cos(pitch_rad / 2)
    return (sr * cp, cr * sp, sr * sp, cr * cp)


@njit(cache=True)
def reading(
    angles_rad: FloatArray, offset_rad: FloatArray, step_rad: float, rows: FloatArray, count: int, part: float,
    noise: FloatArray, mount: Quaternion, gyro_bias: FloatArray,
) -> FloatArray:  # fmt: skip
    """What encoders and the IMU read: (n,), then (7,), in one array.

    Encoders are off, noisy (by the first n of `noise`), and in steps when `step_rad` is not 0. The IMU sees the row `count` of
    `rows` or, by the share `part`, that before it; the first row stands for all before it.
    """
    n = angles_rad.size
    every = np.empty(n + 7)
    for i in range(n):
        every[i] = angles_rad[i] + offset_rad[i] + noise[i]
        if step_rad > 0.0:
            every[i] = np.rint(every[i] / step_rad) * step_rad
    newer, older = rows[max(count, 0) % rows.shape[0]], rows[max(count - 1, 0) % rows.shape[0]]
    _imu_reading(newer, older, part, noise[n:], mount, gyro_bias, every[n:])
    return every


@njit(cache=True)
def _imu_reading(
    newer: FloatArray, older: FloatArray, part: float, noise: FloatArray, mount: Quaternion, gyro_bias: FloatArray,
    reading: FloatArray,
) -> None:  # fmt: skip
    """Fills in orientation (w, x, y, z) and angular velocity of an IMU, (7,), from two samples (7,) of the base a step apart.

    `part` is how far back from `newer` to `older`; `noise` (6,) a small rotation about the IMU's axes and an error of its
    rates; `mount` the orientation of the IMU in the base; `gyro_bias` (3,).
    """
    x, y, z, w = (
        newer[0] + part * (older[0] - newer[0]),
        newer[1] + part * (older[1] - newer[1]),
        newer[2] + part * (older[2] - newer[2]),
        newer[3] + part * (older[3] - newer[3]),
    )
    x, y, z, w = _product(x, y, z, w, mount[0], mount[1], mount[2], mount[3])
    p = newer[4] + part * (older[4] - newer[4])
    q = newer[5] + part * (older[5] - newer[5])
    r = newer[6] + part * (older[6] - newer[6])
    # The rates in the IMU's frame: the transpose of the rotation matrix of (x, y, z, w).
    reading[4] = (1 - 2 * (y * y + z * z)) * p + 2 * (x * y + w * z) * q + 2 * (x * z - w * y) * r
    reading[5] = 2 * (x * y - w * z) * p + (1 - 2 * (x * x + z * z)) * q + 2 * (y * z + w * x) * r
    reading[6] = 2 * (x * z + w * y) * p + 2 * (y * z - w * x) * q + (1 - 2 * (x * x + y * y)) * r
    for axis in range(3):
        reading[4 + axis] += gyro_bias[axis] + noise[3 + axis]
    x, y, z, w = _product(x, y, z, w, 0.5 * noise[0], 0.5 * noise[1], 0.5 * noise[2], 1.0)
    size = np.sqrt(x * x + y * y + z * z + w * w)
    reading[0], reading[1], reading[2], reading[3] = w / size, x / size, y / size, z / size


@njit(cache=True)
def _product(
    ax: float, ay: float, az: float, aw: float, bx: float, by: float, bz: float, bw: float
) -> tuple[float, float, float, float]:
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
