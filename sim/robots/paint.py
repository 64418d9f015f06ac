"""Paint: what is wrong with a robot is orange in its pictures, as a payload is. XML in, XML out; nothing moves otherwise."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

from sim.dynamics import Dynamics
from sim.robots import urdf
from sim.robots.assembly import Assembly
from sim.robots.body import Body

_ORANGE_RGBA = "1 0.3 0.05 1"
# Healthy motors differ by a few per cent; rubber feet grip.
_HEALTHY_STRENGTH = 0.9
_HEALTHY_FRICTION = 0.4


def painted(assembly: Assembly, body: Body, dynamics: Dynamics) -> Assembly:
    """The assembly with the hobbled joints' links, and the lower legs of hobbled feet, in orange."""
    robot = ET.fromstring(assembly.urdf)  # noqa: S314  our own
    wrong = {link for joint in _hobbled_joints(body, dynamics) for link in _moved_by(robot, joint, body)}
    legs = body.legs if dynamics.foot_friction < _HEALTHY_FRICTION else (*dynamics.shank_share, *dynamics.foot_friction_of)
    wrong |= {link for leg in legs for link in assembly.feet[leg]}
    for name, link in urdf.links(robot).items():
        if name in wrong:
            for visual in link.findall("visual"):
                for material in visual.findall("material"):
                    visual.remove(material)
                ET.SubElement(ET.SubElement(visual, "material", name="hobbled"), "color", rgba=_ORANGE_RGBA)
    return replace(assembly, urdf=ET.tostring(robot, encoding="unicode"))


def _hobbled_joints(body: Body, dynamics: Dynamics) -> Iterator[str]:
    """Weak, worn, locked, with a wrong zero, or of a leg that lost its lower part."""
    for joint in body.joints:
        shares = (share for name, share in dynamics.strength.items() if joint in body.joints_called(name))
        if math.prod(shares) < _HEALTHY_STRENGTH:
            yield joint
    lost = [leg for leg, share in dynamics.shank_share.items() if share == 0.0]
    for name in (*dynamics.worn_joints_nm, *dynamics.locked_joints_rad, *dynamics.encoder_offset_rad, *lost):
        yield from body.joints_called(name)


def _moved_by(robot: ET.Element, joint: str, body: Body) -> Iterator[str]:
    """The link on a joint, and all that hang on it without another motor between."""
    for found in robot.findall("joint"):
        if found.get("name") == joint:
            yield from _with_what_hangs_on(robot, _child(found), body)


def _with_what_hangs_on(robot: ET.Element, link: str, body: Body) -> Iterator[str]:
    yield link
    for joint in robot.findall("joint"):
        parent = joint.find("parent")
        if parent is not None and parent.get("link") == link and joint.get("name") not in body.joints:
            yield from _with_what_hangs_on(robot, _child(joint), body)


def _child(joint: ET.Element) -> str:
    child = joint.find("child")
    return "" if child is None else child.attrib["link"]
