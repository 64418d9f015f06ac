"""MockRobot: joints that follow their targets, a level IMU, and faults on command. For tests and for rehearsing a session."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hardware.clock import Clock
from hardware.spec import RobotSpec
from hardware.types import ImuReading, JointCommand, RobotError, RobotFault, RobotState

MOCK_V = 16.0
_FOLLOW_S = 0.03


class MockRobot:
    """A Robot without physics: each joint closes on its target with a time constant, while the given clock passes.

    Args:
        fault: called at every read; the sentence it returns is a RobotFault from then on, None is health.

    """

    def __init__(self, spec: RobotSpec, clock: Clock, fault: Callable[[], str | None] = lambda: None) -> None:
        self._spec = spec
        self._clock = clock
        self._fault = fault
        self._connected = False

    @property
    def spec(self) -> RobotSpec:
        return self._spec

    def connect(self) -> None:
        if self._connected:
            return
        self._positions = self._spec.stance_rad.copy()
        self._command = self._spec.position_command(self._spec.stance_rad)
        self._read_at_s = self._clock.now()
        self._connected = True

    def read(self) -> RobotState:
        self._check_connected()
        if (reason := self._fault()) is not None:
            raise RobotFault(f"{self._spec.name}: {reason}")
        now = self._clock.now()
        period_s, self._read_at_s = now - self._read_at_s, now
        before = self._positions
        stiff = self._command.kp_nm_per_rad > 0.0
        share = (1.0 - math.exp(-period_s / _FOLLOW_S)) * stiff
        self._positions = before + share * (self._command.positions_rad - before)
        velocities = (self._positions - before) / period_s if period_s > 0.0 else np.zeros_like(before)
        level = ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
        return RobotState(now, self._positions.copy(), velocities, np.zeros_like(before), level, MOCK_V)

    def write(self, command: JointCommand) -> JointCommand:
        self._check_connected()
        self._command = self._spec.within_limits(command)
        return self._command

    def stop(self) -> None:
        if self._connected:
            self._command = self._spec.damping_command()

    def close(self) -> None:
        self.stop()
        self._connected = False

    def _check_connected(self) -> None:
        if not self._connected:
            raise RobotError(f"{self._spec.name} is not connected: call connect() first")
