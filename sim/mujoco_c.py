"""MuJoCo's own step for functions that numba compiles: no Python between steps.

The mujoco package wraps a shared library that lies in its folder, and its models and data tell their addresses. Where that is
not so, there is no Body, and Python calls MuJoCo instead. What MuJoCo calls a fatal error, above all contacts that its memory
has no room for, ends the process with MuJoCo's words, where in Python it is an exception; walking takes 0.5 % of that memory.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from sim import physics
from sim.compiled import Address, Nothing, external, link, njit
from sim.physics import Quaternion
from sim.values import PointM

_step = external("mj_step", Nothing, Address, Address)
_rotate = njit(cache=True)(physics.rotate)


class Body(NamedTuple):
    """A robot in MuJoCo, alone in its model, as `take_step` knows it.

    Attributes:
        model, data: addresses of its mjModel and mjData.
        q: in that data position and orientation (w, x, y, z) of the base, then every joint's angle: qpos.
        u: the base's velocity (world frame) and angular velocity (its own frame), then every joint's velocity: qvel.
        applied: forces on all that `u` tells of: qfrc_applied.
        angles, velocities: where in `q` and `u` those of the joints are that are driven and measured.

    """

    model: int
    data: int
    q: FloatArray
    u: FloatArray
    applied: FloatArray
    angles: NDArray[np.int64]
    velocities: NDArray[np.int64]


@cache
def found_in(package: Path) -> bool:
    """Whether the mujoco package in this folder lets its steps be compiled."""
    libraries = [path for kind in ("so*", "*dylib") for path in package.glob(f"libmujoco.{kind}")]
    return len(libraries) == 1 and link(ctypes.CDLL(str(libraries[0])), _step)


@njit(cache=True)
def take_step(body: Body, joints: FloatArray) -> tuple[PointM, Quaternion, PointM]:
    """One time step of joints whose rows are angles, velocities, torques (3, m): from these to those.

    Returns position (m), orientation (x, y, z, w) and angular velocity (rad/s, world frame) of the base then.
    """
    q, u = body.q, body.u
    for i in range(body.velocities.size):
        body.applied[body.velocities[i]] = joints[2, i]
    _step(body.model, body.data)
    for i in range(body.angles.size):
        joints[0, i], joints[1, i] = q[body.angles[i]], u[body.velocities[i]]
    orientation = (q[4], q[5], q[6], q[3])
    return (q[0], q[1], q[2]), orientation, _rotate(orientation, (u[3], u[4], u[5]))
