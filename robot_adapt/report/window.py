"""A walk in PyBullet's own window, in real time."""

from __future__ import annotations

import time

import numpy as np

from robot_adapt.backends import Rig
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.rollout import rollout
from robot_adapt.trial import Trial
from sim.simulated_robot import SimulatedRobot

# Drawing that takes longer than this (a window opens) holds the walk; quicker drawing leaves out frames.
_HOLD_S = 0.25


class _WindowClosed(Exception):
    """By who looked."""


def show_walk(rig: Rig, body: SimulatedRobot, policy: LinearPolicy, trial_s: float, start: np.random.Generator) -> Trial | None:
    """One trial of a connected simulated robot in its window; None when the window was closed before the end.

    Raises RobotError where there is no display.
    """
    rig.reset(start)
    body.show()
    next_s = rig.clock.now()
    ahead_s = time.monotonic() - next_s

    def watch(_: int) -> None:
        nonlocal next_s, ahead_s
        now_s = rig.clock.now()
        if now_s >= next_s:
            begin_s = time.monotonic()
            if not body.show():
                raise _WindowClosed
            drawing_s = time.monotonic() - begin_s
            next_s = now_s + min(drawing_s, _HOLD_S)
            ahead_s += max(drawing_s - _HOLD_S, 0.0)
        time.sleep(max(ahead_s + now_s - time.monotonic(), 0.0))

    try:
        return rollout(rig.robot, rig.clock, policy, rig.returns, trial_s, watch)
    except _WindowClosed:
        return None
