"""SimulatedMinitaur: hardware.Robot on a World. Its clock is the physics; its truth is for return sources and pictures only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hardware.spec import RobotSpec
from hardware.types import FloatArray, ImuReading, JointCommand, RobotError, RobotState
from sim.dynamics import LEGS, Dynamics
from sim.motor_model import motor_torques
from sim.robots import minitaur
from sim.sensors import DelayLine, NoiseLevels, NoiseSource
from sim.world import World, stock_urdf

_SETTLE_S = 0.6


@dataclass(frozen=True)
class Truth:
    """What no real robot knows: where it is, and the mechanical work of its motors since the last reset."""

    x_m: float
    y_m: float
    energy_j: float


class SimulatedMinitaur:
    """A Minitaur in PyBullet.

    Args:
        dynamics: this world's physics; another dynamics is another robot.
        leg_model: `five_bar` closes the legs' loops by constraints; `serial` is the fast equivalent chain.
        time_step_s: physics step; five-bar legs need 2.5 ms or less.
        iterations: solver iterations a step; five-bar legs need 20.
        visuals: keep the visual shapes, for `image`.

    """

    def __init__(
        self, dynamics: Dynamics, *, leg_model: minitaur.LegModel, time_step_s: float, iterations: int, visuals: bool = False
    ) -> None:
        self.dynamics = dynamics
        self._serial = leg_model == "serial"
        self._time_step_s = time_step_s
        self._iterations = iterations
        self._visuals = visuals
        self._world: World | None = None
        self._snapshot = -1
        self._steps = 0
        self._energy_j = 0.0
        self._signs = [float(joint.sign) for joint in self.spec.joints]
        self._strengths = [strength for strength in dynamics.motor_strength for _ in "LR"]
        self._pd_line = DelayLine(dynamics.pd_latency_s, time_step_s)
        self._sensor_line = DelayLine(dynamics.control_latency_s, time_step_s)
        levels = NoiseLevels(dynamics.joint_noise_rad, dynamics.orientation_noise_rad, dynamics.gyro_noise_rad_s)
        self._noise = NoiseSource(levels, len(self.spec.joints))

    @property
    def spec(self) -> RobotSpec:
        return minitaur.SPEC

    # --- hardware.Robot

    def connect(self) -> None:
        if self._world is not None:
            return
        text = minitaur.urdf(stock_urdf("quadruped/minitaur.urdf"), self.dynamics, serial=self._serial, visuals=self._visuals)
        self._world = world = World(
            text,
            meshes="quadruped",
            position_m=(0.0, 0.0, minitaur.START_HEIGHT_M),
            time_step_s=self._time_step_s,
            iterations=self._iterations,
        )
        chains = "R" if self._serial else "LR"
        motors = [f"motor_{leg}{side}_joint" for leg in LEGS for side in chains]
        knees = [f"knee_{leg}{side}_link" for leg in LEGS for side in chains]
        signs = [sign for sign in minitaur.LEG_SIGNS for _ in chains]
        world.place_joints({name: sign * math.pi / 2 for name, sign in zip(motors, signs, strict=True)})
        world.place_joints({name: sign * minitaur.KNEE_AT_STANCE_RAD for name, sign in zip(knees, signs, strict=True)})
        self._keys = world.joints(motors + knees if self._serial else motors)
        feet = [f"lower_leg_{leg}R_link" for leg in LEGS]
        world.set_friction(feet, self.dynamics.foot_friction)
        if self._serial:
            world.add_pitch_inertia(feet, minitaur.SERIAL_SHANK_INERTIA_KG_M2)
        else:
            for leg, foot in zip(LEGS, feet, strict=True):
                world.pin_links(foot, minitaur.FOOT_IN_R_SHANK_M, f"lower_leg_{leg}L_link", minitaur.FOOT_IN_L_SHANK_M)
        self._target(self.spec.position_command(self.spec.stance_rad))
        self._begin()
        for _ in range(round(_SETTLE_S / self._time_step_s)):
            self._step()
        self._snapshot = world.save()
        self.reset(np.random.default_rng(0))

    def read(self) -> RobotState:
        self._connected()
        row = self._sensor_line.delayed()
        joint_noise, tilt_noise, gyro_noise = self._noise.draw()
        n = len(self._signs)
        return RobotState(
            time_s=self._steps * self._time_step_s,
            positions_rad=np.array(row[:n]) + joint_noise,
            velocities_rad_s=np.array(row[n : 2 * n]),
            torques_nm=np.array(self._torques),
            imu=_imu(row[2 * n :], tilt_noise, gyro_noise),
            battery_v=self.dynamics.battery_v,
        )

    def write(self, command: JointCommand) -> JointCommand:
        self._connected()
        sent = self.spec.within_limits(command)
        self._target(sent)
        return sent

    def stop(self) -> None:
        if self._world is not None:
            self._target(self.spec.damping_command())

    def close(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None

    # --- hardware.Clock: time passing is the physics stepping

    def now(self) -> float:
        return self._steps * self._time_step_s

    def sleep_until(self, deadline_s: float) -> None:
        self._connected()
        for _ in range(round(deadline_s / self._time_step_s) - self._steps):
            self._step()

    # --- what only a simulation can do

    def reset(self, generator: np.random.Generator) -> None:
        """Back to standing at the origin; the generator decides the start's push and all noise until the next reset."""
        world = self._connected()
        world.restore(self._snapshot)
        self._target(self.spec.position_command(self.spec.stance_rad))
        self._noise.restart(generator)
        push = generator.standard_normal(2) * self.dynamics.start_push_m_s
        world.push((float(push[0]), float(push[1]), 0.0))
        self._begin()

    def truth(self) -> Truth:
        world = self._connected()
        (x, y, _), _ = world.base_pose()
        return Truth(x, y, self._energy_j)

    @property
    def world(self) -> World:
        """For pictures and tests."""
        return self._connected()

    # --- one physics step, in plain floats: this is where the time goes

    def _connected(self) -> World:
        if self._world is None:
            raise RobotError(f"{self.spec.name} is not connected: call connect() first")
        return self._world

    def _begin(self) -> None:
        self._energy_j = 0.0
        self._torques = [0.0] * len(self._signs)
        self._pd_line.clear()
        self._sensor_line.clear()
        self._measure()

    def _target(self, command: JointCommand) -> None:
        self._goal = list(
            zip(
                command.positions_rad.tolist(),
                command.velocities_rad_s.tolist(),
                command.torques_nm.tolist(),
                command.kp_nm_per_rad.tolist(),
                command.kd_nm_s_per_rad.tolist(),
                strict=True,
            )
        )

    def _measure(self) -> None:
        """Samples joints and base after a step into the delay lines."""
        world = self._connected()
        states = world.joint_states(self._keys)
        if self._serial:
            angles, velocities, self._gains = _motors_of_serial_legs(states)
        else:
            angles = [state[0] * sign for state, sign in zip(states, self._signs, strict=True)]
            velocities = [state[1] * sign for state, sign in zip(states, self._signs, strict=True)]
        self._velocities = velocities
        self._pd_line.push((*angles, *velocities))
        self._sensor_line.push((*angles, *velocities, *world.base_pose()[1], *world.base_velocity()[1]))

    def _step(self) -> None:
        world = self._connected()
        seen = self._pd_line.delayed()
        n = len(self._signs)
        desired = [
            kp * (q - seen_q) + kd * (dq - seen_dq) + tau
            for (q, dq, tau, kp, kd), seen_q, seen_dq in zip(self._goal, seen[:n], seen[n:], strict=True)
        ]
        self._torques = torques = motor_torques(
            desired, self._velocities, self._strengths, self.dynamics.battery_v, self.dynamics.joint_friction_nm
        )
        if self._serial:
            world.step(self._keys, _torques_on_serial_legs(torques, self._gains))
        else:
            world.step(self._keys, [torque * sign for torque, sign in zip(torques, self._signs, strict=True)])
        self._steps += 1
        self._energy_j += sum(map(abs, map(float.__mul__, torques, self._velocities))) * self._time_step_s
        self._measure()


def _motors_of_serial_legs(states: list[tuple[float, float]]) -> tuple[list[float], list[float], list[float]]:
    """Angles, velocities (8,) of all motors and knee gains (4,), from four hips then four knees in URDF signs."""
    angles, velocities, gains = [], [], []
    for leg, sign in enumerate(minitaur.LEG_SIGNS):
        hip, hip_velocity = states[leg]
        knee, knee_velocity = states[leg + 4]
        left, left_velocity, gain = minitaur.serial_left_motor(
            sign * hip, sign * hip_velocity, sign * knee, sign * knee_velocity
        )
        angles += [left, sign * hip]
        velocities += [left_velocity, sign * hip_velocity]
        gains.append(gain)
    return angles, velocities, gains


def _torques_on_serial_legs(motors: list[float], gains: list[float]) -> list[float]:
    """Torques on four hips then four knees, in URDF signs, from those of the eight motors."""
    signs = minitaur.LEG_SIGNS
    hips = [sign * (motors[2 * leg + 1] - motors[2 * leg]) for leg, sign in enumerate(signs)]
    knees = [sign * gains[leg] * motors[2 * leg] for leg, sign in enumerate(signs)]
    return hips + knees


def _imu(row: tuple[float, ...], tilt_noise: FloatArray, gyro_noise: FloatArray) -> ImuReading:
    """The IMU's sample from quaternion (x, y, z, w) and world-frame rates: body frame, noise in the body frame."""
    x, y, z, w, *rates = row
    # q * (1, noise / 2), renormalized: a small rotation about the body axes.
    a, b, c = (0.5 * tilt_noise).tolist()
    noisy = np.array(
        [w - x * a - y * b - z * c, x + w * a + y * c - z * b, y + w * b + z * a - x * c, z + w * c + x * b - y * a]
    )
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return ImuReading(noisy / math.sqrt(float(noisy @ noisy)), np.array(rates) @ rotation + gyro_noise)
