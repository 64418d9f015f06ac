"""Where a URDF's joints turn."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping

import numpy as np

from hardware.types import FloatArray
from sim.robots.urdf import parent_joint, pose_of, required


def joint_axes(robot: ET.Element, angles_rad: Mapping[str, float]) -> dict[str, FloatArray]:
    """The axis (3,) of each joint that turns, of length 1 in the root's frame.

    `angles_rad` are the URDF's, 0 where none is given. Raises ValueError for a joint without parent or child.
    """

    def frame(link: str) -> FloatArray:
        """Of a link, in the root's (3, 3)."""
        joint = parent_joint(robot, link)
        if joint is None:
            return np.eye(3)
        return before(joint) @ _rotation(_axis(joint), angles_rad.get(joint.attrib["name"], 0.0))

    def before(joint: ET.Element) -> FloatArray:
        """Of a joint that has not turned."""
        return frame(required(joint, "parent").attrib["link"]) @ pose_of(joint)[:3, :3]

    turning = (joint for joint in robot.findall("joint") if joint.get("type") in ("revolute", "continuous"))
    return {joint.attrib["name"]: before(joint) @ _axis(joint) for joint in turning}


def _axis(joint: ET.Element) -> FloatArray:
    """In the joint's own frame; a URDF that says none means x."""
    element = joint.find("axis")
    axis = np.array([1.0, 0.0, 0.0] if element is None else [float(one) for one in element.attrib["xyz"].split()])
    unit: FloatArray = axis / np.linalg.norm(axis)
    return unit


def _rotation(axis: FloatArray, angle_rad: float) -> FloatArray:
    """Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: FloatArray = np.eye(3) + math.sin(angle_rad) * cross + (1.0 - math.cos(angle_rad)) * cross @ cross
    return rotation
