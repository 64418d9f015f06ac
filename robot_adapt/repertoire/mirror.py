"""Left and right: a robot that is its own mirror image walks a mirrored policy in a mirrored world."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.errors import UserError
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.policy.trajectory_generator import TrotConfig
from sim.dynamics import Dynamics
from sim.ground import Rough, Slope
from sim.robots import urdf
from sim.robots.axes import joint_axes
from sim.robots.body import Body

_ALIKE = math.cos(math.radians(5.0))


@dataclass(frozen=True)
class Mirror:
    """Which leg and joint stands for which on the other side; its own inverse.

    Attributes:
        legs: (legs,) index of the leg across.
        joints, joint_signs: (n,) index of the joint across, and the sign its angle from the stance has there.
        flips_phase: the leg across steps half a cycle later (trot).

    """

    body: Body
    legs: NDArray[np.intp]
    joints: NDArray[np.intp]
    joint_signs: FloatArray
    flips_phase: bool

    def parameters(self, policy: LinearPolicy, theta: FloatArray) -> FloatArray:
        """The parameters (d,) that walk as `theta` does, mirrored, under the same normalizer.

        With actions W n + b, n = (o - mean) / std, and mirrors A of actions and O of observations:
        A (W (O o - mean) / std + b) written in n again.
        """
        actions, observations = self._of_actions(), self._of_observations()
        mean, std = policy.normalizer.mean, policy.normalizer.std
        weights = theta.reshape(policy.weights.shape)
        gains, bias = weights[:, :-1] / std, weights[:, -1]
        mirrored_bias = actions @ (gains @ (observations @ mean - mean) + bias)
        mirrored = actions @ gains @ observations * std
        return np.column_stack((mirrored, mirrored_bias)).ravel()

    def dynamics(self, world: Dynamics) -> Dynamics:
        """The mirrored world. Raises UserError for rough ground, which has no mirror image."""
        ground = world.ground
        if isinstance(ground, Rough):
            raise UserError("rough ground has no mirror image")
        if isinstance(ground, Slope):
            ground = ground.model_copy(update={"roll_rad": -ground.roll_rad})
        roll, pitch = world.imu_tilt_rad
        bias_x, bias_y, bias_z = world.gyro_bias_rad_s
        return world.with_changes(
            ground=ground.model_dump(),
            payload_position_m=_across(world.payload_position_m),
            pull_n=_across(world.pull_n),
            imu_tilt_rad=(-roll, pitch),
            gyro_bias_rad_s=(-bias_x, bias_y, -bias_z),
            shank_share={self._leg(leg): share for leg, share in world.shank_share.items()},
            foot_friction_of={self._leg(leg): friction for leg, friction in world.foot_friction_of.items()},
            strength=self._by_joint(world.strength, signed=False),
            worn_joints_nm=self._by_joint(world.worn_joints_nm, signed=False),
            locked_joints_rad=self._by_joint(world.locked_joints_rad, signed=True),
            encoder_offset_rad=self._by_joint(world.encoder_offset_rad, signed=True),
        )

    def _leg(self, leg: str) -> str:
        return _other_side(leg)

    def _by_joint(self, values: dict[str, float], signed: bool) -> dict[str, float]:
        names, mirrored = list(self.body.joints), {}
        for name, value in values.items():
            if name in self.body.legs:
                mirrored[self._leg(name)] = value
                continue
            (joint,) = self.body.joints_called(name)
            index = names.index(joint)
            mirrored[names[self.joints[index]]] = value * (self.joint_signs[index] if signed else 1.0)
        return mirrored

    def _of_actions(self) -> FloatArray:
        count = len(self.legs)
        matrix = np.zeros((2 + 2 * count, 2 + 2 * count))
        matrix[0, 0] = matrix[1, 1] = 1.0
        for leg, across in enumerate(self.legs):
            matrix[2 + across, 2 + leg] = matrix[2 + count + across, 2 + count + leg] = 1.0
        return matrix

    def _of_observations(self) -> FloatArray:
        phase = -1.0 if self.flips_phase else 1.0
        head = [-1.0, 1.0, -1.0, 1.0, phase, phase]  # roll, pitch, their rates, sine and cosine of the phase
        matrix = np.zeros((len(head) + len(self.joints),) * 2)
        matrix[range(len(head)), range(len(head))] = head
        for joint, (across, sign) in enumerate(zip(self.joints, self.joint_signs, strict=True)):
            matrix[len(head) + across, len(head) + joint] = sign
        return matrix


def mirror_of(body: Body, trot: TrotConfig) -> Mirror:
    """The mirror of a body whose legs are called left and right. Raises UserError when left and right do not correspond."""
    legs = body.legs
    if neither := [leg for leg in legs if _other_side(leg) == leg]:
        raise UserError(f"{body.name} has no left-right mirror: the leg {neither[0]} has neither left nor right in its name")
    across = [_other_side(leg) for leg in legs]
    if missing := [name for name in across if name not in legs]:
        raise UserError(f"{body.name} has no left-right mirror: no leg {missing[0]}")
    leg_indices = np.array([legs.index(name) for name in across])
    later = {
        round((trot.phase_offset_cycles[leg_indices[leg]] - trot.phase_offset_cycles[leg]) % 1.0, 6) for leg in range(len(legs))
    }
    if later not in ({0.0}, {0.5}):
        raise UserError(f"{body.name} has no left-right mirror: its gait is no trot, pace or bound")
    names, axes = list(body.joints), _axes(body)
    joints, signs = [], []
    for name in names:
        other = _joint_across(body, trot, name)
        sign = _sign(body, name, other, axes)
        if not np.allclose(sign * _role(trot, name), _role(trot, other)):
            raise UserError(f"{body.name} has no left-right mirror: its gait moves {other} otherwise than {name}, mirrored")
        joints.append(names.index(other))
        signs.append(sign)
    return Mirror(body, leg_indices, np.array(joints), np.array(signs), later == {0.5})


def _joint_across(body: Body, trot: TrotConfig, name: str) -> str:
    """The joint that moves the leg across as this one moves its own; by its place in the leg where the gait moves neither."""
    leg = body.joints[name].leg
    own = [joint for joint, one in body.joints.items() if one.leg == leg]
    other = [joint for joint, one in body.joints.items() if one.leg == _other_side(leg)]
    role = _role(trot, name)
    alike = [joint for joint in other if (_role(trot, joint) == role).all()]
    if role.any() and len(alike) == 1:
        return alike[0]
    if len(own) != len(other):
        raise UserError(f"{body.name} has no left-right mirror: joint {name} has no counterpart")
    return other[own.index(name)]


def _role(trot: TrotConfig, joint: str) -> FloatArray:
    """How its leg's swing and extension move it (2,)."""
    return np.array([trot.joints[joint].swing, trot.joints[joint].extension])


def _axes(body: Body) -> dict[str, FloatArray]:
    """About which each joint's angle turns, in its stance."""
    stance = {name: one.sign * one.stance_rad + one.offset_rad for name, one in body.joints.items()}
    axes = joint_axes(urdf.read(body.urdf_path), stance)
    return {name: one.sign * axes[name] for name, one in body.joints.items()}


def _sign(body: Body, name: str, across: str, axes: dict[str, FloatArray]) -> float:
    """Of the angle across: a turn about (x, y, z) is, mirrored, one about (-x, y, -z)."""
    alike = float(axes[across] @ (axes[name] * [-1.0, 1.0, -1.0]))
    if abs(alike) < _ALIKE:
        raise UserError(f"{body.name} has no left-right mirror: joint {across} does not turn as joint {name} does, mirrored")
    return math.copysign(1.0, alike)


def _other_side(leg: str) -> str:
    return leg.replace("left", "right") if "left" in leg else leg.replace("right", "left")


def _across(point: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = point
    return x, -y, z
