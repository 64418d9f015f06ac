"""Imu: what every inertial measurement unit is to a robot."""

from __future__ import annotations

from typing import Protocol

from hardware.types import ImuReading


class Imu(Protocol):
    """A unit on a line of its own, opened exclusively. Its readings are in its own frame, x forward, y left, z up (FLU)."""

    def open(self) -> str:
        """Set it up and wait for a first reading; returns model, firmware and serial number in a line.

        Raises RobotError naming the port and what came instead.
        """

    def read(self) -> ImuReading:
        """The newest reading; never waits. One bad packet is an event NOTE "bad packet", nothing more.

        Raises RobotFault when there was none for `stale_s`.
        """

    def close(self) -> None:
        """Idempotent."""
