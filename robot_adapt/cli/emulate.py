"""`robot-adapt emulate`: a robot's motors and IMU as bytes on pseudo-terminals, and a person who breaks them."""

from __future__ import annotations

import contextlib
import shlex
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from robot_adapt import MAX_SEED


def emulate(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file, or a name from configs/hardware/.")],
    physics: Annotated[
        str | None,
        typer.Option(help="Whose body moves: a name from configs/rigs/, a YAML file, or mock [the robot's own, else mock]."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides which packets faults befall.")] = 0,
    fault: Annotated[
        list[str] | None, typer.Option(help="What goes wrong from the start, as drop=0.01 or dead=11; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the robot's YAML with the emulated ports.")] = None,
) -> None:
    """Emulate a robot's devices until Ctrl-C; commands on standard input break and mend them (help lists them)."""
    import yaml

    from robot_adapt.backends import SimulatedRobotConfig
    from robot_adapt.cli.wired import load_wired
    from robot_adapt.config import load, read_yaml, shipped_or_file
    from robot_adapt.emulation import Emulation, simulated_twin
    from robot_adapt.emulation_commands import Commands
    from robot_adapt.errors import UserError

    config, file = load_wired(robot)
    if physics is None:
        body = simulated_twin(config)
    else:
        body = None if physics == "mock" else load(shipped_or_file("rigs", physics), SimulatedRobotConfig)
    with contextlib.closing(Emulation(config, body, seed)) as emulation:
        commands = Commands(emulation)
        for text in fault or ():
            typer.echo(commands.run(text.replace("=", " ", 1)), err=True)
        ports = {"motors": emulation.motors.path, "imu": emulation.imu.path}
        for device, path in ports.items():
            typer.echo(f"{device} {path}")
        if out is not None:
            values = read_yaml(file)
            values = {key: {**value, "port": ports[key]} if key in ports else value for key, value in values.items()}
            values.pop("calibration", None)  # the emulated motors have the file's own signs and zeros
            out.write_text(f"# {file}, on emulated devices\n" + yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
            typer.echo(f"robot-adapt {'adapt' if config.robot is not None else 'check'} {shlex.quote(str(out))}")
        sys.stdout.flush()
        for line in sys.stdin:
            if line.strip():
                try:
                    typer.echo(commands.run(line))
                except UserError as error:
                    typer.echo(str(error), err=True)
                sys.stdout.flush()
        threading.Event().wait()  # nobody is at standard input: until Ctrl-C
