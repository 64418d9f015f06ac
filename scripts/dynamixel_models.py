"""Writes hardware/motors/dynamixel_models.py from the control tables that ROBOTIS' SDK has in its repository, not its wheel.

Usage: python scripts/dynamixel_models.py CHECKOUT, a clone of https://github.com/ROBOTIS-GIT/DynamixelSDK, bare or not.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

_TARGET = Path(__file__).parents[1] / "hardware" / "motors" / "dynamixel_models.py"
_X_SERIES = re.compile(r"2?x[a-z](330|430|540)_[a-z]\d+")
_WANTED = """Model Number, Firmware Version, ID, Return Delay Time, Drive Mode, Operating Mode, Homing Offset,
Temperature Limit, Max Voltage Limit, Min Voltage Limit, PWM Limit, Velocity Limit, Max Position Limit, Min Position
Limit, Shutdown, Torque Enable, Status Return Level, Registered Instruction, Hardware Error Status, Position D Gain,
Position I Gain, Position P Gain, Feedforward 2nd Gain, Feedforward 1st Gain, Bus Watchdog, Goal PWM, Goal Velocity,
Profile Acceleration, Profile Velocity, Goal Position, Moving, Present PWM, Present Velocity, Present Position, Present
Input Voltage, Present Temperature"""
_WITH_CURRENT = ("Current Limit", "Goal Current", "Present Current")


def main() -> None:
    """Reads the command line and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    checkout: Path = parser.parse_args().checkout

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(checkout), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  of who runs this

    listed = git("show", "HEAD:control_table/dynamixel.model").splitlines()[1:]
    numbers = [line.split("\t") for line in listed if line.strip()]
    tables = {
        file.removesuffix(".model").upper().replace("_", "-"): (int(number), git("show", f"HEAD:control_table/{file}"))
        for number, file in numbers
        if _X_SERIES.fullmatch(file.removesuffix(".model"))
    }
    registers = {name: _register(name, tables) for name in (*" ".join(_WANTED.split()).split(", "), *_WITH_CURRENT)}
    speeds = (re.findall(r"Present Velocity\t([\d.]+)\trad/s", table) for _, table in tables.values())
    (velocity_unit,) = {speed for found in speeds for speed in found}
    lines = [
        '"""What the motors of the Dynamixel X series are: numbers, names, registers. Generated.',
        "",
        "By scripts/dynamixel_models.py from control_table/*.model of https://github.com/ROBOTIS-GIT/DynamixelSDK at commit",
        f"{git('rev-parse', 'HEAD').strip()}. Registers are at the same address in every model listed.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "",
        "",
        "@dataclass(frozen=True, slots=True)",
        "class Register:",
        '    """Where a value is in the control table, little endian, and of how many bytes."""',
        "",
        "    address: int",
        "    size: int",
        "",
        "",
        "@dataclass(frozen=True, slots=True)",
        "class Model:",
        '    """What a ping answers; has_current: it measures and limits current, the others only estimate their load."""',
        "",
        "    number: int",
        "    has_current: bool",
        "",
        "",
        f"VELOCITY_UNIT_RAD_S = {velocity_unit}",
        "",
    ]
    for name, (address, size) in sorted(registers.items(), key=lambda item: item[1]):
        lines.append(f"{name.upper().replace(' ', '_')} = Register({address}, {size})")
    lines += ["", "MODELS = {"]
    for model, (number, table) in tables.items():
        lines.append(f'    "{model}": Model({number}, {"Goal Current" in table}),')
    _TARGET.write_text("\n".join([*lines, "}", ""]))


def _register(name: str, tables: dict[str, tuple[int, str]]) -> tuple[int, int]:
    """Address and size, the same wherever a model has it; raises SystemExit where models differ or one lacks it."""
    found = {model: re.search(rf"^(\d+)\t(\d)\t{name}$", table, re.MULTILINE) for model, (_, table) in tables.items()}
    places = {(int(match[1]), int(match[2])) for match in found.values() if match}
    missing = [model for model, match in found.items() if match is None]
    if len(places) != 1 or (missing and name not in _WITH_CURRENT):
        raise SystemExit(f"{name}: at {sorted(places)}, missing in {missing}")
    return places.pop()


if __name__ == "__main__":
    main()
