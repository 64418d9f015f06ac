"""Edits of a URDF: masses, one sphere a foot, a payload, no visuals. XML in, XML out; nothing here knows a physics engine."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from hardware.types import FloatArray
from sim.dynamics import Dynamics
from sim.ground import Slope
from sim.robots.body import Body, Foot
from sim.values import PointM

_STEEL_KG_M3 = 7850.0
_LEAST_RADIUS_ON_GRID_M = 0.02


def read(path: Path) -> ET.Element:
    """The URDF with mesh files that lie beside it named in full."""
    robot = ET.parse(path).getroot()  # noqa: S314  a file of an installed package, or the user's own
    for mesh in robot.iter("mesh"):
        beside = path.parent / mesh.attrib["filename"]
        if beside.is_file():
            mesh.set("filename", str(beside))
    return robot


def links(robot: ET.Element) -> dict[str, ET.Element]:
    """By name."""
    return {link.attrib["name"]: link for link in robot.iter("link")}


def parent_joint(robot: ET.Element, link: str) -> ET.Element | None:
    """The joint that a link hangs on; None for the root."""
    for joint in robot.findall("joint"):
        child = joint.find("child")
        if child is not None and child.attrib["link"] == link:
            return joint
    return None


def moving_link(robot: ET.Element, link: str) -> str:
    """The link that a link is part of once fixed joints are merged."""
    joint = parent_joint(robot, link)
    while joint is not None and joint.attrib["type"] == "fixed":
        parent = joint.find("parent")
        link = "" if parent is None else parent.attrib["link"]
        joint = parent_joint(robot, link)
    return link


def required(element: ET.Element, tag: str) -> ET.Element:
    """A child that must be there. Raises ValueError where it is not."""
    child = element.find(tag)
    if child is None:
        raise ValueError(f"{element.tag} {element.get('name')} of the URDF has no {tag}")
    return child


def inertial(link: ET.Element) -> tuple[ET.Element, ET.Element]:
    """A link's mass and inertia elements. Raises ValueError where there are none."""
    mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
    if mass is None or inertia is None:
        raise ValueError(f"link {link.attrib['name']} of the URDF has no inertial")
    return mass, inertia


def set_moments(inertia: ET.Element, moments_kg_m2: tuple[float, float, float]) -> None:
    """Writes the moments about a link's axes."""
    for axis, moment in zip(("ixx", "iyy", "izz"), moments_kg_m2, strict=True):
        inertia.set(axis, repr(moment))


def scale_mass(link: ET.Element, ratio: float) -> None:
    """Mass and inertia, as of a denser material; links without an inertial stay without."""
    if ratio == 1.0 or link.find("inertial/mass") is None:
        return
    mass, inertia = inertial(link)
    mass.set("value", repr(float(mass.attrib["value"]) * ratio))
    for name, value in inertia.attrib.items():
        inertia.set(name, repr(float(value) * ratio))


def set_collisions(robot: ET.Element, body: Body, dynamics: Dynamics) -> None:
    """Leaves one sphere a foot and the trunk: what touches the ground, and nothing that touches the robot itself."""
    trunk = [] if body.trunk_box_m is not None else _trunk(robot)
    for link in robot.iter("link"):
        if link in trunk:
            continue
        for shape in link.findall("collision"):
            link.remove(shape)
    if body.trunk_box_m is not None:
        box = ET.SubElement(_collision(root(robot), (0.0, 0.0, 0.0)), "box")
        box.set("size", " ".join(map(repr, body.trunk_box_m)))
    by_name = links(robot)
    for leg, foot in body.feet.items():
        share, radius = dynamics.shank_share.get(leg, 1.0), foot_radius_m(foot, dynamics)
        length = math.hypot(*foot.position_m)
        # As far down as the foot's own sphere, on the line from the link's origin.
        up = (radius - foot.radius_m) / length if length > 0.0 else 0.0
        x, y, z = ((share - up) * value for value in foot.position_m)
        ET.SubElement(_collision(by_name[foot.link], (x, y, z)), "sphere", radius=repr(radius))
        if share < 1.0:
            _shorten(robot, foot.link, share)


def _trunk(robot: ET.Element) -> list[ET.Element]:
    """The root; where that is a mere frame, all that is fastened to it."""
    base = root(robot)
    if base.find("collision") is not None:
        return [base]
    return [link for link in robot.iter("link") if moving_link(robot, link.attrib["name"]) == base.attrib["name"]]


def foot_radius_m(foot: Foot, dynamics: Dynamics) -> float:
    """A heightfield has no inside: a small sphere that is pressed a few millimetres into it falls through."""
    return foot.radius_m if isinstance(dynamics.ground, Slope) else max(foot.radius_m, _LEAST_RADIUS_ON_GRID_M)


def root(robot: ET.Element) -> ET.Element:
    """The link that hangs on no joint."""
    return next(link for link in robot.iter("link") if parent_joint(robot, link.attrib["name"]) is None)


def add_payload(robot: ET.Element, kg: float, position_m: PointM) -> None:
    """A block of steel's density, fastened to the root."""
    edge = (kg / _STEEL_KG_M3) ** (1 / 3)
    base = root(robot).attrib["name"]
    link = ET.SubElement(robot, "link", name="payload_link")
    visual = ET.SubElement(link, "visual")
    ET.SubElement(ET.SubElement(visual, "geometry"), "box", size=f"{edge} {edge} {edge}")
    ET.SubElement(ET.SubElement(visual, "material", name="payload"), "color", rgba="0.85 0.35 0.1 1")
    part = ET.SubElement(link, "inertial")
    ET.SubElement(part, "mass", value=repr(kg))
    moment = kg * edge * edge / 6
    set_moments(ET.SubElement(part, "inertia", ixy="0", ixz="0", iyz="0"), (moment, moment, moment))
    joint = ET.SubElement(robot, "joint", name="payload_joint", type="fixed")
    ET.SubElement(joint, "parent", link=base)
    ET.SubElement(joint, "child", link="payload_link")
    ET.SubElement(joint, "origin", rpy="0 0 0", xyz=" ".join(map(repr, position_m)))


def fold_fixed_joints(robot: ET.Element) -> None:
    """Makes links that are fastened to each other one link: mass, inertia, shapes and all.

    PyBullet's own merging (URDF_MERGE_FIXED_LINKS) takes every centre of mass to be at its link's origin.
    """
    by_name = links(robot)
    for joint in [one for one in robot.findall("joint") if one.attrib["type"] == "fixed"]:
        parent, child = (by_name[_end(joint, end)] for end in ("parent", "child"))
        place = pose_of(joint)
        _set_inertial(parent, [_mass_properties(parent, np.eye(4)), _mass_properties(child, place)])
        for tag in ("visual", "collision"):
            for shape in child.findall(tag):
                _set_pose(shape, place @ pose_of(shape))
                parent.append(shape)
        for contact in child.findall("contact"):
            parent.append(contact)
        robot.remove(joint)
        robot.remove(child)
        for other in robot.findall("joint"):
            if _end(other, "parent") == child.attrib["name"]:
                _set_pose(other, place @ pose_of(other))
                required(other, "parent").set("link", parent.attrib["name"])


def _end(joint: ET.Element, which: str) -> str:
    link = joint.find(which)
    return "" if link is None else link.attrib["link"]


def pose_of(element: ET.Element) -> FloatArray:
    """The `origin` of a joint, shape or inertial, as a homogeneous matrix (4, 4)."""
    pose, origin = np.eye(4), element.find("origin")
    if origin is not None:
        pose[:3, 3] = _xyz(origin)
        r, p, y = (float(v) for v in origin.get("rpy", "0 0 0").split())
        (sr, cr), (sp, cp), (sy, cy) = ((math.sin(a), math.cos(a)) for a in (r, p, y))
        pose[:3, :3] = [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    return pose


def _set_pose(element: ET.Element, pose: FloatArray) -> None:
    origin = element.find("origin")
    if origin is None:
        origin = ET.SubElement(element, "origin")
    r = pose[:3, :3]
    rpy = (math.atan2(r[2, 1], r[2, 2]), math.asin(max(-1.0, min(1.0, -r[2, 0]))), math.atan2(r[1, 0], r[0, 0]))
    origin.set("rpy", " ".join(repr(float(v)) for v in rpy))
    origin.set("xyz", " ".join(repr(float(v)) for v in pose[:3, 3]))


_AXES = (("ixx", 0, 0), ("iyy", 1, 1), ("izz", 2, 2), ("ixy", 0, 1), ("ixz", 0, 2), ("iyz", 1, 2))


def _mass_properties(link: ET.Element, place: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Mass, centre of mass (3,) and inertia about it (3, 3) of a link that is placed so; no inertial is no mass."""
    part = link.find("inertial")
    if part is None:
        return 0.0, np.zeros(3), np.zeros((3, 3))
    mass, inertia = inertial(link)
    pose, tensor = place @ pose_of(part), np.zeros((3, 3))
    for name, i, j in _AXES:
        tensor[i, j] = tensor[j, i] = float(inertia.get(name, "0"))
    return float(mass.attrib["value"]), pose[:3, 3], pose[:3, :3] @ tensor @ pose[:3, :3].T


def _set_inertial(link: ET.Element, bodies: list[tuple[float, FloatArray, FloatArray]]) -> None:
    """Writes the inertial of several bodies together (parallel axes)."""
    kg = sum(mass for mass, _, _ in bodies)
    if kg == 0.0:
        return
    center = np.asarray(sum(mass * at for mass, at, _ in bodies)) / kg
    tensor = np.zeros((3, 3))
    for mass, at, about_its_center in bodies:
        d = at - center
        tensor += about_its_center + mass * (d @ d * np.eye(3) - np.outer(d, d))
    old = link.find("inertial")
    if old is not None:
        link.remove(old)
    part = ET.SubElement(link, "inertial")
    ET.SubElement(part, "origin", rpy="0 0 0", xyz=" ".join(repr(float(v)) for v in center))
    ET.SubElement(part, "mass", value=repr(float(kg)))
    ET.SubElement(part, "inertia", {name: repr(float(tensor[i, j])) for name, i, j in _AXES})


def drop_visuals(robot: ET.Element) -> None:
    """Nothing is left to look at: loads in a tenth of the time."""
    for link in robot.iter("link"):
        for visual in link.findall("visual"):
            link.remove(visual)


def _collision(link: ET.Element, position_m: PointM) -> ET.Element:
    """The geometry of a new collision shape at a point of a link."""
    collision = ET.SubElement(link, "collision")
    ET.SubElement(collision, "origin", rpy="0 0 0", xyz=" ".join(map(repr, position_m)))
    return ET.SubElement(collision, "geometry")


def _shorten(robot: ET.Element, foot_link: str, share: float) -> None:
    """Brings a foot that is a link of its own up to its share of the lower leg, and cuts what is drawn of the leg."""
    joint = parent_joint(robot, foot_link)
    if joint is not None and joint.attrib["type"] == "fixed":
        origin = joint.find("origin")
        if origin is not None:
            origin.set("xyz", " ".join(repr(share * v) for v in _xyz(origin)))
    shank = links(robot)[moving_link(robot, foot_link)]
    for visual in shank.findall("visual"):
        box, origin = visual.find("geometry/box"), visual.find("origin")
        if box is None or origin is None:
            if share < 0.5:
                shank.remove(visual)
            continue
        # The longest edge shrinks, and with it the distance from the knee.
        size = [float(v) for v in box.attrib["size"].split()]
        size[size.index(max(size))] *= max(share, 0.02)
        box.set("size", " ".join(map(repr, size)))
        origin.set("xyz", " ".join(repr(share * v) for v in _xyz(origin)))


def _xyz(origin: ET.Element) -> list[float]:
    return [float(v) for v in origin.get("xyz", "0 0 0").split()]


def box_moments(kg: float, edges_m: tuple[float, float, float]) -> tuple[float, float, float]:
    """Principal moments (kg m^2) of a box."""
    x, y, z = edges_m
    return kg / 12 * (y * y + z * z), kg / 12 * (x * x + z * z), kg / 12 * (x * x + y * y)


def visual_edges_m(link: ET.Element, mesh_edges_m: tuple[float, float, float]) -> tuple[float, float, float]:
    """Edges of the box around a link's visuals; `mesh_edges_m` stands for a mesh."""
    low, high = [math.inf] * 3, [-math.inf] * 3
    for visual in link.findall("visual"):
        origin, box = visual.find("origin"), visual.find("geometry/box")
        size = mesh_edges_m if box is None else [float(v) for v in box.attrib["size"].split()]
        center = [0.0] * 3 if origin is None else _xyz(origin)
        for axis in range(3):
            low[axis] = min(low[axis], center[axis] - size[axis] / 2)
            high[axis] = max(high[axis], center[axis] + size[axis] / 2)
    return high[0] - low[0], high[1] - low[1], high[2] - low[2]
