"""SimulatedRobot: hardware.Robot on physics. Its clock is the physics; its truth is for return sources and pictures only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hardware.spec import RobotSpec
from hardware.types import ImuReading, JointCommand, RobotError, RobotFault, RobotState
from sim.dynamics import Dynamics
from sim.ground import is_on
from sim.incarnation import Incarnation, Recipe, incarnate, moved_onto
from sim.physics import Engine, Physics, rotate
from sim.robots.assembly import LegModel
from sim.robots.body import Body

if TYPE_CHECKING:
    from sim.world import World


@dataclass(frozen=True)
class Truth:
    """What no real robot knows: where it is on its ground, and the work at its joints (|torque * velocity|) since the reset."""

    x_m: float
    y_m: float
    z_m: float
    energy_j: float


@dataclass(frozen=True)
class Change:
    """Other dynamics, so long after a reset: what hobbles a robot in the middle of a trial."""

    after_s: float
    dynamics: Dynamics


class SimulatedRobot:
    """A robot on PyBullet or MuJoCo.

    Args:
        body: which robot.
        dynamics: this world's physics; another dynamics is another world, see `change`.
        legs: how the legs are modelled; `five_bar` and `serial` are two models of the Minitaur's.
        time_step_s, iterations: of the physics engine.
        engine: whose physics.
        visuals: keep the visual shapes, for `image`.
        later: the dynamics change in the middle of every trial.

    """

    def __init__(
        self, body: Body, dynamics: Dynamics, *, legs: LegModel, time_step_s: float, iterations: int,
        engine: Engine = "pybullet", visuals: bool = False, later: Change | None = None,
    ) -> None:  # fmt: skip
        self.body = body
        self.dynamics = dynamics
        self._recipe = Recipe(body, legs, time_step_s, iterations, engine, visuals)
        self._time_step_s = time_step_s
        self._later = later
        self._incarnations: list[Incarnation] = []
        self._at: Incarnation | None = None
        self._window: tuple[Incarnation, World] | None = None
        self._steps = 0
        self._change_step = -1
        self._command = self.spec.damping_command()
        self._last_reading: RobotState | None = None

    @property
    def spec(self) -> RobotSpec:
        return self.body.spec

    # --- hardware.Robot

    def connect(self) -> None:
        if self._at is None:
            self._at = self._incarnation(self.dynamics)
            self.reset(np.random.default_rng(0))

    def read(self) -> RobotState:
        at = self._connected()
        if not is_on(at.dynamics.ground, self._position_m[0], self._position_m[1]):
            raise RobotFault(f"{self.spec.name} has come to the end of its ground: steps and rough ground are 6.4 m by 3.2 m")
        if self._last_reading is not None and at.sensors.drops_out():
            return self._last_reading
        angles, velocities = at.drivetrain.late()
        measured, orientation, rates = at.sensors.read(angles)
        at.sensors.add_velocity_noise(velocities)
        self._last_reading = RobotState(
            self._steps * self._time_step_s,
            measured,
            velocities,
            at.drivetrain.torques_nm,
            ImuReading(orientation, rates),
            at.drivetrain.battery_v,
        )
        return self._last_reading

    def write(self, command: JointCommand) -> JointCommand:
        self._connected()
        sent = self.spec.within_limits(command)
        self._target(sent)
        return sent

    def stop(self) -> None:
        if self._at is not None:
            self._target(self.spec.damping_command())

    def close(self) -> None:
        for incarnation in self._incarnations:
            incarnation.physics.close()
        self._incarnations, self._at = [], None
        self._close_window()

    # --- hardware.Clock: time passing is the physics stepping

    def now(self) -> float:
        return self._steps * self._time_step_s

    def sleep_until(self, deadline_s: float) -> None:
        self._connected()
        last = math.ceil(deadline_s / self._time_step_s - 1e-6)
        if self._steps < self._change_step <= last and self._later is not None:
            self._run_until(self._change_step)
            self.change(self._later.dynamics)
        self._run_until(last)

    # --- what only a simulation can do

    def reset(self, generator: np.random.Generator) -> None:
        """Back to standing at the origin; the generator decides the start's push and all noise until the next reset."""
        self._connected()
        self._at = at = self._incarnation(self.dynamics)
        at.physics.restore(at.snapshot)
        self._target(self.spec.position_command(self.spec.stance_rad))
        push = generator.standard_normal(2) * self.dynamics.start_push_m_s
        at.physics.push((float(push[0]), float(push[1]), 0.0))
        at.drivetrain.begin(at.physics.joint_states())
        self._begin_sensing(at, generator)
        self._change_step = -1
        if self._later is not None:
            self._change_step = self._steps + max(round(self._later.after_s / self._time_step_s), 1)

    def change(self, dynamics: Dynamics) -> None:
        """The world changes around a moving robot: it goes on from where it is, until the next reset, in other dynamics."""
        old = self._connected()
        new = self._incarnation(dynamics)
        new.physics.restore(new.snapshot)
        motion = old.physics.motion()
        if dynamics.ground != old.dynamics.ground:
            # Feet reach about as far as a robot is high.
            motion = moved_onto(dynamics.ground, old.dynamics.ground, motion, self.body.start_height_m)
        new.physics.place(motion)
        new.drivetrain.take_over(old.drivetrain, new.physics.joint_states())
        self._at = new
        self._target(self._command)
        self._begin_sensing(new, old.sensors.generator)
        new.sensors.remember(old.sensors)

    def truth(self) -> Truth:
        at = self._connected()
        x, y, z = self._position_m if at.to_ground is None else rotate(at.to_ground, self._position_m)
        return Truth(x, y, z, at.drivetrain.energy_j)

    def image(self, *, width: int, height: int) -> NDArray[np.uint8]:
        """The robot from its right front, as large as fits, (height, width, 3)."""
        position, _ = self.physics.base_pose()
        size_m = self.body.start_height_m
        target = (position[0], position[1], position[2] - 0.35 * size_m)
        return self.physics.image(width=width, height=height, target_m=target, distance_m=self._view_m)

    @property
    def _view_m(self) -> float:
        """How far a camera stands: a crouching robot is long for its height."""
        return 0.45 + 1.75 * self.body.start_height_m

    def show(self) -> bool:
        """Shows where it is in PyBullet's own window, whatever its engine; False once the window was closed.

        Physics in that window would wait for its drawing, so the window has a world of its own.
        Raises RobotError where there is no display.
        """
        from sim.world import World

        at = self._connected()
        if self._window is None or self._window[0] is not at:
            world = World(at.assembly, self.body, at.dynamics, time_step_s=self._time_step_s, iterations=1, gui=True)
            self._window = at, world
        return self._window[1].show(at.physics.motion(), self._view_m)

    @property
    def physics(self) -> Physics:
        """For pictures and tests."""
        return self._connected().physics

    @property
    def shut_down(self) -> list[bool]:
        """Which motors have overheated since the reset (n,)."""
        return self._connected().drivetrain.shut_down

    # ---

    def _close_window(self) -> None:
        if self._window is not None:
            self._window[1].close()
        self._window = None

    def _connected(self) -> Incarnation:
        if self._at is None:
            raise RobotError(f"{self.spec.name} is not connected: call connect() first")
        return self._at

    def _target(self, command: JointCommand) -> None:
        self._command = command
        self._connected().drivetrain.command(command)

    def _incarnation(self, dynamics: Dynamics) -> Incarnation:
        """The robot in a world of these dynamics, built at the first call."""
        for known in self._incarnations:
            if known.dynamics == dynamics:
                return known
        # Kept: where the next reset goes, and where it is.
        for other in [one for one in self._incarnations if one is not self._at and one.dynamics != self.dynamics]:
            other.physics.close()
            self._incarnations.remove(other)
        made = incarnate(self._recipe, dynamics)
        self._incarnations.append(made)
        return made

    def _begin_sensing(self, at: Incarnation, generator: np.random.Generator) -> None:
        at.sensors.begin(generator)
        self._position_m, orientation = at.physics.base_pose()
        at.sensors.push(orientation, at.physics.base_velocity()[1])
        self._last_reading = None

    def _run_until(self, last: int) -> None:
        if last <= self._steps:
            return
        self._position_m = self._connected().run(last - self._steps)
        self._steps = last
