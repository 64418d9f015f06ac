"""World: one PyBullet client with a ground and a robot. No motor or sensor enters."""

from __future__ import annotations

import math
import operator
import tempfile
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.types import RobotError
from sim import bullet_c
from sim.bullet import close_client, open_client, open_window, pybullet, silent
from sim.compiled_steps import compiled_steps
from sim.drivetrain import Drivetrain
from sim.dynamics import Dynamics
from sim.ground import CELL_M, heights, plane_quaternion
from sim.physics import LEVEL, Motion, Quaternion, Stepping, compose, inverse, rotate
from sim.robots.assembly import Assembly
from sim.robots.body import Body
from sim.sensors import Sensors
from sim.values import PointM

_TORQUE_CONTROL = pybullet.TORQUE_CONTROL
# Bullet's collision groups, of what moves and of what stands.
_MOVING, _STANDING = 1, 2
_ANGLE, _VELOCITY = operator.itemgetter(0), operator.itemgetter(1)


class World:
    """Physics by PyBullet. Joints and links are looked up by name.

    Args:
        assembly: the robot, for these dynamics.
        body: where it starts.
        dynamics: ground and friction; what is not in the assembly already.
        time_step_s: physics step.
        iterations: constraint solver iterations a step.
        gui: in PyBullet's own window.

    """

    def __init__(
        self, assembly: Assembly, body: Body, dynamics: Dynamics, *,
        time_step_s: float, iterations: int, gui: bool = False,
    ) -> None:  # fmt: skip
        self._client = open_window() if gui else open_client()
        self._camera: tuple[float, float, float] | None = None
        if gui:
            self._draw(False)
        if self._client < 0:
            raise RobotError("PyBullet has no room for another world: close some")
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=time_step_s,
            numSolverIterations=iterations,
            deterministicOverlappingPairs=1,
            # Its cone makes friction along diagonals 0.6 of what it should be; a pyramid makes it 1.4 there.
            enableConeFriction=0,
            physicsClientId=self._client,
        )
        pybullet.setGravity(0.0, 0.0, -9.81, physicsClientId=self._client)
        plane = plane_quaternion(dynamics.ground)
        self._add_ground(dynamics, plane)
        self._body = self._load(assembly, rotate(plane, (0.0, 0.0, body.start_height_m)), plane)
        self._joints: dict[str, int] = {}
        self._links: dict[str, int] = {}
        for index in range(pybullet.getNumJoints(self._body, physicsClientId=self._client)):
            info = pybullet.getJointInfo(self._body, index, physicsClientId=self._client)
            self._joints[info[1].decode()] = index
            self._links[info[12].decode()] = index
            pybullet.setJointMotorControl2(
                self._body, index, pybullet.VELOCITY_CONTROL, force=0.0, physicsClientId=self._client
            )
        if assembly.apart is None:  # nothing but the ground to touch: no other pairs to look at in every step
            for link in range(-1, len(self._links)):
                shaped = pybullet.getCollisionShapeData(self._body, link, self._client)
                groups = (_MOVING, _STANDING) if shaped else (0, 0)
                pybullet.setCollisionFilterGroupMask(self._body, link, *groups, self._client)
        # Bullet slows down all that moves, by 4 % a second and more when fast: not in vacuum, and not in MuJoCo.
        pybullet.changeDynamics(self._body, -1, linearDamping=0.0, angularDamping=0.0, physicsClientId=self._client)
        _, _, _, center, axes, *_ = pybullet.getDynamicsInfo(self._body, -1, physicsClientId=self._client)
        self._center_m, self._from_principal = center, inverse(axes)
        self._base_is_center = center == (0.0, 0.0, 0.0) and axes == LEVEL
        self._pull_n, self._pulled = np.zeros(3), False
        self._set_up(assembly, dynamics, time_step_s)
        self._keys = self._joint_keys(assembly.joints)
        self._zeros = [0.0] * len(self._keys)
        base = (self._base_is_center, self._center_m, self._from_principal)
        self._in_c = None if gui else bullet_c.body_of(self._client, self._body, self._keys, self._pull_n, *base)

    def _add_ground(self, dynamics: Dynamics, orientation: Quaternion) -> None:
        grid = heights(dynamics.ground)
        height = 0.0
        if grid is None:
            shape = pybullet.createCollisionShape(pybullet.GEOM_PLANE, physicsClientId=self._client)
        else:
            shape = pybullet.createCollisionShape(
                pybullet.GEOM_HEIGHTFIELD,
                meshScale=(CELL_M, CELL_M, 1.0),
                heightfieldData=grid.T.ravel().tolist(),
                numHeightfieldRows=grid.shape[0],
                numHeightfieldColumns=grid.shape[1],
                physicsClientId=self._client,
            )
            height = float(grid.max() + grid.min()) / 2  # Bullet puts the middle of the heights at the origin.
        ground = pybullet.createMultiBody(0.0, shape, -1, (0.0, 0.0, height), orientation, physicsClientId=self._client)
        # Bullet multiplies the frictions of two bodies: the contact is as the foot is.
        pybullet.changeDynamics(ground, -1, lateralFriction=1.0, physicsClientId=self._client)

    def _load(self, assembly: Assembly, position_m: PointM, orientation: Quaternion) -> int:
        with tempfile.NamedTemporaryFile("w", suffix=".urdf") as file, silent():
            file.write(assembly.urdf)
            file.flush()
            try:
                body: int = pybullet.loadURDF(
                    file.name,
                    basePosition=position_m,
                    baseOrientation=orientation,
                    flags=pybullet.URDF_USE_INERTIA_FROM_FILE
                    | (0 if assembly.apart is None else pybullet.URDF_USE_SELF_COLLISION),
                    physicsClientId=self._client,
                )
            except pybullet.error:
                raise RobotError("body.urdf: PyBullet cannot load this robot; its own words go to the terminal") from None
        return body

    def _joint_keys(self, names: Sequence[str]) -> tuple[int, ...]:
        missing = [name for name in names if name not in self._joints]
        if missing:
            raise RobotError(f"the URDF has no joint {missing[0]}; it has {', '.join(self._joints)}")
        return tuple(self._joints[name] for name in names)

    def _set_up(self, assembly: Assembly, dynamics: Dynamics, time_step_s: float) -> None:
        for name, angle in assembly.start.items():
            (key,) = self._joint_keys([name])
            pybullet.resetJointState(self._body, key, angle, 0.0, physicsClientId=self._client)
        bounce = {}
        if dynamics.restitution > 0.0:
            bounce = _bounce(dynamics.restitution, self.total_mass_kg() / len(assembly.feet), time_step_s)
        for leg, links in assembly.feet.items():
            friction = dynamics.foot_friction_of.get(leg, dynamics.foot_friction)
            for link in links:
                at = self._links.get(link, -1)
                pybullet.changeDynamics(self._body, at, lateralFriction=friction, physicsClientId=self._client, **bounce)
        for one, other in assembly.apart or ():
            pybullet.setCollisionFilterPair(
                self._body, self._body, self._links.get(one, -1), self._links.get(other, -1), 0, self._client
            )
        for pin in assembly.pins:
            pybullet.createConstraint(
                self._body, self._links[pin.link_a], self._body, self._links[pin.link_b], pybullet.JOINT_POINT2POINT,
                (0, 0, 0), pin.point_a_m, pin.point_b_m, physicsClientId=self._client,
            )  # fmt: skip

    def joint_states(self) -> list[float]:
        states = pybullet.getJointStates(self._body, self._keys, self._client)
        return [*map(_ANGLE, states), *map(_VELOCITY, states)]

    def step(self, torques_nm: Sequence[float]) -> list[float]:
        body, keys, zeros, client = self._body, self._keys, self._zeros, self._client
        # Positional, with targets that torque control ignores: a third faster.
        pybullet.setJointMotorControlArray(body, keys, _TORQUE_CONTROL, zeros, zeros, torques_nm, zeros, zeros, client)
        if self._pulled:  # forgotten after every step
            center, _ = pybullet.getBasePositionAndOrientation(body, client)
            pybullet.applyExternalForce(body, -1, self._pull_n, center, pybullet.WORLD_FRAME, client)
        pybullet.stepSimulation(client)
        states = pybullet.getJointStates(body, keys, client)
        return [*map(_ANGLE, states), *map(_VELOCITY, states)]

    def compiled(self, drivetrain: Drivetrain, sensors: Sensors) -> Stepping | None:
        return None if self._in_c is None else compiled_steps(self._in_c, drivetrain, sensors)

    def pull(self, force_n: PointM) -> None:
        self._pull_n[:], self._pulled = force_n, any(force_n)

    def base_pose(self) -> tuple[PointM, Quaternion]:
        position, orientation = pybullet.getBasePositionAndOrientation(self._body, self._client)
        if self._base_is_center:
            return position, orientation
        # PyBullet tells of the centre of mass and its principal axes.
        orientation = compose(orientation, self._from_principal)
        x, y, z = rotate(orientation, self._center_m)
        return (position[0] - x, position[1] - y, position[2] - z), orientation

    def base_velocity(self) -> tuple[PointM, PointM]:
        linear, angular = pybullet.getBaseVelocity(self._body, self._client)
        return linear, angular

    def push(self, velocity_m_s: PointM) -> None:
        linear, angular = self.base_velocity()
        kicked = [a + b for a, b in zip(linear, velocity_m_s, strict=True)]
        pybullet.resetBaseVelocity(self._body, kicked, angular, physicsClientId=self._client)

    def motion(self) -> Motion:
        position, orientation = self.base_pose()
        states = pybullet.getJointStates(self._body, list(self._joints.values()), self._client)
        joints = {name: state[:2] for name, state in zip(self._joints, states, strict=True)}
        return Motion(position, orientation, *self.base_velocity(), joints)

    def place(self, motion: Motion) -> None:
        x, y, z = (a + b for a, b in zip(motion.position_m, rotate(motion.orientation_xyzw, self._center_m), strict=True))
        principal = compose(motion.orientation_xyzw, inverse(self._from_principal))
        pybullet.resetBasePositionAndOrientation(self._body, (x, y, z), principal, physicsClientId=self._client)
        pybullet.resetBaseVelocity(self._body, motion.velocity_m_s, motion.angular_velocity_rad_s, physicsClientId=self._client)
        keys = [self._joints[name] for name in motion.joints]
        # Lists: it crashes on tuples.
        angles = [[angle] for angle, _ in motion.joints.values()]
        velocities = [[velocity] for _, velocity in motion.joints.values()]
        pybullet.resetJointStatesMultiDof(self._body, keys, angles, velocities, physicsClientId=self._client)

    def total_mass_kg(self) -> float:
        links = range(-1, len(self._joints))
        return math.fsum(pybullet.getDynamicsInfo(self._body, i, physicsClientId=self._client)[0] for i in links)

    def save(self) -> int:
        snapshot: int = pybullet.saveState(physicsClientId=self._client)
        return snapshot

    def restore(self, snapshot: int) -> None:
        """Contact caches included."""
        pybullet.restoreState(snapshot, physicsClientId=self._client)

    def image(self, *, width: int, height: int, target_m: PointM, distance_m: float) -> NDArray[np.uint8]:
        """By PyBullet's software renderer."""
        view = pybullet.computeViewMatrixFromYawPitchRoll(target_m, distance_m, 40.0, -22.0, 0.0, 2)
        projection = pybullet.computeProjectionMatrixFOV(50.0, width / height, 0.05, 10.0)
        pixels = pybullet.getCameraImage(
            width, height, view, projection,
            lightDirection=(1.0, -1.0, 2.0), renderer=pybullet.ER_TINY_RENDERER, physicsClientId=self._client,
        )[2]  # fmt: skip
        return np.asarray(pixels, dtype=np.uint8).reshape(height, width, 4)[:, :, :3]

    def _draw(self, on: bool) -> None:
        pybullet.configureDebugVisualizer(pybullet.COV_ENABLE_RENDERING, int(on), physicsClientId=self._client)

    def _begin_drawing(self, distance_m: float) -> tuple[float, float, float]:
        self._draw(True)
        camera = (distance_m, 40.0, -22.0)
        pybullet.resetDebugVisualizerCamera(*camera, self.base_pose()[0], self._client)
        for _ in range(300):  # the window tells of its camera as it was in the last picture
            if math.isclose(pybullet.getDebugVisualizerCamera(self._client)[10], distance_m, rel_tol=1e-3):
                break
            time.sleep(0.01)
        return camera

    def show(self, motion: Motion, distance_m: float) -> bool:
        """Puts the robot there in the window, the camera on it as turned and zoomed by hand; False once it was closed."""
        if not pybullet.isConnected(self._client):
            return False
        self.place(motion)
        camera = self._camera or self._begin_drawing(distance_m)
        *_, yaw, pitch, distance_m, _ = pybullet.getDebugVisualizerCamera(self._client)
        if distance_m > 0.0:  # at times it has no answer
            camera = (distance_m, yaw, pitch)
        self._camera = camera
        pybullet.resetDebugVisualizerCamera(*camera, motion.position_m, self._client)
        return True

    def close(self) -> None:
        if self._client >= 0:
            close_client(self._client)
        self._client = -1


def _bounce(restitution: float, kg: float, time_step_s: float) -> dict[str, float]:
    """A contact from which a mass rebounds so: a spring and a damper, as Bullet's own restitution loses half of it.

    The spring is as stiff as the time step allows; what the integrator damps is left out of the damper.
    """
    frequency = min(80.0, 0.1 / time_step_s)  # rad/s
    log = math.log(restitution)
    ratio = max(-log / math.hypot(math.pi, log) - 0.5 * frequency * time_step_s, 0.0)
    return {"contactStiffness": kg * frequency**2, "contactDamping": 2.0 * ratio * frequency * kg}
