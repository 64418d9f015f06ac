"""MujocoWorld: one MuJoCo model with a ground and a robot; the only file that imports mujoco. No motor or sensor enters.

MuJoCo stands for reality: other contacts, other solver, same robot. Nothing is trained or tuned on it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray, RobotError
from sim import mujoco_c
from sim.compiled_steps import compiled_steps
from sim.drivetrain import Drivetrain
from sim.dynamics import Dynamics
from sim.ground import CELL_M, heights, plane_quaternion
from sim.physics import Motion, Physics, Quaternion, Stepping, inverse, rotate
from sim.robots import urdf
from sim.robots.assembly import Assembly, Pin
from sim.robots.body import Body
from sim.sensors import Sensors
from sim.values import PointM

try:
    import mujoco
except ImportError as error:
    raise RobotError("engine: mujoco needs MuJoCo: pip install 'robot-adapt[mujoco]'") from error

# Otherwise a world that blows up writes MUJOCO_LOG.TXT into the current folder; here its readings are nan, and say enough.
mujoco.set_mju_user_warning(lambda _: None)

# Of a contact's spring and damper. MuJoCo allows nothing below two steps.
_CONTACT_S = 0.004
# What PyBullet gives to a shape that nobody gave a friction: here the trunk.
_TRUNK_FRICTION = 0.5
# MuJoCo's own minimum.
_LEAST_FRICTION = 1e-5
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


class MujocoWorld:
    """Physics by MuJoCo. Joints and links are looked up by name.

    Args:
        assembly: the robot, for these dynamics.
        body: where it starts.
        dynamics: ground and friction; what is not in the assembly already.
        time_step_s: physics step.
        iterations: Newton iterations a step at most; it ends when converged, after a few.

    Raises:
        RobotError: MuJoCo cannot load the robot, or the robot has not the assembly's joints.

    """

    def __init__(self, assembly: Assembly, body: Body, dynamics: Dynamics, *, time_step_s: float, iterations: int) -> None:
        self._made_of = assembly, body, dynamics
        self._time_step_s = time_step_s
        self._to_draw: Physics | None = None
        self._snapshots: list[FloatArray] = []
        try:
            self._model = self._compile(assembly, body, dynamics, iterations)
        except ValueError as error:
            raise RobotError(f"MuJoCo cannot load {body.name}: {error}") from error
        self._data = mujoco.MjData(self._model)
        # The root is body 1, below the world, and its free joint is joint 0.
        self._center_m: PointM = tuple(self._model.body_ipos[1].tolist())
        # A joint's velocity's index; its position's is one more, as the base turns in four numbers of which three are free.
        joints = (self._model.joint(index) for index in range(1, self._model.njnt))
        self._joints = {joint.name: int(joint.dofadr[0]) for joint in joints}
        self._keys = self._joint_keys(assembly.joints)
        self._angle_keys = self._keys + 1
        self._positions, self._velocities, self._applied = self._data.qpos, self._data.qvel, self._data.qfrc_applied
        self._positions[self._joint_keys(list(assembly.start)) + 1] = list(assembly.start.values())

    def _compile(self, assembly: Assembly, body: Body, dynamics: Dynamics, iterations: int) -> mujoco.MjModel:
        spec = mujoco.MjSpec.from_string(_urdf_for_mujoco(assembly.urdf))
        option = spec.option
        option.timestep, option.iterations = self._time_step_s, iterations
        option.solver, option.integrator = mujoco.mjtSolver.mjSOL_NEWTON, mujoco.mjtIntegrator.mjINT_EULER
        # Pyramids make friction 1.4 times weaker along diagonals; impratio 1 lets a standing robot creep, 1 mm/s under 5 N.
        option.cone, option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 10.0
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET  # a world that blew up must not look like a new one
        # In a URDF the root is welded to the world.
        (root,) = spec.worldbody.bodies
        plane = plane_quaternion(dynamics.ground)
        root.pos, root.quat = rotate(plane, (0.0, 0.0, body.start_height_m)), _wxyz(plane)
        root.add_freejoint()
        spring = max(_CONTACT_S, 2.0 * self._time_step_s)
        for geom in spec.geoms:
            # The ground touches all that has a type; those with an affinity too touch each other, parents and children aside.
            geom.contype, geom.conaffinity = 1, int(assembly.apart is not None)
            # MuJoCo takes the rougher of two surfaces; with priority a contact is as the robot's shape is.
            geom.priority, geom.friction[0], geom.solref[:2] = 1, _TRUNK_FRICTION, _contact(spring, 0.0)
        for leg, links in assembly.feet.items():
            for geom in (geom for link in links for geom in spec.body(link).geoms):
                geom.friction[0] = max(dynamics.foot_friction_of.get(leg, dynamics.foot_friction), _LEAST_FRICTION)
                geom.solref[:2] = _contact(spring, dynamics.restitution)
        for one, other in assembly.apart or ():
            spec.add_exclude(bodyname1=one, bodyname2=other)
        _add_ground(spec, dynamics)
        for pin in assembly.pins:
            _add_pin(spec, pin, self._time_step_s)
        return spec.compile()

    def _joint_keys(self, names: Sequence[str]) -> NDArray[np.int64]:
        missing = [name for name in names if name not in self._joints]
        if missing:
            raise RobotError(f"the URDF has no joint {missing[0]}; it has {', '.join(self._joints)}")
        return np.array([self._joints[name] for name in names], dtype=np.int64)

    def joint_states(self) -> list[float]:
        states: list[float] = self._positions[self._angle_keys].tolist() + self._velocities[self._keys].tolist()
        return states

    def step(self, torques_nm: Sequence[float]) -> list[float]:
        self._applied[self._keys] = torques_nm
        mujoco.mj_step(self._model, self._data)
        return self.joint_states()

    def compiled(self, drivetrain: Drivetrain, sensors: Sensors) -> Stepping | None:
        if not mujoco_c.found_in(Path(mujoco.__file__).parent):
            return None
        model, data = self._model._address, self._data._address
        views = (self._positions, self._velocities, self._applied, self._angle_keys, self._keys)
        return compiled_steps(mujoco_c.Body(model, data, *views), drivetrain, sensors)

    def pull(self, force_n: PointM) -> None:
        self._data.xfrc_applied[1, :3] = force_n

    def base_pose(self) -> tuple[PointM, Quaternion]:
        x, y, z, qw, qx, qy, qz = self._positions[:7].tolist()
        return (x, y, z), (qx, qy, qz, qw)

    def base_velocity(self) -> tuple[PointM, PointM]:
        # A free joint's velocity is its origin's in the world's frame; its rates are in the body's.
        vx, vy, vz, *rates = self._velocities[:6].tolist()
        _, orientation = self.base_pose()
        a, b, c = angular = rotate(orientation, (rates[0], rates[1], rates[2]))
        x, y, z = rotate(orientation, self._center_m)
        return (vx + b * z - c * y, vy + c * x - a * z, vz + a * y - b * x), angular

    def push(self, velocity_m_s: PointM) -> None:
        self._velocities[:3] += velocity_m_s

    def motion(self) -> Motion:
        keys = np.array(list(self._joints.values()), dtype=np.int64)
        states = zip(self._positions[keys + 1].tolist(), self._velocities[keys].tolist(), strict=True)
        return Motion(*self.base_pose(), *self.base_velocity(), dict(zip(self._joints, states, strict=True)))

    def place(self, motion: Motion) -> None:
        orientation = motion.orientation_xyzw
        self._positions[:3], self._positions[3:7] = motion.position_m, _wxyz(orientation)
        x, y, z = rotate(orientation, self._center_m)
        (vx, vy, vz), (a, b, c) = motion.velocity_m_s, motion.angular_velocity_rad_s
        self._velocities[:3] = vx - b * z + c * y, vy - c * x + a * z, vz - a * y + b * x
        self._velocities[3:6] = rotate(inverse(orientation), (a, b, c))
        for name, (angle, velocity) in motion.joints.items():
            key = self._joints[name]
            self._positions[key + 1], self._velocities[key] = angle, velocity

    def total_mass_kg(self) -> float:
        return float(self._model.body_mass.sum())

    def save(self) -> int:
        state = np.empty(mujoco.mj_stateSize(self._model, _STATE))
        mujoco.mj_getState(self._model, self._data, state, _STATE)
        self._snapshots.append(state)
        return len(self._snapshots) - 1

    def restore(self, snapshot: int) -> None:
        """The solver's warm start included."""
        mujoco.mj_setState(self._model, self._data, self._snapshots[snapshot], _STATE)

    def image(self, *, width: int, height: int, target_m: PointM, distance_m: float) -> NDArray[np.uint8]:
        """By PyBullet, of the same robot put there: MuJoCo draws with OpenGL only, which not every machine has."""
        if self._to_draw is None:
            from sim.world import World

            self._to_draw = World(*self._made_of, time_step_s=self._time_step_s, iterations=1)
        self._to_draw.place(self.motion())
        return self._to_draw.image(width=width, height=height, target_m=target_m, distance_m=distance_m)

    def close(self) -> None:
        if self._to_draw is not None:
            self._to_draw.close()
            self._to_draw = None


def _urdf_for_mujoco(text: str) -> str:
    """Without visuals, whose meshes it would read; with the paths of other meshes as they are."""
    robot = ET.fromstring(text)  # noqa: S314  our own text
    urdf.drop_visuals(robot)
    ET.SubElement(ET.SubElement(robot, "mujoco"), "compiler", strippath="false")
    return ET.tostring(robot, encoding="unicode")


def _add_ground(spec: mujoco.MjSpec, dynamics: Dynamics) -> None:
    quaternion = _wxyz(plane_quaternion(dynamics.ground))
    plane, grid = mujoco.mjtGeom.mjGEOM_PLANE, heights(dynamics.ground)
    ground = spec.worldbody.add_geom(type=plane, size=(0, 0, 1), quat=quaternion, contype=0, conaffinity=1)
    if grid is None:
        return
    columns, rows = grid.shape
    low = float(grid.min())
    span = max(float(grid.max()) - low, 1e-6)
    half_m = ((columns - 1) * CELL_M / 2, (rows - 1) * CELL_M / 2)
    # MuJoCo wants heights from 0 to 1 over a base, in rows along x; the shape's own height brings them back.
    spec.add_hfield(name="ground", nrow=rows, ncol=columns, size=(*half_m, span, 0.1), userdata=((grid.T - low) / span).ravel())
    ground.type, ground.hfieldname, ground.pos = mujoco.mjtGeom.mjGEOM_HFIELD, "ground", (0.0, 0.0, low)


def _add_pin(spec: mujoco.MjSpec, pin: Pin, time_step_s: float) -> None:
    # Between sites: MuJoCo derives the second point of a connect between bodies from angles of 0, where loops are open.
    sites = (f"{pin.link_a} to {pin.link_b}", f"{pin.link_b} to {pin.link_a}")
    spec.body(pin.link_a).add_site(name=sites[0], pos=pin.point_a_m)
    spec.body(pin.link_b).add_site(name=sites[1], pos=pin.point_b_m)
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_CONNECT, objtype=mujoco.mjtObj.mjOBJ_SITE, name1=sites[0], name2=sites[1],
        # As stiff as the time step allows: at 2 ms loops open by 0.1 mm in walking, with MuJoCo's own numbers by 5 mm.
        solref=(2.0 * time_step_s, 1.0), solimp=(0.99, 0.999, 0.001, 0.5, 2.0),
    )  # fmt: skip


def _contact(time_constant_s: float, restitution: float) -> tuple[float, float]:
    """MuJoCo's contact spring and damper: critically damped, or a half oscillation that keeps this share of the speed."""
    if restitution <= 0.0:
        return time_constant_s, 1.0
    log = np.log(restitution)
    ratio = float(-log / np.hypot(np.pi, log))
    return -1.0 / time_constant_s**2, -2.0 * ratio / time_constant_s


def _wxyz(orientation: Quaternion) -> tuple[float, float, float, float]:
    x, y, z, w = orientation
    return w, x, y, z
