"""Stepping: physics steps with motors in between, and what the IMU sees: where the time goes.

In one compiled call where the engine lets itself be called so (`Physics.compiled`), else in Python: to the last bit the same.
"""

from __future__ import annotations

from sim.drivetrain import Drivetrain
from sim.physics import Physics, Stepping
from sim.sensors import Sensors
from sim.values import PointM


def stepping(engine: Physics, drivetrain: Drivetrain, sensors: Sensors) -> Stepping:
    """The fastest that this engine has."""
    return engine.compiled(drivetrain, sensors) or in_python(engine, drivetrain, sensors)


def in_python(engine: Physics, drivetrain: Drivetrain, sensors: Sensors) -> Stepping:
    """For any engine."""

    def run(steps: int) -> PointM:
        unseen = max(steps - sensors.samples, 0)  # steps that no reading will look back at
        torques = drivetrain.drive()
        for _ in range(unseen):
            torques = drivetrain.advance(engine.step(torques))
        for left in reversed(range(steps - unseen)):
            if left:
                torques = drivetrain.advance(engine.step(torques))
            else:  # before the next step there may be another command
                drivetrain.observe(engine.step(torques))
            position, orientation = engine.base_pose()
            sensors.push(orientation, engine.base_velocity()[1])
        return position

    return run
