"""Twelve emulated Dynamixels and a VN-100 in a process of their own, a tick of ours, and what times it."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from robot_adapt.config import load, shipped
from robot_adapt.emulation import Emulation
from robot_adapt.emulation_commands import Commands
from robot_adapt.hardware_config import HardwareConfig, WiredRobot, wired_robot
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import Controller, LinearPolicy
from robot_adapt.robot_model import RobotModel

PERIOD_S = 0.01
IDS = tuple(range(1, 13))


def twelve_dynamixels(fast: bool = True, **motors: float) -> HardwareConfig:
    """The Laikago's joints, for which there is a policy, on Dynamixels; `motors` are changes of the bus's config."""
    robot = load(shipped("robots", "laikago.yaml"), RobotModel)
    joints = {name: {"id": k, "sign": 1, "offset_rad": 0.0} for k, name in zip(IDS, robot.body.joints, strict=True)}
    bus = {"family": "dynamixel", "port": "motors", "model": "XM540-W270", "supply_v": 12.0, "joints": joints}
    every = {"velocity_rad_s": 40.0, "slew_rad": 1.0, "torque_nm": 400.0, "overspeed_rad_s": 60.0}
    # The supervisor looks at all that it looks at, but is not to end the measurement of a busy machine, or a turn of the SDK's.
    patience = {"stall_torque": 1.0, "stale_command_s": 60.0, "stale_reading_s": 60.0, "late_a_second": 10_000}
    values = {
        "backend": "hardware",
        "robot": "laikago",
        "motors": {**bus, "fast_sync_read": fast, **motors},
        "imu": {"family": "vectornav", "port": "imu", "rate_hz": 200, "stale_s": 1.0},
        "safety": {"every_joint": every, **patience},
        "control_hz": 100.0,
    }
    return HardwareConfig.model_validate_json(json.dumps(values))


def shipped_policy(robot: str) -> LinearPolicy:
    return policy_file.load(shipped("policies", f"{robot}.safetensors"))


def policy_at(period_s: float) -> LinearPolicy:
    return replace(shipped_policy("laikago"), period_s=period_s)


class NoReturn:
    """A ReturnSource for trials in which nobody walks."""

    name = "none"

    def begin(self) -> None: ...

    def tick(self, period_s: float) -> None: ...

    def finish(self) -> float:
        return 0.0

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        return {}


@contextlib.contextmanager
def devices(config: HardwareConfig, byte_time: bool) -> Iterator[tuple[HardwareConfig, Callable[[str], None]]]:
    """The config with the ports that its emulated devices are on, in a process of their own, and what tells them to fail."""
    context = multiprocessing.get_context("spawn")
    pipe, there = context.Pipe()
    process = context.Process(target=_emulate, args=(config.model_dump_json(), byte_time, there), daemon=True)
    process.start()
    there.close()

    def tell(line: str) -> None:
        pipe.send(line)
        pipe.recv()

    try:
        yield HardwareConfig.model_validate_json(pipe.recv()), tell
    finally:
        pipe.close()
        process.join()


def _emulate(values: str, byte_time: bool, pipe: Connection) -> None:
    """The process: mock physics, so that what is measured is bytes."""
    with contextlib.closing(Emulation(HardwareConfig.model_validate_json(values), None, byte_time=byte_time)) as emulation:
        commands, line = Commands(emulation), emulation.faults.motors_line
        pipe.send(emulation.reachable.model_dump_json())
        with contextlib.suppress(EOFError):
            while True:
                words = pipe.recv().split()
                if words[0] in ("drop", "corrupt_byte"):  # on the motors' line alone
                    setattr(line, words[0], float(words[1]))
                else:
                    commands.run(" ".join(words))
                pipe.send(None)


@contextlib.contextmanager
def armed(config: HardwareConfig) -> Iterator[WiredRobot]:
    wired = wired_robot(config, None)
    wired.supervisor.connect()
    try:
        yield wired
    finally:
        wired.supervisor.close()


@dataclass(frozen=True)
class Tick:
    """Ours: read, policy, safety, write."""

    wired: WiredRobot
    controller: Controller

    def __call__(self) -> None:
        robot = self.wired.supervisor
        robot.write(self.controller.act(self.controller.observe(robot.read()), PERIOD_S))


def timed(act: Callable[[], None], ticks: int) -> list[float]:
    """Seconds each, at 100 Hz."""
    taken, deadline_s = [], time.monotonic()
    for _ in range(ticks):
        deadline_s = max(deadline_s + PERIOD_S, time.monotonic())
        time.sleep(max(deadline_s - time.monotonic(), 0.0))
        begin_s = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begin_s)
    return taken


PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))


def rounded(value: float) -> float:
    return float(f"{value:.4g}")
