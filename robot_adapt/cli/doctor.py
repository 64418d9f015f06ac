"""`robot-adapt doctor`: what works on this machine and what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator

import typer

_LIBRARIES = {
    **dict.fromkeys(("numpy", "grpcio", "protobuf", "pyserial", "PyYAML", "pydantic", "safetensors", "matplotlib"), "needed"),
    "pybullet": "demo, meta-train, render and simulated robots need it; real robots do not",
    "numba": "simulated robots need it; real robots do not",
    "mujoco": "--backend mujoco and robots with engine: mujoco need it",
    "gymnasium": "robot_adapt.environments needs it",
    "av": "render needs it for .mp4",
}


def doctor() -> None:
    """Say what works on this machine and what does not: versions, simulation, real time, serial ports."""
    for works, line in _findings():
        typer.echo(f"{'ok ' if works else 'NO '} {line}")


def _findings() -> Iterator[tuple[bool, str]]:
    yield sys.version_info >= (3, 10), f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    for name, need in _LIBRARIES.items():
        try:
            yield True, f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{name} is missing: {need}"
    yield True, f"{len(os.sched_getaffinity(0))} cores for this process"
    yield _simulation()
    yield from _real_time()
    yield from _serial_ports()


def _simulation() -> tuple[bool, str]:
    from hardware.types import RobotError
    from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
    from robot_adapt.config import load, shipped
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file

    try:
        policy = policy_file.load(shipped("policies", "minitaur.safetensors"))
        rig, _ = simulated_rig(load(shipped("rigs", "minitaur.yaml"), SimulatedRobotConfig))
        policy.check_fits(rig.robot.spec)
        rig.robot.connect()
        rig.robot.close()
    except (UserError, RobotError, ImportError) as error:
        return False, str(error)
    return True, "simulation: the five-bar Minitaur loads, and the shipped policy fits it"


def _real_time() -> Iterator[tuple[bool, str]]:
    """Asks for all that a control loop asks for, then goes back."""
    from hardware.real_time import real_time

    refused: list[str] = []
    with real_time(refused.append):
        pass
    if not refused:
        yield True, "real time: SCHED_FIFO and locked memory are allowed"
    for line in refused:
        yield False, line


def _serial_ports() -> Iterator[tuple[bool, str]]:
    try:
        from serial.tools import list_ports

        from hardware.serial_port import slow_adapter
    except ImportError:
        return  # pyserial is said to be missing above

    ports = list(list_ports.comports())
    if not ports:
        yield False, "no serial ports: no real robot can be reached from here"
    for port in ports:
        allowed = os.access(port.device, os.R_OK | os.W_OK)
        advice = "" if allowed else ": no permission, add the user to the group that owns it (dialout)"
        yield allowed, f"serial port {port.device} ({port.description}){advice}"
        if (held := slow_adapter(port.device)) is not None:
            yield False, held
