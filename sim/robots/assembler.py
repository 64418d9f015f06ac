"""From a body and a world's dynamics to an assembly: which model of the legs is made how."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hardware.types import RobotError
from sim.dynamics import Dynamics
from sim.robots import minitaur, urdf
from sim.robots.assembly import Assembly, LegModel
from sim.robots.body import Body


def assemble(body: Body, legs: LegModel, dynamics: Dynamics, *, visuals: bool) -> Assembly:
    """A body for one world. Raises RobotError when it has no legs of that model, or lacks what the dynamics name."""
    wrong = dynamics.misfit(body)
    if wrong is not None:
        raise RobotError(f"dynamics.{wrong}")
    if legs != "open_chain":
        if body.name != "minitaur":
            raise RobotError(f"legs: {legs} legs are the Minitaur's; {body.name} has open_chain legs")
        return minitaur.assemble(body, dynamics, legs=legs, visuals=visuals)
    robot = urdf.read(body.urdf_path)
    for link in robot.iter("link"):
        urdf.scale_mass(link, dynamics.mass_ratio)
    urdf.set_collisions(robot, body, dynamics)
    if dynamics.payload_kg > 0.0:
        urdf.add_payload(robot, dynamics.payload_kg, dynamics.payload_position_m)
    if not visuals:
        urdf.drop_visuals(robot)
    feet: dict[str, tuple[str, ...]] = {leg: (urdf.moving_link(robot, foot.link),) for leg, foot in body.feet.items()}
    urdf.fold_fixed_joints(robot)
    return Assembly(
        urdf=ET.tostring(robot, encoding="unicode"),
        joints=tuple(body.joints),
        start={name: joint.sign * joint.stance_rad + joint.offset_rad for name, joint in body.joints.items()},
        feet=feet,
    )
