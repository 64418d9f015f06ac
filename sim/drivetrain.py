"""Drivetrain: from the joints that physics knows to the motors that a robot knows, and back.

It remembers the motors' angles and velocities, so that controllers and policies can see them late.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from hardware.types import FloatArray, JointCommand
from sim import motor_model
from sim.dynamics import Dynamics
from sim.motor_model import (
    BATTERY_V,
    ENERGY_J,
    GOAL,
    HOT_S,
    MOTORS,
    OFFSET,
    PARTS,
    SHARED,
    SIGN,
    TERMINALS_V,
    TORQUE,
    UPPER_M,
)
from sim.robots.assembly import Assembly
from sim.robots.body import Body
from sim.robots.minitaur import LOWER_LINK_M, STANCE_LENGTH_M, UPPER_LINK_M


class Drivetrain:
    """Motors, their controllers and what they hang on, in one world.

    The order of calls is: `begin(joints)`, then for every physics step `drive()` and, after it, `observe(joints)`. `joints` are
    angles, then velocities, of the assembly's joints (2m numbers), as physics has them.
    """

    def __init__(self, body: Body, assembly: Assembly, dynamics: Dynamics, time_step_s: float) -> None:
        n, m = len(body.spec.joints), len(assembly.joints)
        pd, self._late = _steps(dynamics.pd_latency_s, time_step_s), _steps(dynamics.control_latency_s, time_step_s)
        # Rows of angles and velocities after each step; the newest is row (count - 1) modulo the length.
        self._history = np.zeros((max(pd[0], self._late[0]) + 2, 2, n))
        self._count = 0
        # The rows of `joints` are angles, velocities, torques; for the others' see motor_model.
        self._joints, self._motors, self._shared = np.zeros((3, m)), np.zeros((MOTORS, n)), np.zeros(SHARED)
        self._motors[SIGN] = [joint.sign for joint in body.joints.values()]
        self._motors[OFFSET] = [joint.offset_rad for joint in body.joints.values()]
        self._motors[PARTS:GOAL] = motor_model.parts(body, dynamics)
        self._shared[:TERMINALS_V] = motor_model.constants(body, dynamics, time_step_s)
        self._shared[UPPER_M:] = UPPER_LINK_M, LOWER_LINK_M, STANCE_LENGTH_M
        self._goal = self._motors[GOAL:].reshape(-1)
        self.command(body.spec.damping_command())
        self._on_joints: FloatArray = self._joints[2]
        self._pack, self._buffer = struct.Struct(f"{2 * m}d").pack_into, self._joints.data.cast("B")
        # Always these arrays, so that a call is no more than handing them over.
        table_nm = np.array(body.motor.table_nm)
        self._all = (assembly.serial, pd, self._joints, self._motors, self._shared, self._history, table_nm)

    def command(self, command: JointCommand) -> None:
        """What the motors' controllers follow from now on."""
        np.concatenate(command.rows, out=self._goal)

    def begin(self, joints: list[float]) -> None:
        """Cold motors, a rested battery, no work done, no memory."""
        self._motors[HOT_S] = 0.0
        self._motors[TORQUE] = 0.0
        self._shared[TERMINALS_V], self._shared[ENERGY_J] = self._shared[BATTERY_V], 0.0
        self._count = 0
        self.observe(joints)

    def take_over(self, other: Drivetrain, joints: list[float]) -> None:
        """Goes on from another world's drivetrain: its heat, its work, what it remembers; the joints are where they are now."""
        self.begin(joints)
        # The other's newest row is of now too.
        remembered = min(len(self._history), len(other._history), other._count)
        for count in range(other._count - remembered, other._count - 1):
            self._history[self._count - 1] = other._history[count % len(other._history)]
            self.observe(joints)
        self._motors[HOT_S] = other._motors[HOT_S]
        self._motors[TORQUE] = other._motors[TORQUE]
        self._shared[ENERGY_J] = other._shared[ENERGY_J]
        if self._shared[BATTERY_V] == other._shared[BATTERY_V]:
            self._shared[TERMINALS_V] = other._shared[TERMINALS_V]

    def observe(self, joints: list[float]) -> None:
        """Takes in the joints after a step, and adds the motors' work during it."""
        self._pack(self._buffer, 0, *joints)
        motor_model.observe(self._count, *self._all)
        self._count += 1

    def drive(self) -> list[float]:
        """Torques (N m) on the assembly's joints for the next step."""
        motor_model.drive_joints(self._count, *self._all)
        torques: list[float] = self._on_joints.tolist()
        return torques

    def advance(self, joints: list[float]) -> list[float]:
        """`observe`, then `drive`, in one call."""
        self._pack(self._buffer, 0, *joints)
        motor_model.advance(self._count, *self._all)
        self._count += 1
        torques: list[float] = self._on_joints.tolist()
        return torques

    @property
    def for_kernels(self) -> tuple[Any, ...]:
        """What motor_model's functions of a whole step take; `went_on` says that they were called for so many steps."""
        return (self._count, *self._all)

    def went_on(self, steps: int) -> None:
        self._count += steps

    def late(self) -> FloatArray:
        """Angles and velocities (2, n) of the motors as they were a control latency ago."""
        rows: FloatArray = motor_model.delayed(self._history, self._count, self._late)
        return rows

    @property
    def encoder_offset_rad(self) -> FloatArray:
        """What each encoder reads too much (n,)."""
        offsets: FloatArray = self._motors[PARTS + motor_model.ENCODER]
        return offsets

    @property
    def torques_nm(self) -> FloatArray:
        """At the shafts during the last step (n,)."""
        torques: FloatArray = self._motors[TORQUE].copy()
        return torques

    @property
    def battery_v(self) -> float:
        return float(self._shared[TERMINALS_V])

    @property
    def energy_j(self) -> float:
        """Work at the joints since `begin`: |torque * velocity| summed, after what friction in the joint took."""
        return float(self._shared[ENERGY_J])

    @property
    def shut_down(self) -> list[bool]:
        """Which motors have overheated (n,)."""
        return [bool(one) for one in np.isinf(self._motors[HOT_S])]


def _steps(delay_s: float, time_step_s: float) -> tuple[int, float]:
    """A delay as whole steps and the part of one more."""
    steps = delay_s / time_step_s
    return int(steps), steps - int(steps)
