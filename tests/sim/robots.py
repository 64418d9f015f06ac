"""Robots for the tests of sim: the models of legs at settings at which they are true, and how to walk them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from hardware.types import FloatArray, RobotState
from robot_adapt.config import load, shipped
from robot_adapt.policy.trajectory_generator import TrotGenerator
from robot_adapt.robot_model import RobotModel
from sim.dynamics import Dynamics
from sim.physics import Engine
from sim.robots.body import Body
from sim.simulated_robot import Change, SimulatedRobot

NOISY: dict[str, Any] = {
    "joint_noise_rad": 0.01,
    "orientation_noise_rad": 0.02,
    "gyro_noise_rad_s": 0.1,
    "start_push_m_s": 0.05,
}
# Which robot on which legs, with a step (s) and iterations at which it is true.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "serial": ("minitaur", {"legs": "serial", "time_step_s": 0.004, "iterations": 10}),
    "five_bar": ("minitaur", {"legs": "five_bar", "time_step_s": 0.002, "iterations": 20}),
    "open_chain": ("laikago", {"legs": "open_chain", "time_step_s": 0.002, "iterations": 5}),
}


@cache
def robot_model(name: str) -> RobotModel:
    return load(shipped("robots", f"{name}.yaml"), RobotModel)


def body_of(model: str) -> Body:
    return robot_model(MODELS[model][0]).body


class Opened:
    """Opens robots, and closes them all at the end of a test."""

    def __init__(self) -> None:
        self._robots: list[SimulatedRobot] = []

    def __call__(
        self, model: str = "serial", later: Change | None = None, time_step_s: float | None = None, engine: Engine = "pybullet",
        **dynamics: Any,
    ) -> SimulatedRobot:  # fmt: skip
        simulation = {**MODELS[model][1], "engine": engine, **({} if time_step_s is None else {"time_step_s": time_step_s})}
        robot = SimulatedRobot(body_of(model), Dynamics().with_changes(**dynamics), later=later, **simulation)
        robot.connect()
        self._robots.append(robot)
        return robot

    def close(self) -> None:
        for robot in self._robots:
            robot.close()


def trot(
    robot: SimulatedRobot, seed: int = 0, duration_s: float = 0.5, on_tick: Callable[[int], object] = lambda _: None
) -> list[RobotState]:
    """Open-loop walking from a reset; all that was read, 50 times a second."""
    gait = TrotGenerator(robot_model(robot.body.name).trot)
    robot.reset(np.random.default_rng(seed))
    states, start = [], robot.now()
    for tick in range(round(duration_s / 0.02)):
        on_tick(tick)
        states.append(robot.read())
        offsets = gait.step(0.02, np.zeros(2 + 2 * len(robot.body.legs)))
        robot.write(robot.spec.position_command(robot.spec.stance_rad + offsets))
        robot.sleep_until(start + (tick + 1) * 0.02)
    return states


def changes(robot: SimulatedRobot, at_tick: int, dynamics: Dynamics) -> Callable[[int], None]:
    """For `trot`: the robot's world changes at a tick."""

    def on_tick(tick: int) -> None:
        if tick == at_tick:
            robot.change(dynamics)

    return on_tick


def content(states: list[RobotState]) -> bytes:
    rows = [
        np.concatenate((s.positions_rad, s.velocities_rad_s, s.torques_nm, s.imu.orientation_wxyz, [s.battery_v]))
        for s in states
    ]
    return np.array(rows).tobytes()


def stand(robot: SimulatedRobot, duration_s: float = 0.6) -> RobotState:
    """Stands in the stance for a while; what is read then."""
    robot.write(robot.spec.position_command(robot.spec.stance_rad))
    robot.sleep_until(robot.now() + duration_s)
    return robot.read()


def path(robot: SimulatedRobot) -> FloatArray:
    truth = robot.truth()
    return np.array([truth.x_m, truth.y_m])
