"""MotorBus: what every family of motors is to a robot. Angles are the devices' own, in rad; the robot knows signs and zeros."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray, JointCommand


@dataclass(frozen=True)
class MotorIdentity:
    """What a motor said of itself."""

    joint: str
    device_id: int
    model: str
    firmware: str


@dataclass(frozen=True, slots=True)
class MotorReadings:
    """One reading of the whole bus; rows (n,) in the order of the joints that the bus was made with.

    Attributes:
        heard: False where a motor's reply was lost: its row is the last one heard.
        voltages_v, temperatures_c: the newest known, NaN until first heard; not every bus reads them every time.
        errors: by joint name, what its hardware reports of itself, in words; empty for health.

    """

    positions_rad: FloatArray
    velocities_rad_s: FloatArray
    torques_nm: FloatArray
    heard: NDArray[np.bool_]
    voltages_v: FloatArray
    temperatures_c: FloatArray
    errors: dict[str, str]


class MotorBus(Protocol):
    """Motors on one line, opened exclusively. All raise RobotFault naming joint and device when it no longer answers.

    A single lost or damaged reply is no fault: the row is repeated, `heard` is False, and the EventLog given to the bus has a
    NOTE "reply lost" (value: replies of this motor lost in a row) or "bad packet". A motor that stays silent for `silent_s` is.
    """

    @property
    def joint_names(self) -> tuple[str, ...]: ...

    def open(self) -> tuple[MotorIdentity, ...]:
        """Every motor heard, reading only; nothing moves, torque stays as it is.

        Raises RobotError naming the port, or the joint, id and what it is not (silent, another model, another baud rate).
        """

    def arm(self) -> None:
        """Hold the measured pose: watchdog first, then mode, limits and gains, goal = present, torque last."""

    def read(self) -> MotorReadings: ...

    def write(self, command: JointCommand) -> JointCommand:
        """Send a command that the supervisor let pass; returns what the devices were told (quantized, what the mode can do)."""

    def damp(self) -> tuple[str, ...]:
        """No stiffness, some damping; the next `write` moves again. Allowed at any time after `open`; never raises.

        Returns the joints whose motors may not have heard it.
        """

    def release(self) -> None:
        """Torque off. Never raises."""

    def close(self) -> None:
        """Close the port, torque as it is; idempotent."""
