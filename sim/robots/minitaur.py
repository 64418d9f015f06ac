"""Ghost Robotics Minitaur: what its body YAML cannot say. Three models of its legs, all from pybullet_data's URDF.

`five_bar` closes the loops of the stock URDF by constraints; its feet are spheres. `five_bar_full` keeps every stock collision
shape and lets the robot touch itself: slow, the reference of the others. `serial` has the same legs in polar coordinates: a
link that swings about the hip and a slider that is as long as the leg, with the inertia of both chains, moved by what the two
motors do to them (virtual work). It needs no constraint.

The stock inertias are all 1.0, so boxes of the links' visual size are written instead (what PyBullet computes from the stock
collision shapes). Motor angles: pi/2 has both upper links level, pi both pointing down (leg straight).
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from hardware.types import RobotError
from sim.dynamics import Dynamics
from sim.robots import urdf
from sim.robots.assembly import Assembly, LegModel, Pin
from sim.robots.body import Body
from sim.values import PointM

UPPER_LINK_M = 0.115
LOWER_LINK_M = 0.2
# From the hip to the foot in the stance, where both upper links are level.
STANCE_LENGTH_M = math.sqrt(LOWER_LINK_M**2 - UPPER_LINK_M**2)
KNEE_AT_STANCE_RAD = -math.pi / 2 - math.asin(UPPER_LINK_M / LOWER_LINK_M)
_UPPER_CENTER_M = 0.06
# The feet are so far to the side of their motors.
_FOOT_PLANE_M = -0.03
_PIN_IN_R_SHANK_M = (0.0, 0.005, 0.2)
_PIN_IN_L_SHANK_M = (0.0, 0.01, 0.2)
_MOTOR_EDGES_M = (0.0868, 0.0868, 0.026)


def assemble(body: Body, dynamics: Dynamics, *, legs: LegModel, visuals: bool) -> Assembly:
    """The Minitaur of one world.

    Args:
        body: configs/robots/minitaur.yaml; motors in the order left, right of each leg.
        dynamics: masses, payload and lower legs are written into the URDF; the rest is applied elsewhere.
        legs: which model of them.
        visuals: keep what is only for looking at.

    """
    motors = tuple(f"motor_{leg}{side}_joint" for leg in body.legs for side in "LR")
    if tuple(body.joints) != motors:
        raise RobotError(f"joints: the Minitaur's are, in this order, {', '.join(motors)}")
    if legs == "five_bar_full" and dynamics.shank_share:
        raise RobotError("dynamics.shank_share: five_bar_full legs keep the stock lower legs")
    robot = urdf.read(body.urdf_path)
    for link in robot.iter("link"):
        mass, inertia = urdf.inertial(link)
        kg = float(mass.attrib["value"])
        urdf.set_moments(inertia, urdf.box_moments(kg, urdf.visual_edges_m(link, _MOTOR_EDGES_M)))
        urdf.scale_mass(link, dynamics.mass_ratio)
    if legs == "serial":
        for leg in body.legs:
            _make_serial(robot, leg)
    if legs != "five_bar_full":
        urdf.set_collisions(robot, body, dynamics)
    if legs == "serial":
        for leg in body.legs:
            _place_foot(robot, leg, body, dynamics)
    if dynamics.payload_kg > 0.0:
        urdf.add_payload(robot, dynamics.payload_kg, dynamics.payload_position_m)
    if not visuals:
        urdf.drop_visuals(robot)
    urdf.fold_fixed_joints(robot)
    chains = "R" if legs == "serial" else "LR"
    hips = tuple(f"motor_{leg}{side}_joint" for leg in body.legs for side in chains)
    knees = tuple(f"knee_{leg}{side}_link" for leg in body.legs for side in chains)
    signs = [body.joints[name].sign for name in hips]
    hip, knee = (math.pi, 0.0) if legs == "serial" else (math.pi / 2, KNEE_AT_STANCE_RAD)
    start = {name: sign * hip for name, sign in zip(hips, signs, strict=True)}
    start |= {name: sign * knee for name, sign in zip(knees, signs, strict=True)}
    shanks = {leg: f"lower_leg_{leg}R_link" for leg in body.legs}
    pins = [Pin(shank, _PIN_IN_R_SHANK_M, f"lower_leg_{leg}L_link", _PIN_IN_L_SHANK_M) for leg, shank in shanks.items()]
    return Assembly(
        urdf=ET.tostring(robot, encoding="unicode"),
        joints=hips + knees if legs == "serial" else hips,
        start=start,
        feet={leg: (shank, f"lower_leg_{leg}L_link") if legs == "five_bar_full" else (shank,) for leg, shank in shanks.items()},
        pins=() if legs == "serial" else tuple(pins),
        serial=legs == "serial",
        # Flush with each other in the stock URDF: they would push with tens of newtons, standing still.
        apart=tuple(("base_chassis_link", f"motor_{leg}{side}_link") for leg in body.legs for side in "LR")
        if legs == "five_bar_full"
        else None,
    )


def _make_serial(robot: ET.Element, leg: str) -> None:
    """A swinging link and a slider in place of a leg's four links.

    With delta the angle at the hip between either upper link and the line to the foot, the motors turn by phi -+ delta. All
    that turns with a motor has inertia I about the hip; both sides' energy is I (phi'^2 + delta'^2): the swinging link takes
    the first part, the slider the second with a mass of 2 I / (upper length)^2, exact at the stance.
    """
    links = urdf.links(robot)
    motor, upper, lower = (links[f"{part}_{leg}R_link"] for part in ("motor", "upper_leg", "lower_leg"))
    motor_kg, upper_kg, lower_kg = (float(urdf.inertial(link)[0].attrib["value"]) for link in (motor, upper, lower))
    about_hip = (
        float(urdf.inertial(motor)[1].attrib["izz"])
        + float(urdf.inertial(upper)[1].attrib["iyy"]) + upper_kg * _UPPER_CENTER_M**2
        + lower_kg * UPPER_LINK_M**2
    )  # fmt: skip
    slider_kg = 2.0 * about_hip / UPPER_LINK_M**2
    swing = 2.0 * about_hip + 2.0 * float(urdf.inertial(lower)[1].attrib["iyy"])
    mass, inertia = urdf.inertial(motor)
    links_kg = 2.0 * (upper_kg + lower_kg)
    hip_kg = motor_kg + links_kg - slider_kg
    mass.set("value", repr(hip_kg))
    # The motor is in its own plane, the links are in the foot's.
    aside_m = _FOOT_PLANE_M * (links_kg - slider_kg) / hip_kg
    ET.SubElement(urdf.required(motor, "inertial"), "origin", xyz=f"0 0 {aside_m!r}")
    urdf.set_moments(inertia, (0.5 * swing, 0.5 * swing, swing))
    for name in (f"{part}_leg_{leg}{side}_link" for part in ("upper", "lower") for side in "LR"):
        joint = urdf.parent_joint(robot, name)
        robot.remove(links[name])
        if joint is not None:
            robot.remove(joint)
    for joint in robot.findall("joint"):
        if joint.attrib["name"] == f"motor_{leg}L_joint":
            joint.set("type", "fixed")
    slider = ET.SubElement(robot, "link", name=f"lower_leg_{leg}R_link")
    slider.extend(lower.findall("contact"))  # as soft as the stock feet
    part = ET.SubElement(slider, "inertial")
    # Its mass stays beside the hip, as the knees and the upper links do.
    ET.SubElement(part, "origin", rpy="0 0 0", xyz=f"0 {-STANCE_LENGTH_M!r} 0")
    ET.SubElement(part, "mass", value=repr(slider_kg))
    small = slider_kg * 1e-4
    urdf.set_moments(ET.SubElement(part, "inertia", ixy="0", ixz="0", iyz="0"), (small, small, small))
    visual = ET.SubElement(slider, "visual")
    ET.SubElement(visual, "origin", rpy="0 0 0", xyz=f"0 {-STANCE_LENGTH_M / 2!r} 0")
    ET.SubElement(ET.SubElement(visual, "geometry"), "box", size=f"0.01 {STANCE_LENGTH_M!r} 0.01")
    joint = ET.SubElement(robot, "joint", name=f"knee_{leg}R_link", type="prismatic")
    ET.SubElement(joint, "parent", link=motor.attrib["name"])
    ET.SubElement(joint, "child", link=slider.attrib["name"])
    ET.SubElement(joint, "origin", rpy="0 0 0", xyz=f"0 {STANCE_LENGTH_M!r} {_FOOT_PLANE_M!r}")
    ET.SubElement(joint, "axis", xyz="0 1 0")
    # A lower limit above the upper one: none.
    ET.SubElement(joint, "limit", effort="1000", velocity="100", lower="0", upper="-1")


def _place_foot(robot: ET.Element, leg: str, body: Body, dynamics: Dynamics) -> None:
    """At the slider's end; of a shortened right shank on the line from its knee, which is exact in the stance only."""
    sign = body.joints[f"motor_{leg}R_joint"].sign
    share = dynamics.shank_share.get(leg, 1.0)
    up = urdf.foot_radius_m(body.feet[leg], dynamics) - body.feet[leg].radius_m
    x, y = sign * (1.0 - share) * UPPER_LINK_M, -(1.0 - share) * STANCE_LENGTH_M - up
    position: PointM = (x, y, 0.0)
    slider = urdf.links(robot)[f"lower_leg_{leg}R_link"]
    for origin in slider.findall("collision/origin"):
        origin.set("xyz", " ".join(map(repr, position)))
