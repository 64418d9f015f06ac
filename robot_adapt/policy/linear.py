"""LinearPolicy: from normalized observations to the modulation of a trajectory generator, linearly (PMTG, arXiv 1910.02812)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from hardware.spec import RobotSpec
from hardware.types import FloatArray, JointCommand, RobotFault, RobotState
from robot_adapt.errors import UserError
from robot_adapt.optim.space import Space
from robot_adapt.policy.normalizer import Normalizer
from robot_adapt.policy.trajectory_generator import TrotConfig, TrotGenerator
from robot_adapt.repertoire.repertoire import Repertoire


@dataclass(frozen=True)
class LinearPolicy:
    """Everything needed to walk a robot: what is in a policy file.

    Attributes:
        robot: the spec's name this policy is for; its joints, in order, are those of `trot`.
        period_s: control period.
        weights: (actions, observations + 1), the last column a bias.
        normalizer: of the observations, in the order of `observation_names`.
        provenance: config, seed and version that made it; plain JSON values.
        repertoire: specialists around these weights, which are its first member; None for a policy alone.
        space: where adaptation was meta-trained to search; None for the full weight space.

    """

    robot: str
    period_s: float
    trot: TrotConfig
    weights: FloatArray
    normalizer: Normalizer
    provenance: dict[str, Any] = field(default_factory=dict)
    repertoire: Repertoire | None = None
    space: Space | None = None

    def __post_init__(self) -> None:
        shape = (len(self.action_names), len(self.observation_names) + 1)
        if self.weights.shape != shape:
            raise UserError(f"policy weights have shape {self.weights.shape}, should be {shape}")
        observations = (len(self.observation_names),)
        if not self.normalizer.mean.shape == self.normalizer.std.shape == observations:
            shapes = f"{self.normalizer.mean.shape} and {self.normalizer.std.shape}"
            raise UserError(f"policy mean and std have shapes {shapes}, should be {observations}")
        for name, values in (("weights", self.weights), ("mean", self.normalizer.mean), ("std", self.normalizer.std)):
            if not np.isfinite(values).all():
                raise UserError(f"policy {name} hold a value that is not finite")
        if not (self.normalizer.std > 0.0).all():
            raise UserError("policy normalizer std must be positive")
        if self.repertoire is not None and not np.array_equal(self.repertoire.members[0], self.parameters):
            raise UserError("the first member of a policy's repertoire should be the policy itself")
        if self.space is not None and self.space.parameters != self.weights.size:
            raise UserError(f"the policy's space is of {self.space.parameters} parameters, it has {self.weights.size}")

    @cached_property
    def observation_names(self) -> tuple[str, ...]:
        return observation_names(self.trot)

    @cached_property
    def action_names(self) -> tuple[str, ...]:
        legs = range(self.trot.legs)
        return ("frequency", "amplitude", *(f"swing_{leg}" for leg in legs), *(f"extension_{leg}" for leg in legs))

    @property
    def parameters(self) -> FloatArray:
        """What is adapted: the weights, flat."""
        return self.weights.ravel()

    def with_parameters(self, parameters: FloatArray) -> LinearPolicy:
        """The same policy with other weights, without its repertoire."""
        weights = np.array(parameters, dtype=np.float64).reshape(self.weights.shape)
        return replace(self, weights=weights, repertoire=None)

    def adapted(self, parameters: FloatArray, how: dict[str, Any]) -> LinearPolicy:
        """This policy with other parameters, and in its provenance how it came to them."""
        return replace(self.with_parameters(parameters), provenance={**self.provenance, "adapted": how})

    def ticks_in(self, trial_s: float) -> int:
        """Control periods of a trial. Raises UserError when there is not one."""
        if trial_s < self.period_s:
            raise UserError(f"trial_s: {trial_s:g} s is shorter than the policy's control period of {self.period_s:g} s")
        return round(trial_s / self.period_s)

    def check_fits(self, spec: RobotSpec) -> None:
        """Raises UserError when this policy was made for another robot or another joint order."""
        if self.robot != spec.name:
            raise UserError(f"this policy is for the robot {self.robot}, not for {spec.name}")
        if (ours := tuple(self.trot.joints)) != spec.joint_names:
            wrong = next((a for a, b in zip(ours, spec.joint_names, strict=False) if a != b), "the number of joints")
            raise UserError(f"this policy's joint order is not that of the robot {spec.name}: it differs at {wrong}")


def observation_names(trot: TrotConfig) -> tuple[str, ...]:
    """Units: rad and rad/s; joint angles from the stance."""
    return ("roll", "pitch", "roll_rate", "pitch_rate", "phase_sin", "phase_cos", *trot.joints)


def unmodulated(robot: str, trot: TrotConfig, period_s: float = 0.02) -> LinearPolicy:
    """The trajectory generator alone: what a policy is before it is trained."""
    size = len(observation_names(trot))
    identity = Normalizer(np.zeros(size), np.ones(size))
    return LinearPolicy(robot, period_s, trot, np.zeros((2 + 2 * trot.legs, size + 1)), identity)


class Controller:
    """Runs a policy through one trial: state in, command out."""

    def __init__(self, policy: LinearPolicy, spec: RobotSpec) -> None:
        policy.check_fits(spec)
        self._policy = policy
        self._spec = spec
        self._generator = TrotGenerator(policy.trot)
        # Reused in every tick: what is made anew there costs as much as what it is made for.
        self._features = np.ones(len(policy.observation_names) + 1)
        self._observed = self._features[:-1]
        self._most = np.ones(len(policy.action_names))
        self._least = -self._most

    def observe(self, state: RobotState) -> FloatArray:
        """The raw observation (d,) of a state, in the order of `observation_names`.

        Raises RobotFault when a reading is not a number: such a state says nothing about the robot.
        """
        imu, phase_rad = state.imu, self._generator.phase_rad
        roll_rate, pitch_rate, _ = imu.angular_velocity_rad_s.tolist()
        body = (imu.roll_rad, imu.pitch_rad, roll_rate, pitch_rate, math.sin(phase_rad), math.cos(phase_rad))
        observation = np.array([*body, *(state.positions_rad - self._spec.stance_rad).tolist()])
        if not math.isfinite(observation.dot(observation)) and not (finite := np.isfinite(observation)).all():
            raise RobotFault(f"{self._spec.name}: {self._policy.observation_names[int(np.argmin(finite))]} is not finite")
        return observation

    def act(self, observation: FloatArray, elapsed_s: float) -> JointCommand:
        """The command for an observation made `elapsed_s` after the last one."""
        self._policy.normalizer(observation, self._observed)
        modulation = self._policy.weights @ self._features
        np.minimum(np.maximum(modulation, self._least, modulation), self._most, modulation)
        offsets = self._generator.step(elapsed_s, modulation)
        return self._spec.position_command(self._spec.stance_rad + offsets)
