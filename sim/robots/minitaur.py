"""Ghost Robotics Minitaur: spec, five-bar leg kinematics, and its URDF with closed five-bar or serial-equivalent legs.

The URDF comes from pybullet_data. Its inertias are all 1.0, so boxes of the links' visual size are written instead (what
PyBullet computes from the stock collision shapes); leg collisions become one sphere a foot. Motor angles: pi/2 has both
upper links level, pi has both pointing down (leg straight).
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Literal

from hardware.spec import JointSpec, RobotSpec
from sim.dynamics import LEGS, Dynamics
from sim.motor_model import NM_PER_DUTY

LegModel = Literal["five_bar", "serial"]

UPPER_LINK_M = 0.115
LOWER_LINK_M = 0.2
KNEE_AT_STANCE_RAD = -2.1834
FOOT_IN_R_SHANK_M = (0.0, 0.005, 0.2)
FOOT_IN_L_SHANK_M = (0.0, 0.01, 0.2)
FOOT_RADIUS_M = 0.01
START_HEIGHT_M = 0.18
# The left legs' joint axes point the other way.
LEG_SIGNS = tuple(-1.0 if leg.endswith("left") else 1.0 for leg in LEGS)
# The left chain's inertia as seen from the knee of a serial-equivalent leg (kg m^2); measured: identical walks from 1 to 4 ms.
SERIAL_SHANK_INERTIA_KG_M2 = 2.8e-3


def _joint(leg: str, sign: float, side: str) -> JointSpec:
    return JointSpec(
        name=f"motor_{leg}{side}_joint",
        sign=int(sign),
        offset_rad=0.0,
        lower_rad=math.pi / 2 - 1.2,
        upper_rad=math.pi / 2 + 1.2,
        stance_rad=math.pi / 2,
        kp_nm_per_rad=1.0 * NM_PER_DUTY,
        kd_nm_s_per_rad=0.015 * NM_PER_DUTY,
    )


SPEC = RobotSpec(
    name="minitaur",
    joints=tuple(_joint(leg, sign, side) for leg, sign in zip(LEGS, LEG_SIGNS, strict=True) for side in "LR"),
    max_tilt_rad=math.acos(0.85),
)


def serial_left_motor(right_rad: float, right_rad_s: float, knee_rad: float, knee_rad_s: float) -> tuple[float, float, float]:
    """The left motor of a serial-equivalent leg, from the right motor and the knee (negative when bent).

    Returns its angle (rad), velocity (rad/s) and `gain`: left torque tau acts as -tau on the hip and gain * tau on the knee
    (virtual work on theta_L = 2 pi - 2 delta(-knee) - theta_R, delta the angle from the upper link to the line to the foot).
    """
    sin_knee, cos_knee = math.sin(-knee_rad), math.cos(knee_rad)
    along, across = UPPER_LINK_M + LOWER_LINK_M * cos_knee, LOWER_LINK_M * sin_knee
    delta = math.atan2(across, along)
    slope = LOWER_LINK_M * (along * cos_knee + across * sin_knee) / (along * along + across * across)
    gain = 2.0 * slope
    return 2.0 * math.pi - 2.0 * delta - right_rad, gain * knee_rad_s - right_rad_s, gain


def urdf(stock: str, dynamics: Dynamics, *, serial: bool, visuals: bool) -> str:
    """The stock URDF text (pybullet_data `quadruped/minitaur.urdf`), made into this world's Minitaur.

    Args:
        stock: the stock URDF's text.
        dynamics: masses and payload are written into the URDF; the rest is applied elsewhere.
        serial: keep the right chain of each leg only (fast); otherwise all links of the five-bar legs.
        visuals: keep what is only for looking at.

    """
    robot = ET.fromstring(stock)  # noqa: S314  a file of an installed package
    links = {link.attrib["name"]: link for link in robot.iter("link")}
    for name, link in links.items():
        _write_box_inertia(link, dynamics.mass_ratio)
        if name != "base_chassis_link":
            for shape in link.findall("collision"):
                link.remove(shape)
    for leg in LEGS:
        shank = links[f"lower_leg_{leg}R_link"]
        _add_foot(shank)
        for contact in shank.findall("contact"):
            shank.remove(contact)
        if serial:
            _make_serial(robot, links, leg)
    if dynamics.payload_kg > 0.0:
        _add_payload(robot, dynamics.payload_kg, dynamics.payload_position_m)
    if not visuals:
        for link in robot.iter("link"):
            for visual in link.findall("visual"):
                link.remove(visual)
    return ET.tostring(robot, encoding="unicode")


def _inertial(link: ET.Element) -> tuple[ET.Element, ET.Element]:
    mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
    if mass is None or inertia is None:
        raise ValueError(f"link {link.attrib['name']} of the stock URDF has no inertial")
    return mass, inertia


def _set_inertia(inertia: ET.Element, moments_kg_m2: tuple[float, float, float]) -> None:
    for axis, moment in zip(("ixx", "iyy", "izz"), moments_kg_m2, strict=True):
        inertia.set(axis, repr(moment))


def _write_box_inertia(link: ET.Element, mass_ratio: float) -> None:
    mass, inertia = _inertial(link)
    kg = float(mass.attrib["value"]) * mass_ratio
    mass.set("value", repr(kg))
    x, y, z = _visual_size_m(link)
    _set_inertia(inertia, (kg / 12 * (y * y + z * z), kg / 12 * (x * x + z * z), kg / 12 * (x * x + y * y)))


def _visual_size_m(link: ET.Element) -> tuple[float, float, float]:
    """Edges of the box around a link's visuals; the motor mesh is a disc of 0.0868 m by 0.026 m."""
    low, high = [math.inf] * 3, [-math.inf] * 3
    for visual in link.findall("visual"):
        origin, box = visual.find("origin"), visual.find("geometry/box")
        size = [0.0868, 0.0868, 0.026] if box is None else [float(v) for v in box.attrib["size"].split()]
        center = [0.0] * 3 if origin is None else [float(v) for v in origin.attrib["xyz"].split()]
        for axis in range(3):
            low[axis] = min(low[axis], center[axis] - size[axis] / 2)
            high[axis] = max(high[axis], center[axis] + size[axis] / 2)
    return high[0] - low[0], high[1] - low[1], high[2] - low[2]


def _add_foot(shank: ET.Element) -> None:
    collision = ET.SubElement(shank, "collision")
    ET.SubElement(collision, "origin", rpy="0 0 0", xyz=" ".join(map(repr, FOOT_IN_R_SHANK_M)))
    ET.SubElement(ET.SubElement(collision, "geometry"), "sphere", radius=repr(FOOT_RADIUS_M))


def _make_serial(robot: ET.Element, links: dict[str, ET.Element], leg: str) -> None:
    """Removes a leg's left links: the upper one's mass joins the (now fixed) left motor, the lower one's the right shank."""
    for source, target in (("upper", f"motor_{leg}L_link"), ("lower", f"lower_leg_{leg}R_link")):
        gone = links[f"{source}_leg_{leg}L_link"]
        mass, _ = _inertial(links[target])
        mass.set("value", repr(float(mass.attrib["value"]) + float(_inertial(gone)[0].attrib["value"])))
        robot.remove(gone)
        for joint in robot.findall("joint"):
            child = joint.find("child")
            if child is not None and child.attrib["link"] == gone.attrib["name"]:
                robot.remove(joint)
    for joint in robot.findall("joint"):
        if joint.attrib["name"] == f"motor_{leg}L_joint":
            joint.set("type", "fixed")


def _add_payload(robot: ET.Element, kg: float, position_m: tuple[float, float, float]) -> None:
    """A block of steel's density, fastened to the chassis."""
    edge = (kg / 7850.0) ** (1 / 3)
    link = ET.SubElement(robot, "link", name="payload_link")
    visual = ET.SubElement(link, "visual")
    ET.SubElement(ET.SubElement(visual, "geometry"), "box", size=f"{edge} {edge} {edge}")
    ET.SubElement(ET.SubElement(visual, "material", name="payload"), "color", rgba="0.85 0.35 0.1 1")
    inertial = ET.SubElement(link, "inertial")
    ET.SubElement(inertial, "mass", value=repr(kg))
    moment = kg * edge * edge / 6
    _set_inertia(ET.SubElement(inertial, "inertia", ixy="0", ixz="0", iyz="0"), (moment, moment, moment))
    joint = ET.SubElement(robot, "joint", name="payload_joint", type="fixed")
    ET.SubElement(joint, "parent", link="base_chassis_link")
    ET.SubElement(joint, "child", link="payload_link")
    ET.SubElement(joint, "origin", rpy="0 0 0", xyz=" ".join(map(repr, position_m)))
