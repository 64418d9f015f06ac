"""Physics: what a simulated robot needs of an engine. PyBullet (sim.world) and MuJoCo (sim.mujoco_world) are the same to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.values import PointM

if TYPE_CHECKING:
    from sim.drivetrain import Drivetrain
    from sim.sensors import Sensors

Engine = Literal["pybullet", "mujoco"]
Quaternion = tuple[float, float, float, float]
LEVEL: Quaternion = (0.0, 0.0, 0.0, 1.0)
Stepping = Callable[[int], PointM]
"""Takes so many physics steps, one at least, with motors in between and sensors looking on; returns where the base is then."""


@dataclass(frozen=True)
class Motion:
    """Where everything is and how it moves: the base (m, x y z w, m/s, rad/s, world frame) and every joint (rad, rad/s)."""

    position_m: PointM
    orientation_xyzw: Quaternion
    velocity_m_s: PointM
    angular_velocity_rad_s: PointM
    joints: dict[str, tuple[float, float]]


class Physics(Protocol):
    """One robot on its ground, in one world's dynamics. Vectors are in the world's frame; the base's is x forward, z up."""

    def joint_states(self) -> list[float]:
        """Angles (rad), then velocities (rad/s), of the assembly's joints."""

    def step(self, torques_nm: Sequence[float]) -> list[float]:
        """Applies torques to the assembly's joints for one time step; returns the joint states after it."""

    def compiled(self, drivetrain: Drivetrain, sensors: Sensors) -> Stepping | None:
        """Steps with their motors and sensors in one compiled call; None where only Python steps this engine."""

    def pull(self, force_n: PointM) -> None:
        """A steady force on the base's centre of mass, from now on."""

    def base_pose(self) -> tuple[PointM, Quaternion]:
        """Position (m) and orientation (x, y, z, w) of the base."""

    def base_velocity(self) -> tuple[PointM, PointM]:
        """Linear (m/s) and angular (rad/s) velocity of the base's centre of mass."""

    def push(self, velocity_m_s: PointM) -> None:
        """Adds to the base's velocity at once: a kick."""

    def motion(self) -> Motion: ...

    def place(self, motion: Motion) -> None:
        """Moves on from a motion, of another world of the same robot."""

    def total_mass_kg(self) -> float: ...

    def save(self) -> int:
        """A snapshot: after `restore` the same steps give the same bytes again."""

    def restore(self, snapshot: int) -> None: ...

    def image(self, *, width: int, height: int, target_m: PointM, distance_m: float) -> NDArray[np.uint8]:
        """A picture from the right front, (height, width, 3)."""

    def close(self) -> None: ...


def rotate(orientation_xyzw: Quaternion, vector: PointM) -> PointM:
    """A vector turned by a unit quaternion."""
    x, y, z, w = orientation_xyzw
    a, b, c = vector
    # t = 2 q x v; v + w t + q x t
    tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    return (a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx)


def compose(first: Quaternion, second: Quaternion) -> Quaternion:
    """The product first * second of two quaternions (x, y, z, w): `second` is in the frame that `first` turned."""
    ax, ay, az, aw = first
    bx, by, bz, bw = second
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(orientation_xyzw: Quaternion) -> Quaternion:
    """The turn back."""
    x, y, z, w = orientation_xyzw
    return (-x, -y, -z, w)
