"""A hobble as people name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.hobbles import Hobble
    from sim.robots.body import Body


def load_hobble(name: str, body: Body) -> Hobble:
    """A YAML file, or a name from configs/hobbles/. Raises UserError naming file and key when this robot cannot have it."""
    from robot_adapt.config import load, shipped_or_file
    from robot_adapt.errors import UserError
    from sim.hobbles import Hobble

    path = shipped_or_file("hobbles", name)
    hobble = load(path, Hobble)
    if (wrong := hobble.misfit(body)) is not None:
        raise UserError(f"{path}: {wrong}")
    return hobble
