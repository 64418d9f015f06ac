"""RobotModel: one YAML in configs/robots/, all that makes a robot of a kind: its body, its gait, what it is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, Field, model_validator

from robot_adapt.adapt.return_source import ReturnConfig
from robot_adapt.config import FROZEN, Count, named
from robot_adapt.policy.trajectory_generator import TrotConfig
from sim.robots.assembly import LegModel
from sim.robots.body import Body


class SimulationConfig(BaseModel):
    """Which model of the legs, and how fine the physics; see SimulatedRobot."""

    model_config = FROZEN
    legs: LegModel
    time_step_s: Annotated[float, Field(gt=0.0, le=0.01)]
    iterations: Count

    def misfit(self, body: Body) -> str | None:
        """Why a body cannot have these legs, with the key; None when it can."""
        if body.name == "minitaur":
            return "legs: the Minitaur's are five_bar, five_bar_full or serial" if self.legs == "open_chain" else None
        return None if self.legs == "open_chain" else f"legs: {self.legs} legs are the Minitaur's; others have open_chain legs"


class RobotModel(BaseModel):
    """A robot that can be simulated and trained for. `simulation` is the fastest that is true enough (docs: fidelity table)."""

    model_config = FROZEN
    body: Body
    simulation: SimulationConfig
    returns: ReturnConfig
    trot: TrotConfig

    @model_validator(mode="after")
    def _gait_is_of_this_body(self) -> RobotModel:
        if tuple(self.trot.joints) != self.body.spec.joint_names:
            raise ValueError(f"trot.joints: should be those of body.joints, in order: {', '.join(self.body.joints)}")
        legs = self.body.legs
        if self.trot.legs != len(legs):
            raise ValueError(f"trot.phase_offset_cycles: should be one a leg, in the order of body.feet: {', '.join(legs)}")
        for name, joint in self.trot.joints.items():
            if (leg := legs[joint.leg]) != (own := self.body.joints[name].leg):
                raise ValueError(f"trot.joints.{name}.leg: {joint.leg} is the {leg} leg in body.feet, not the {own}")
        if (wrong := self.simulation.misfit(self.body)) is not None:
            raise ValueError(f"simulation.{wrong}")
        return self


if TYPE_CHECKING:
    NamedRobot = RobotModel
else:
    NamedRobot = Annotated[RobotModel | str, AfterValidator(named("robots", RobotModel))]
"""A robot model in a config: its name in configs/robots/, a YAML file, or the model itself."""
