"""RobotSpec: what a robot is, apart from how it is reached. Frozen; a policy is only for the spec it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hardware.types import FloatArray, JointCommand, RobotFault


@dataclass(frozen=True)
class JointSpec:
    """One actuated joint: spec angle = sign * (device angle - offset), limits in spec angles, gains as sent."""

    name: str
    sign: int
    offset_rad: float
    lower_rad: float
    upper_rad: float
    stance_rad: float
    kp_nm_per_rad: float
    kd_nm_s_per_rad: float


@dataclass(frozen=True)
class RobotSpec:
    """A robot's name, joints in order, and the tilt past which it has fallen."""

    name: str
    joints: tuple[JointSpec, ...]
    max_tilt_rad: float

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def stance_rad(self) -> FloatArray:
        """Joint angles (n,) of the standing pose."""
        return np.array([joint.stance_rad for joint in self.joints])

    @cached_property
    def limits_rad(self) -> tuple[FloatArray, FloatArray]:
        return np.array([j.lower_rad for j in self.joints]), np.array([j.upper_rad for j in self.joints])

    @cached_property
    def _gains(self) -> tuple[FloatArray, FloatArray]:
        return np.array([j.kp_nm_per_rad for j in self.joints]), np.array([j.kd_nm_s_per_rad for j in self.joints])

    @cached_property
    def _zeros(self) -> FloatArray:
        return np.zeros(len(self.joints))

    def position_command(self, positions_rad: FloatArray) -> JointCommand:
        """Go to these angles (n,) with the spec's gains."""
        kp, kd = self._gains
        return JointCommand(positions_rad, self._zeros, self._zeros, kp, kd)

    def within_limits(self, command: JointCommand) -> JointCommand:
        """The command with positions clipped to the joint limits: what every Robot may send.

        Raises RobotFault when a value is not finite or has the wrong size: such a command moves nothing.
        """
        bad = command.bad_entry(self.joint_names)
        if bad is not None:
            raise RobotFault(f"{self.name}: command refused: {bad}")
        lower, upper = self.limits_rad
        positions = np.minimum(np.maximum(command.positions_rad, lower), upper)
        return JointCommand(
            positions, command.velocities_rad_s, command.torques_nm, command.kp_nm_per_rad, command.kd_nm_s_per_rad
        )

    def damping_command(self) -> JointCommand:
        """The default stop of a legged robot: no stiffness, the spec's damping; torque off would drop it."""
        return JointCommand(self.stance_rad, self._zeros, self._zeros, self._zeros, self._gains[1])
