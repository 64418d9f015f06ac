"""The Robot protocol: simulated, emulated and real robots are the same to the caller."""

from __future__ import annotations

from typing import Protocol

from hardware.spec import RobotSpec
from hardware.types import JointCommand, RobotState


class Robot(Protocol):
    """A legged robot. `read` and `write` before `connect` or after `close` raise RobotError."""

    @property
    def spec(self) -> RobotSpec: ...

    def connect(self) -> None:
        """Open the devices and stand ready; idempotent. Raises RobotError naming the device that does not answer."""

    def read(self) -> RobotState:
        """The newest measurement. Raises RobotFault when the devices no longer answer."""

    def write(self, command: JointCommand) -> JointCommand:
        """Send a command; returns what was actually sent, clipped to the joint limits.

        Raises RobotFault, and moves nothing, when a value is not finite or has the wrong size.
        """

    def stop(self) -> None:
        """Damp every joint, never drop the robot. Allowed at any time, also twice. Raises RobotFault when a joint is deaf."""

    def close(self) -> None:
        """Stop and release the devices; idempotent."""
