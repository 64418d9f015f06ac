"""Sensors: what a robot measures of the truth: late, noisy, interpolated between physics steps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from hardware.types import FloatArray


class DelayLine:
    """The last rows of a signal sampled once a physics step; reads it some seconds ago, interpolated linearly.

    Before enough rows are in, the oldest row stands for all before it.
    """

    def __init__(self, delay_s: float, time_step_s: float) -> None:
        steps = delay_s / time_step_s
        self._whole = int(steps)
        self._part = steps - self._whole
        self._rows: deque[tuple[float, ...]] = deque(maxlen=self._whole + 2)

    def clear(self) -> None:
        self._rows.clear()

    def push(self, row: tuple[float, ...]) -> None:
        self._rows.append(row)

    def delayed(self) -> tuple[float, ...]:
        """The row as it was `delay_s` ago."""
        rows = self._rows
        last = len(rows) - 1
        newer = rows[max(last - self._whole, 0)]
        if self._part == 0.0:
            return newer
        older = rows[max(last - self._whole - 1, 0)]
        part = self._part
        return tuple([a + part * (b - a) for a, b in zip(newer, older, strict=True)])


@dataclass(frozen=True)
class NoiseLevels:
    """Standard deviations of the white noise on each reading."""

    joint_rad: float
    orientation_rad: float
    gyro_rad_s: float


class NoiseSource:
    """Draws reading noise from one generator, in a fixed order, so that a seed fixes every reading."""

    def __init__(self, levels: NoiseLevels, joints: int) -> None:
        self._scale = np.array([levels.joint_rad] * joints + [levels.orientation_rad] * 3 + [levels.gyro_rad_s] * 3)
        self._joints = joints
        self._generator = np.random.default_rng(0)

    def restart(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def draw(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Errors of the joints (n,), the orientation as a rotation vector (3,), and the gyro (3,)."""
        noise = self._generator.standard_normal(self._scale.size) * self._scale
        n = self._joints
        return noise[:n], noise[n : n + 3], noise[n + 3 :]
