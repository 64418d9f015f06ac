"""Incarnation: a robot in one world, physics, motors and sensors together, and a snapshot of it standing there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from sim.drivetrain import Drivetrain
from sim.dynamics import Dynamics
from sim.ground import Ground, highest_m, plane_quaternion
from sim.physics import LEVEL, Engine, Motion, Physics, Quaternion, Stepping, compose, inverse, rotate
from sim.robots.assembler import assemble
from sim.robots.assembly import Assembly, LegModel
from sim.robots.body import Body
from sim.robots.paint import painted
from sim.sensors import Sensors
from sim.stepping import stepping

_SETTLE_S = 0.6


@dataclass(frozen=True)
class Recipe:
    """How a robot is simulated, whatever its world; see SimulatedRobot."""

    body: Body
    legs: LegModel
    time_step_s: float
    iterations: int
    engine: Engine
    visuals: bool


@dataclass(frozen=True)
class Incarnation:
    """A robot in one world; `to_ground` turns the world's frame into the ground's, None where that is level."""

    dynamics: Dynamics
    assembly: Assembly
    physics: Physics
    drivetrain: Drivetrain
    sensors: Sensors
    run: Stepping
    snapshot: int
    to_ground: Quaternion | None


def incarnate(recipe: Recipe, dynamics: Dynamics) -> Incarnation:
    """Builds a world, and lets the robot settle in its stance."""
    body, time_step_s = recipe.body, recipe.time_step_s
    assembly = assemble(body, recipe.legs, dynamics, visuals=recipe.visuals)
    if recipe.visuals:
        assembly = painted(assembly, body, dynamics)
    physics = _engine(recipe.engine)(assembly, body, dynamics, time_step_s=time_step_s, iterations=recipe.iterations)
    drivetrain = Drivetrain(body, assembly, dynamics, time_step_s)
    drivetrain.command(body.spec.position_command(body.spec.stance_rad))
    drivetrain.begin(physics.joint_states())
    sensors = Sensors(drivetrain.encoder_offset_rad, dynamics, time_step_s)
    run = stepping(physics, drivetrain, sensors)
    run(round(_SETTLE_S / time_step_s))
    physics.pull(dynamics.pull_n)  # not while it settled: a trial begins at rest
    plane = plane_quaternion(dynamics.ground)
    to_ground = None if plane == LEVEL else inverse(plane)
    return Incarnation(dynamics, assembly, physics, drivetrain, sensors, run, physics.save(), to_ground)


def moved_onto(ground: Ground, old: Ground, motion: Motion, reach_m: float) -> Motion:
    """The same motion over the same point of another ground, as high above the highest within reach."""
    plane = plane_quaternion(ground)
    turn = compose(plane, inverse(plane_quaternion(old)))
    x, y, _ = rotate(inverse(plane_quaternion(old)), motion.position_m)
    lift_m = highest_m(ground, x, y, reach_m) - highest_m(old, x, y, reach_m)
    a, b, c = (p + q for p, q in zip(rotate(turn, motion.position_m), rotate(plane, (0.0, 0.0, lift_m)), strict=True))
    return replace(
        motion,
        position_m=(a, b, c),
        orientation_xyzw=compose(turn, motion.orientation_xyzw),
        velocity_m_s=rotate(turn, motion.velocity_m_s),
        angular_velocity_rad_s=rotate(turn, motion.angular_velocity_rad_s),
    )


class _OpenPhysics(Protocol):
    def __call__(
        self, assembly: Assembly, body: Body, dynamics: Dynamics, *, time_step_s: float, iterations: int
    ) -> Physics: ...


def _engine(engine: Engine) -> _OpenPhysics:
    if engine == "mujoco":
        from sim.mujoco_world import MujocoWorld

        return MujocoWorld
    from sim.world import World

    return World
