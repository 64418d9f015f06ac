"""The guide through a calibration: what a person is asked to do with a limp robot, and what is measured meanwhile.

Knows no terminal: it is given somebody to ask. What was measured is in the draft after every joint, so that nothing is lost.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from pydantic import BaseModel

from hardware.calibration import Calibration, JointCalibration, limits_rad, moved_joint, zero_rad
from hardware.motors.bus import MotorBus, MotorIdentity
from hardware.spec import RobotSpec
from hardware.types import FloatArray, RobotFault
from robot_adapt.config import FROZEN, Finite

_READS = 10
_STILL_RAD = 0.02
_BACK_RAD = 0.2
_TRIES = 50


class Measured(BaseModel):
    """What is known of a joint: device angle in the reference pose, sign, and the device angles of both ends or None."""

    model_config = FROZEN
    pose_device_rad: Finite
    sign: Literal[-1, 1]
    ends_device_rad: tuple[Finite, Finite] | None


class Draft(BaseModel):
    """A calibration that is not finished; joints by name, all measured from the same reference pose."""

    model_config = FROZEN
    robot: str
    pose: str
    joints: dict[str, Measured] = {}


class Person(Protocol):
    """Who handles the robot."""

    def say(self, line: str) -> None: ...

    def ask(self, question: str, meanwhile: Callable[[], None] | None = None) -> str:
        """The answer; `meanwhile` is called again and again until it is there."""


class Guide:
    """Measures joints of an opened robot whose torque is off.

    Args:
        spec: as the robot's file says, or as it was calibrated before: what stays for a joint that is left as it is.
        pose: the reference pose in words, and `pose_rad` (n,) as spec angles.
        keep: told the draft after every joint.

    """

    def __init__(
        self, spec: RobotSpec, bus: MotorBus, motors: tuple[MotorIdentity, ...], pose: str, pose_rad: FloatArray,
        person: Person, keep: Callable[[Draft], None],
    ) -> None:  # fmt: skip
        self._spec, self._bus, self._motors = spec, bus, motors
        self._pose, self._pose_rad = pose, pose_rad
        self._person, self._keep = person, keep

    def measure(self, draft: Draft, joints: tuple[str, ...]) -> Draft:
        """The draft with these joints measured; those in it already are not asked for again."""
        left = [joint for joint in joints if joint not in draft.joints]
        if not left:
            return draft
        at_pose = self._in_pose(f"put the robot into its reference pose: {self._pose}. Then press Enter ")
        for name in left:
            k = self._spec.joint_names.index(name)
            sign = self._sign(k)
            if sign is None:
                continue
            ends = self._ends(k)
            measured = Measured(pose_device_rad=at_pose[k], sign=sign, ends_device_rad=ends)
            draft = Draft(robot=draft.robot, pose=draft.pose, joints={**draft.joints, name: measured})
            self._keep(draft)
        return draft

    def finish(self, draft: Draft) -> Calibration:
        """Back into the reference pose: where the joints are there, by the new calibration. Asks until they are near it."""
        joints = [self._joint(k, draft.joints.get(name)) for k, name in enumerate(self._spec.joint_names)]
        signs, offsets = np.array([joint.sign for joint in joints]), np.array([joint.offset_rad for joint in joints])
        while True:
            question = f"put the robot back into its reference pose: {self._pose}. Then press Enter "
            reference = signs * (self._in_pose(question) - offsets)
            off = np.abs(reference - self._pose_rad)
            k = int(np.argmax(off))
            if off[k] <= _BACK_RAD:
                break
            self._person.say(
                f"{joints[k].joint} is at {reference[k]:.3f} rad, it should be at {self._pose_rad[k]:.3f} rad: look at it or "
                f"end this with Ctrl-C and calibrate it alone: --joint {joints[k].joint}"
            )
        final = tuple(
            JointCalibration(j.joint, j.device_id, j.model, j.sign, j.offset_rad, j.lower_rad, j.upper_rad, round(float(at), 5))
            for j, at in zip(joints, reference, strict=True)
        )
        date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        return Calibration(self._spec.name, date, self._pose, final)

    def _joint(self, k: int, measured: Measured | None) -> JointCalibration:
        """With its reference still to come."""
        joint, motor = self._spec.joints[k], self._motors[k]
        sign, offset, limits = joint.sign, joint.offset_rad, (joint.lower_rad, joint.upper_rad)
        if measured is not None:
            sign, offset = measured.sign, zero_rad(measured.pose_device_rad, measured.sign, float(self._pose_rad[k]))
            if measured.ends_device_rad is not None:
                limits = limits_rad(measured.ends_device_rad, sign, offset)
        lower, upper = (round(limit, 5) for limit in limits)
        return JointCalibration(joint.name, motor.device_id, motor.model, sign, round(offset, 5), lower, upper, 0.0)

    def _sign(self, k: int) -> Literal[-1, 1] | None:
        """Of the device's angle in the joint's positive direction; None for a joint that is left as it is."""
        joint, device = self._spec.joints[k], self._motors[k].device_id
        while True:
            before = self._angles()
            answer = self._person.ask(
                f"{joint.name} (id {device}): move it by hand in its positive direction, 10 to 30 degrees, hold it, and "
                "press Enter [k keeps its sign, s skips it] "
            )
            if answer == "s":
                return None
            if answer == "k":
                return 1 if joint.sign > 0 else -1
            moved, by_rad = moved_joint(before, self._angles())
            if moved == k:
                sign: Literal[-1, 1] = 1 if by_rad > 0.0 else -1
                if sign != joint.sign:
                    self._person.say(f"{joint.name}: its sign is {sign:+d}, the robot's file says {joint.sign:+d}")
                return sign
            if moved is None:
                self._person.say(f"nothing moved far enough: {abs(by_rad):.2f} rad at most. Again")
            else:
                other = self._motors[moved]
                self._person.say(
                    f"not {joint.name} (id {device}) moved but {other.joint} (id {other.device_id}): move the right one, or "
                    "swap the two ids in the robot's file. Again"
                )

    def _ends(self, k: int) -> tuple[float, float] | None:
        """The device angles of both ends that the joint was moved to; None to keep the limits."""
        joint, device = self._spec.joints[k], self._motors[k].device_id
        while True:
            seen: list[float] = []

            def look(seen: list[float] = seen) -> None:
                readings = self._bus.read()
                if readings.heard[k]:
                    seen.append(float(readings.positions_rad[k]))

            answer = self._person.ask(
                f"{joint.name} (id {device}): move it slowly to one end and to the other, then press Enter "
                f"[k keeps its limits, {joint.lower_rad:.2f} to {joint.upper_rad:.2f} rad] ",
                look,
            )
            if answer == "k":
                return None
            look()
            if not seen:
                self._person.say(f"{joint.name}: nothing was heard of it: look at its cable. Again")
                continue
            try:
                limits_rad((min(seen), max(seen)), 1, 0.0)
            except ValueError as error:
                self._person.say(f"{joint.name}: {error}. Again")
            else:
                return round(min(seen), 5), round(max(seen), 5)

    def _in_pose(self, question: str) -> FloatArray:
        """Device angles (n,) once a person says so and the robot is held still."""
        while True:
            self._person.ask(question)
            seen = np.array([self._angles() for _ in range(_READS)])
            swing = np.ptp(seen, axis=0)
            if (swing <= _STILL_RAD).all():
                return np.asarray(seen.mean(axis=0))
            self._person.say(f"{self._spec.joint_names[int(np.argmax(swing))]} is moving: hold it still")

    def _angles(self) -> FloatArray:
        """Device angles (n,), every one of them fresh."""
        for _ in range(_TRIES):
            readings = self._bus.read()
            if readings.heard.all():
                return readings.positions_rad.copy()
        silent = self._motors[int(np.argmin(readings.heard))]
        raise RobotFault(f"{silent.joint} (id {silent.device_id}) answers too rarely to be calibrated: look at its cable")
