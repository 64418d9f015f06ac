"""Body: what a robot is to a simulator. One YAML in configs/robots/ holds one, so that a new robot needs no Python."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import xml.etree.ElementTree as ET
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from hardware.spec import JointSpec, RobotSpec
from sim.values import Finite, Frozen, NonNegative, PointM, Positive


class Overheat(BaseModel):
    """A motor that gives more than `torque_nm` for longer than `after_s` shuts down until the next trial."""

    model_config = Frozen
    torque_nm: Positive
    after_s: Positive


class Motor(BaseModel):
    """A robot's motors, all alike; torques and speeds at the joint.

    Attributes:
        drive: what a controller makes of the torque that its PD asks for. `duty`: the duty cycle that would give it at
            standstill on a nominal battery, so that back-EMF brakes a turning motor (Minitaur). `current`: the current itself,
            as far as the battery's voltage carries it against the back-EMF (field-oriented control).
        table_nm: torque at 0, 1, 2, ... times `table_step_a` amperes; constant from there on.

    """

    model_config = Frozen
    drive: Literal["duty", "current"]
    resistance_ohm: Positive
    torque_constant_nm_per_a: Positive
    nominal_v: Positive
    table_step_a: Positive
    table_nm: Annotated[tuple[NonNegative, ...], Field(min_length=2)]
    overheat: Overheat | None = None


class Foot(BaseModel):
    """A sphere at the end of a leg: all of a leg that touches the ground. `position_m` is its centre in the link's frame."""

    model_config = Frozen
    link: str
    position_m: PointM
    radius_m: Positive


class BodyJoint(BaseModel):
    """One actuated joint: angle = sign * (URDF angle - offset). Limits and stance are of that angle."""

    model_config = Frozen
    leg: str
    sign: Literal[-1, 1]
    offset_rad: Finite
    lower_rad: Finite
    upper_rad: Finite
    stance_rad: Finite
    kp_nm_per_rad: NonNegative
    kd_nm_s_per_rad: NonNegative

    @model_validator(mode="after")
    def _stance_is_possible(self) -> BodyJoint:
        if not self.lower_rad <= self.stance_rad <= self.upper_rad:
            raise ValueError(f"stance_rad {self.stance_rad} is outside {self.lower_rad} to {self.upper_rad}")
        return self


class Body(BaseModel):
    """A quadruped (or any robot with feet): URDF, joints in order, motors, feet, standing height, when it has fallen.

    Attributes:
        urdf: a file of pybullet_data, or a path.
        trunk_box_m: edges of a box that stands for the trunk's collision shapes; without it they are kept.
        start_height_m: of the base, where the feet just touch level ground in the stance.
        max_tilt_rad: a robot that leans further has fallen.
        feet: by leg; these are the legs' names.

    """

    model_config = Frozen
    name: str
    urdf: str
    trunk_box_m: tuple[Positive, Positive, Positive] | None = None
    start_height_m: Positive
    max_tilt_rad: Annotated[float, Field(gt=0.0, lt=math.pi)]
    motor: Motor
    feet: Annotated[dict[str, Foot], Field(min_length=1)]
    joints: Annotated[dict[str, BodyJoint], Field(min_length=1)]

    @cached_property
    def spec(self) -> RobotSpec:
        joints = tuple(JointSpec(name=name, **joint.model_dump(exclude={"leg"})) for name, joint in self.joints.items())
        return RobotSpec(self.name, joints, self.max_tilt_rad)

    @property
    def legs(self) -> tuple[str, ...]:
        return tuple(self.feet)

    def joints_called(self, name: str) -> tuple[str, ...]:
        """The joints that a name means: a joint, all of a leg's, or `leg.k`, a leg's k-th from 0; none if it means nothing."""
        if name in self.joints:
            return (name,)
        leg, dot, index = name.partition(".")
        of_leg = tuple(joint for joint, one in self.joints.items() if one.leg == leg)
        if not dot:
            return of_leg
        return of_leg[int(index) : int(index) + 1] if index.isdecimal() else ()

    @property
    def urdf_path(self) -> Path:
        """Where the URDF is: in pybullet_data, or where its path says."""
        found = importlib.util.find_spec("pybullet_data")
        if found is not None and found.origin is not None:
            stock = Path(found.origin).parent / self.urdf
            if stock.is_file():
                return stock
        return Path(self.urdf)

    @cached_property
    def urdf_sha256(self) -> str:
        """Of the URDF as it is now (hex): another one is another robot."""
        return hashlib.sha256(self.urdf_path.read_bytes()).hexdigest()

    @model_validator(mode="after")
    def _names_are_there(self) -> Body:
        for name, joint in self.joints.items():
            if joint.leg not in self.feet:
                raise ValueError(f"joints.{name}.leg: there is no leg {joint.leg}, only {', '.join(self.feet)}")
        if not self.urdf_path.is_file():
            if importlib.util.find_spec("pybullet_data") is None:
                return self  # a robot's own computer: nothing is simulated there
            raise ValueError(f"urdf: no such file, here or in pybullet_data: {self.urdf}")
        if (own := Path(self.urdf)).is_file() and not own.samefile(self.urdf_path):
            raise ValueError(f"urdf: {self.urdf} is there and in pybullet_data, too: for yours write {own.resolve()}")
        try:
            root = ET.parse(self.urdf_path).getroot()  # noqa: S314  the user's own file
        except ET.ParseError as error:
            raise ValueError(f"urdf: {self.urdf} is no URDF: {error}") from None
        joints = {joint.get("name", "") for joint in root.iter("joint") if joint.get("type") in ("revolute", "continuous")}
        links = {link.attrib["name"] for link in root.iter("link") if "name" in link.attrib}
        if (wrong := _impossible_joint(root, links)) is not None:
            raise ValueError(f"urdf: joint {wrong}")
        if (wrong := _impossible_link(root, self.urdf_path.parent)) is not None:
            raise ValueError(f"urdf: link {wrong}")
        for name in self.joints:
            if name not in joints:
                raise ValueError(f"joints.{name}: {self.urdf} has no such joint; it has {', '.join(sorted(joints))}")
        for leg, foot in self.feet.items():
            if foot.link not in links:
                raise ValueError(f"feet.{leg}.link: {self.urdf} has no link {foot.link}")
        return self


def _impossible_joint(robot: ET.Element, links: set[str]) -> str | None:
    """The first joint between links that are not there, or that turns without limits, and why."""
    for joint in robot.findall("joint"):
        name = joint.get("name", "")
        for end in ("parent", "child"):
            if (link := _link(joint, end)) not in links:
                return f"{name}: its {end} {link!r} is no link"
        if joint.get("type") == "revolute" and joint.find("limit") is None:
            return f"{name} is revolute and has no limit: PyBullet wants one (or type continuous)"
    return None


def _impossible_link(robot: ET.Element, folder: Path) -> str | None:
    """The first link whose mass, inertia or mesh no physics can have, and why; None when all are possible.

    A link may be without mass when it is fastened to one that has some.
    """
    fastened_to = {
        _link(joint, "child"): _link(joint, "parent") for joint in robot.iter("joint") if joint.get("type") == "fixed"
    }
    total_kg: dict[str, float] = {}
    for link in robot.iter("link"):
        name = link.get("name", "")
        for mesh in link.iter("mesh"):
            file = mesh.get("filename", "")
            if not (folder / file).is_file():
                return f"{name}: no mesh file {file}"
        kg = 0.0
        if (inertial := link.find("inertial")) is not None:
            mass, inertia = inertial.find("mass"), inertial.find("inertia")
            if mass is None or inertia is None:
                return f"{name}: its inertial lacks the {'mass' if mass is None else 'inertia'}"
            kg = _number(mass.get("value", ""))
            if not 0.0 <= kg < math.inf:
                return f"{name} has mass {mass.get('value')}"
            for key, text in inertia.attrib.items():
                moment = _number(text)
                if not math.isfinite(moment) or (moment < 0.0 and key in ("ixx", "iyy", "izz")):
                    return f"{name} has inertia {key} {text}"
        for _ in fastened_to:
            name = fastened_to.get(name, name)
        total_kg[name] = total_kg.get(name, 0.0) + kg
    return next((f"{name} has no mass, nor has what is fastened to it" for name, kg in total_kg.items() if kg == 0.0), None)


def _link(joint: ET.Element, end: str) -> str:
    found = joint.find(end)
    return "" if found is None else found.get("link", "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
