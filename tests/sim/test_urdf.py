from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from sim.dynamics import Dynamics
from sim.robots.body import Foot
from sim.robots.urdf import set_collisions
from tests.sim.robots import body_of

SHAPE = "<collision><geometry><box size='0.2 0.1 0.1'/></geometry></collision>"
ROBOT = """
<robot name="robot">
  <link name="base">{}</link> <link name="trunk">{}</link> <link name="leg">{}</link>
  <joint name="fastened" type="fixed"><parent link="base"/><child link="trunk"/></joint>
  <joint name="hip" type="continuous"><parent link="trunk"/><child link="leg"/></joint>
</robot>
"""


@pytest.mark.parametrize(("base", "kept"), [("", ["trunk"]), (SHAPE, ["base"])])
def test_without_a_box_the_trunk_keeps_its_shapes_wherever_the_urdf_has_them(base: str, kept: list[str]) -> None:
    """Many a URDF begins with an empty frame, to which the trunk is fastened."""
    robot = ET.fromstring(ROBOT.format(base, SHAPE, SHAPE))  # noqa: S314  our own
    foot = Foot(link="leg", position_m=(0.0, 0.0, -0.2), radius_m=0.02)
    set_collisions(
        robot, body_of("open_chain").model_copy(update={"trunk_box_m": None, "feet": {"front_left": foot}}), Dynamics()
    )
    boxes = [link.get("name") for link in robot.iter("link") if link.find("collision/geometry/box") is not None]
    spheres = [link.get("name") for link in robot.iter("link") if link.find("collision/geometry/sphere") is not None]
    assert (boxes, spheres) == (kept, ["leg"])
