"""Ground: what a robot walks on. Slopes are planes; steps and rough ground are heights on a grid, from a seed."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from hardware.types import FloatArray
from sim.values import Finite, Frozen, NonNegative, Positive

CELL_M = 0.05
_LENGTH_M, _WIDTH_M = 6.4, 3.2
# Where the robot starts the ground is level.
_START_M = 0.4


class Slope(BaseModel):
    """A plane. Uphill ahead is positive pitch; falling off to the right (the left side is higher) is positive roll."""

    model_config = Frozen
    kind: Literal["slope"] = "slope"
    pitch_rad: Finite = 0.0
    roll_rad: Finite = 0.0


class Steps(BaseModel):
    """Stairs up ahead: every `length_m` the ground rises by `height_m` (within one cell of the grid)."""

    model_config = Frozen
    kind: Literal["steps"]
    height_m: Finite
    length_m: Annotated[float, Field(ge=2 * CELL_M, allow_inf_nan=False)]


class Rough(BaseModel):
    """Smooth bumps: heights are normal with this standard deviation and correlation length, from a seed."""

    model_config = Frozen
    kind: Literal["rough"]
    height_m: NonNegative
    length_m: Positive
    seed: Annotated[int, Field(ge=0)]


Ground = Annotated[Slope | Steps | Rough, Field(discriminator="kind")]


def heights(ground: Slope | Steps | Rough) -> FloatArray | None:
    """Heights (m) of a ground that is no plane, on a grid (x, y) of CELL_M with its middle at (0, 0); None for a plane."""
    if isinstance(ground, Slope):
        return None
    x = (np.arange(round(_LENGTH_M / CELL_M) + 1) * CELL_M - _LENGTH_M / 2)[:, np.newaxis]
    y = (np.arange(round(_WIDTH_M / CELL_M) + 1) * CELL_M - _WIDTH_M / 2)[np.newaxis, :]
    if isinstance(ground, Steps):
        # The grid's x are not exact: a hair more, so that no step is a cell longer and the next a cell shorter.
        level = np.maximum(np.floor((x - _START_M) / ground.length_m + 1e-6) + 1.0, 0.0) * ground.height_m
        return np.asarray(np.broadcast_to(level, (x.size, y.size)).copy())
    # A sum of waves of random direction and phase is normal by the central limit, and smooth.
    generator = np.random.default_rng(ground.seed)
    waves = 64
    wave_numbers = generator.standard_normal((waves, 2)) / ground.length_m
    phases = generator.uniform(0.0, 2.0 * math.pi, waves)
    grid = sum(np.cos(kx * x + ky * y + phase) for (kx, ky), phase in zip(wave_numbers, phases, strict=True))
    grid = np.asarray(grid) * (ground.height_m * math.sqrt(2.0 / waves))
    ramp = np.clip(np.hypot(x, y) / _START_M - 1.0, 0.0, 1.0)
    return np.asarray(grid * ramp)


def is_on(ground: Slope | Steps | Rough, x_m: float, y_m: float) -> bool:
    """Whether there is ground under a point; planes have no edge."""
    return isinstance(ground, Slope) or (abs(x_m) <= _LENGTH_M / 2 and abs(y_m) <= _WIDTH_M / 2)


def highest_m(ground: Slope | Steps | Rough, x_m: float, y_m: float, reach_m: float) -> float:
    """The highest ground within reach of a point, above the plane of the ground's frame."""
    grid = heights(ground)
    if grid is None:
        return 0.0
    ends = [
        (
            min(max(math.floor((at - reach_m + length / 2) / CELL_M), 0), cells - 1),
            min(max(math.ceil((at + reach_m + length / 2) / CELL_M) + 1, 1), cells),
        )
        for at, length, cells in zip((x_m, y_m), (_LENGTH_M, _WIDTH_M), grid.shape, strict=True)
    ]
    (x0, x1), (y0, y1) = ends
    return float(grid[x0:x1, y0:y1].max())


def plane_quaternion(ground: Slope | Steps | Rough) -> tuple[float, float, float, float]:
    """Orientation (x, y, z, w) of the ground's frame in the world: pitched up ahead, then rolled."""
    if not isinstance(ground, Slope):
        return (0.0, 0.0, 0.0, 1.0)
    # Uphill ahead turns the plane's x axis up: about -y.
    sp, cp = math.sin(-ground.pitch_rad / 2), math.cos(ground.pitch_rad / 2)
    sr, cr = math.sin(ground.roll_rad / 2), math.cos(ground.roll_rad / 2)
    return (cp * sr, sp * cr, -sp * sr, cp * cr)
