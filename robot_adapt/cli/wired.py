"""A robot on wires, as a person names it to the verbs that look after it."""

from __future__ import annotations

from pathlib import Path

from robot_adapt.config import load, shipped_or_file
from robot_adapt.hardware_config import HardwareConfig


def load_wired(robot: str) -> tuple[HardwareConfig, Path]:
    """From a YAML file or a name in configs/hardware/, with the file. Raises UserError naming file and key."""
    file = shipped_or_file("hardware", robot)
    return load(file, HardwareConfig), file
