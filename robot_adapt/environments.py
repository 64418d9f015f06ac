"""Gymnasium environments by name: importing this registers `robot_adapt/Minitaur-v0` and those of the other shipped robots.

Gymnasium 1.0 dropped the packaging entry point by which environments registered themselves, so this module is imported, or
named: `gymnasium.make("robot_adapt.environments:robot_adapt/Minitaur-v0")`.
"""

from __future__ import annotations

import math

import gymnasium

from robot_adapt.backends import SimulatedRobotConfig, load_hobble, simulated_rig
from robot_adapt.config import load, read_yaml, shipped_or_file, validate
from robot_adapt.errors import UserError
from sim.env import PERIOD_S, QuadrupedEnv

# What policies are trained on.
RIGS = {"Minitaur": "minitaur_training", "Laikago": "laikago_training", "A1": "a1_training"}
_EPISODE_S = 3.0


def make_env(
    rig: str, *, robot: str | None = None, hobble: str | None = None, hobble_after_s: float | None = None,
    engine: str | None = None, render_mode: str | None = None,
) -> QuadrupedEnv:  # fmt: skip
    """The environment of a simulated robot; no physics yet, that begins with its first reset.

    Args:
        rig: the robot and its world: a name in configs/rigs/, or a YAML file.
        robot: the kind of robot that the rig must be of.
        hobble: a name in configs/hobbles/, or a YAML file.
        hobble_after_s: when in every episode the hobble happens; None or 0 is from its start. After its end (3 s, where
            max_episode_steps is not other) it never does.
        engine: `pybullet` or `mujoco`; None is the rig's own. MuJoCo is for evaluation: it stands for reality, so train nothing
            on it.
        render_mode: `rgb_array`, or None for no pictures.

    Raises:
        UserError: naming what there is not, or what does not fit the robot.

    """
    if hobble_after_s is not None and not 0.0 <= hobble_after_s < math.inf:
        raise UserError(f"hobble_after_s: should be seconds from an episode's start, 0 or more, not {hobble_after_s}")
    if hobble is None and hobble_after_s is not None:
        raise UserError("hobble_after_s: there is no hobble to happen then")
    path = shipped_or_file("rigs", rig)
    config = load(path, SimulatedRobotConfig)
    if robot not in (None, config.robot.body.name):
        raise UserError(f"rig: {rig} is a {config.robot.body.name}, not a {robot}")
    if engine is not None:
        config = validate({**read_yaml(path), "engine": engine}, SimulatedRobotConfig, str(path))
    if hobble is not None:
        config = config.hobbled(load_hobble(hobble, config.robot.body), hobble_after_s or 0.0)
    _, body = simulated_rig(config, visuals=render_mode is not None)
    return QuadrupedEnv(body, **config.robot.returns.model_dump(), render_mode=render_mode)


for _name, _rig in RIGS.items():
    gymnasium.register(
        f"robot_adapt/{_name}-v0",
        entry_point="robot_adapt.environments:make_env",
        max_episode_steps=round(_EPISODE_S / PERIOD_S),
        kwargs={"rig": _rig, "robot": _name.lower()},
    )
