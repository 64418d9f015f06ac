"""One trial: the one control loop for simulated, emulated and real robots. Knows no simulator, no network, no disk."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.clock import Clock
from hardware.robot import Robot
from hardware.types import FloatArray, RobotFault, RobotState
from robot_adapt.adapt.return_source import ReturnSource
from robot_adapt.policy.linear import Controller, LinearPolicy
from robot_adapt.trial import Status, Trial


def rollout(
    robot: Robot, clock: Clock, policy: LinearPolicy, returns: ReturnSource, duration_s: float,
    on_tick: Callable[[int], None] = lambda _: None,
) -> Trial:  # fmt: skip
    """Walks a connected robot for `duration_s`, then stops it (damping), however the trial ended; Ctrl-C closes it."""
    period_s, ticks = policy.period_s, policy.ticks_in(duration_s)
    controller = Controller(policy, robot.spec)
    states, targets, observations, late = [], [], [], []
    status, reason, value, missed, last, tick = Status.COMPLETED, "", None, 0, -1, 0
    start_s, collects = clock.now(), gc.isenabled()
    gc.disable()  # a collection of garbage would make ticks late
    try:
        returns.begin()
        while tick < ticks:
            late_s = clock.now() - start_s - tick * period_s
            state = robot.read()
            if state.imu.tilt_rad > robot.spec.max_tilt_rad:
                status, reason = Status.FELL, f"tilted {math.degrees(state.imu.tilt_rad):.0f} degrees"
                break
            observation = controller.observe(state)
            sent = robot.write(controller.act(observation, (tick - last) * period_s))
            states.append(state)
            targets.append(sent.positions_rad)
            observations.append(observation)
            late.append((round(max(late_s, 0.0), 6),))  # a simulated clock has dust in its last digits
            on_tick(tick)
            # Absolute deadlines; those that have passed are skipped, never made up for in a burst.
            tick_now = math.floor((clock.now() - start_s) / period_s + 1e-6)
            missed += max(tick_now - tick, 0)
            last, tick = tick, max(tick, tick_now) + 1
            clock.sleep_until(start_s + tick * period_s)
            returns.tick((tick - last) * period_s)
        robot.stop()  # before a person is asked how far it went
        value = returns.finish()
        if not math.isfinite(value):
            status, reason, value = Status.ABORTED, f"the return from {returns.name} is {value}, not a number", None
    except RobotFault as fault:
        status, reason = Status.ABORTED, str(fault)
    except KeyboardInterrupt:
        robot.close()  # which sits it down if it is up; damped first, it would stay where it sinks to
        raise
    finally:
        robot.stop()
        if collects:
            gc.enable()
    telemetry = {**_telemetry(states, targets), "late_s": np.array(late, dtype=np.float32), **returns.telemetry()}
    return Trial(status, reason, value, tick * period_s, missed, telemetry, np.array(observations))


def _telemetry(states: list[RobotState], targets: list[FloatArray]) -> dict[str, NDArray[np.float32]]:
    columns = {
        "position_rad": [state.positions_rad for state in states],
        "target_rad": targets,
        "torque_nm": [state.torques_nm for state in states],
        "tilt": [(state.imu.roll_rad, state.imu.pitch_rad) for state in states],
        "yaw_rad": [(state.imu.yaw_rad,) for state in states],
        "battery_v": [(state.battery_v,) for state in states],
    }
    return {name: np.array(rows, dtype=np.float32) for name, rows in columns.items()}
