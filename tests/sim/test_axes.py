from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hardware.types import FloatArray
from sim.robots.axes import joint_axes

LEG = """
<robot name="leg">
  <link name="base"/> <link name="hip"/> <link name="thigh"/> <link name="foot"/>
  <joint name="abduction" type="revolute">
    <parent link="base"/> <child link="hip"/> <origin rpy="0 0 1.5707963267948966" xyz="0 0.1 0"/> <axis xyz="2 0 0"/>
  </joint>
  <joint name="turn" type="continuous"> <parent link="hip"/> <child link="thigh"/> <axis xyz="0 0 1"/> </joint>
  <joint name="toe" type="fixed"> <parent link="thigh"/> <child link="foot"/> </joint>
</robot>
"""


def axes(text: str, angles_rad: dict[str, float]) -> dict[str, FloatArray]:
    return joint_axes(ET.fromstring(text), angles_rad)  # noqa: S314  our own


@pytest.mark.parametrize(
    ("angles_rad", "turn"),
    [({}, [0.0, 0.0, 1.0]), ({"abduction": np.pi / 2, "turn": 0.3}, [1.0, 0.0, 0.0]), ({"abduction": np.pi}, [0.0, 0.0, -1.0])],
)
def test_axes_are_in_the_root_s_frame_with_the_joints_before_them_turned(
    angles_rad: dict[str, float], turn: list[float]
) -> None:
    found = axes(LEG, angles_rad)
    assert set(found) == {"abduction", "turn"}
    np.testing.assert_allclose(found["abduction"], [0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found["turn"], turn, atol=1e-12)


def test_a_joint_that_says_no_axis_turns_about_x() -> None:
    found = axes(LEG.replace('<axis xyz="0 0 1"/>', ""), {})
    np.testing.assert_allclose(found["turn"], [0.0, 1.0, 0.0], atol=1e-12)
