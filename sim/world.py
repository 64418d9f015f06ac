"""World: one PyBullet client with a floor and a robot; the only file that imports pybullet. No motor or sensor enters."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import RobotError

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """PyBullet tells C's standard output and error when it was built and what it merges; that is no news."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    with Path(os.devnull).open("w") as null:
        try:
            os.dup2(null.fileno(), 1)
            os.dup2(null.fileno(), 2)
            yield
        finally:
            ctypes.CDLL(None).fflush(None)
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


try:
    with _silent():
        import pybullet
except ImportError as error:
    raise RobotError("simulation needs PyBullet: pip install 'robot-adapt[sim]'") from error

_KEYS = tuple[int, ...]

# PyBullet's own default. Bullet multiplies the frictions of two bodies: a foot of friction 1 has a contact of 0.5.
FLOOR_FRICTION = 0.5


def stock_urdf(relative: str) -> str:
    """Text of a URDF shipped in pybullet_data."""
    return (_data_folder() / relative).read_text()


def _data_folder() -> Path:
    found = importlib.util.find_spec("pybullet_data")
    if found is None or found.origin is None:
        raise RobotError("pybullet_data is missing: reinstall pybullet")
    return Path(found.origin).parent


class World:
    """A floor, a robot from a URDF text, gravity. Joints and links are looked up by name: merging reorders them.

    Args:
        urdf: the robot.
        meshes: folder inside pybullet_data that the URDF's mesh paths are relative to.
        position_m: where the robot's base starts; unrotated.
        time_step_s: physics step.
        iterations: constraint solver iterations a step.

    """

    def __init__(self, urdf: str, *, meshes: str, position_m: Vector, time_step_s: float, iterations: int) -> None:
        self.time_step_s = time_step_s
        self._client = pybullet.connect(pybullet.DIRECT)
        if self._client < 0:
            raise RobotError("PyBullet has no room for another world: close some")
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=time_step_s,
            numSolverIterations=iterations,
            deterministicOverlappingPairs=1,
            physicsClientId=self._client,
        )
        pybullet.setGravity(0.0, 0.0, -9.81, physicsClientId=self._client)
        floor = pybullet.createCollisionShape(pybullet.GEOM_PLANE, physicsClientId=self._client)
        body = pybullet.createMultiBody(0.0, floor, physicsClientId=self._client)
        pybullet.changeDynamics(body, -1, lateralFriction=FLOOR_FRICTION, physicsClientId=self._client)
        self._body = self._load(urdf.replace('filename="', f'filename="{_data_folder() / meshes}/'), position_m)
        self._joints: dict[str, int] = {}
        self._links: dict[str, int] = {}
        for index in range(pybullet.getNumJoints(self._body, physicsClientId=self._client)):
            info = pybullet.getJointInfo(self._body, index, physicsClientId=self._client)
            self._joints[info[1].decode()] = index
            self._links[info[12].decode()] = index
            pybullet.setJointMotorControl2(
                self._body, index, pybullet.VELOCITY_CONTROL, force=0.0, physicsClientId=self._client
            )

    def _load(self, urdf: str, position_m: Vector) -> int:
        with tempfile.NamedTemporaryFile("w", suffix=".urdf") as file, _silent():
            file.write(urdf)
            file.flush()
            body: int = pybullet.loadURDF(
                file.name,
                basePosition=position_m,
                flags=pybullet.URDF_USE_INERTIA_FROM_FILE | pybullet.URDF_MERGE_FIXED_LINKS,
                physicsClientId=self._client,
            )
        return body

    def joints(self, names: Sequence[str]) -> _KEYS:
        """The keys of these joints, for the calls below."""
        missing = [name for name in names if name not in self._joints]
        if missing:
            raise RobotError(f"the URDF has no joint {missing[0]}; it has {', '.join(self._joints)}")
        return tuple(self._joints[name] for name in names)

    def place_joints(self, angles_rad: Mapping[str, float]) -> None:
        for name, angle in angles_rad.items():
            (key,) = self.joints([name])
            pybullet.resetJointState(self._body, key, angle, 0.0, physicsClientId=self._client)

    def pin_links(self, link_a: str, point_a_m: Vector, link_b: str, point_b_m: Vector) -> None:
        """Closes a loop: a point of one link stays on a point of another (link frames)."""
        pybullet.createConstraint(
            self._body, self._links[link_a], self._body, self._links[link_b],
            pybullet.JOINT_POINT2POINT, (0, 0, 0), point_a_m, point_b_m, physicsClientId=self._client,
        )  # fmt: skip

    def set_friction(self, link_names: Sequence[str], friction: float) -> None:
        for name in link_names:
            pybullet.changeDynamics(self._body, self._links[name], lateralFriction=friction, physicsClientId=self._client)

    def add_pitch_inertia(self, link_names: Sequence[str], inertia_kg_m2: float) -> None:
        """Adds to links' inertia about their y axis; a URDF cannot say it: PyBullet zeroes what breaks the triangle rule."""
        for name in link_names:
            x, y, z = pybullet.getDynamicsInfo(self._body, self._links[name], physicsClientId=self._client)[2]
            pybullet.changeDynamics(
                self._body, self._links[name],
                localInertiaDiagonal=(x, y + inertia_kg_m2, z), physicsClientId=self._client,
            )  # fmt: skip

    def joint_states(self, keys: _KEYS) -> list[tuple[float, float]]:
        """Angle (rad) and velocity (rad/s) of each joint."""
        states = pybullet.getJointStates(self._body, keys, physicsClientId=self._client)
        return [(state[0], state[1]) for state in states]

    def step(self, keys: _KEYS, torques_nm: Sequence[float]) -> None:
        """Applies these torques for one time step."""
        pybullet.setJointMotorControlArray(
            self._body, keys, pybullet.TORQUE_CONTROL, forces=torques_nm, physicsClientId=self._client
        )
        pybullet.stepSimulation(physicsClientId=self._client)

    def base_pose(self) -> tuple[Vector, Quaternion]:
        """Position (m) and orientation (x, y, z, w) of the base in the world."""
        position, orientation = pybullet.getBasePositionAndOrientation(self._body, physicsClientId=self._client)
        return position, orientation

    def base_velocity(self) -> tuple[Vector, Vector]:
        """Linear (m/s) and angular (rad/s) velocity of the base, both in the world frame."""
        linear, angular = pybullet.getBaseVelocity(self._body, physicsClientId=self._client)
        return linear, angular

    def push(self, velocity_m_s: Vector) -> None:
        """Adds to the base's velocity at once: a kick."""
        linear, angular = self.base_velocity()
        kicked = [a + b for a, b in zip(linear, velocity_m_s, strict=True)]
        pybullet.resetBaseVelocity(self._body, kicked, angular, physicsClientId=self._client)

    def total_mass_kg(self) -> float:
        links = range(-1, len(self._joints))
        return math.fsum(pybullet.getDynamicsInfo(self._body, i, physicsClientId=self._client)[0] for i in links)

    def save(self) -> int:
        snapshot: int = pybullet.saveState(physicsClientId=self._client)
        return snapshot

    def restore(self, snapshot: int) -> None:
        """Back to a saved state, contact caches included: the same steps give the same bytes again."""
        pybullet.restoreState(snapshot, physicsClientId=self._client)

    def image(self, *, width: int, height: int, target_m: Vector) -> NDArray[np.uint8]:
        """The robot from its right front, by PyBullet's software renderer; (height, width, 3)."""
        view = pybullet.computeViewMatrixFromYawPitchRoll(target_m, 0.75, 40.0, -22.0, 0.0, 2)
        projection = pybullet.computeProjectionMatrixFOV(50.0, width / height, 0.05, 10.0)
        pixels = pybullet.getCameraImage(
            width, height, view, projection,
            lightDirection=(1.0, -1.0, 2.0), renderer=pybullet.ER_TINY_RENDERER, physicsClientId=self._client,
        )[2]  # fmt: skip
        return np.asarray(pixels, dtype=np.uint8).reshape(height, width, 4)[:, :, :3]

    def close(self) -> None:
        if self._client >= 0:
            pybullet.disconnect(physicsClientId=self._client)
            self._client = -1
