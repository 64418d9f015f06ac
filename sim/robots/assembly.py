"""Assembly: a body made ready for one world: a URDF, the joints that its motors move, its feet, and the loops to close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.values import PointM

LegModel = Literal["open_chain", "five_bar", "five_bar_full", "serial"]


@dataclass(frozen=True)
class Pin:
    """A point of one link stays on a point of another (link frames, m): closes a loop."""

    link_a: str
    point_a_m: PointM
    link_b: str
    point_b_m: PointM


@dataclass(frozen=True)
class Assembly:
    """What a physics engine loads.

    Attributes:
        joints: the URDF joints that are measured and driven: one a motor, in the body's order; of `serial` legs all hips, then
            all knees.
        start: URDF positions (rad, m) of all joints that the stance moves.
        feet: of each leg, the links that touch the ground.
        apart: with None no link touches another; else any two may, but for these pairs.

    """

    urdf: str
    joints: tuple[str, ...]
    start: dict[str, float]
    feet: dict[str, tuple[str, ...]]
    pins: tuple[Pin, ...] = ()
    apart: tuple[tuple[str, str], ...] | None = None
    serial: bool = False
