"""Plant: the physics behind emulated devices, going on in wall-clock time. Motors and IMU of one robot share one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace

from hardware.clock import Clock, MonotonicClock
from hardware.robot import Robot
from hardware.spec import RobotSpec
from hardware.types import JointCommand, RobotFault, RobotState

_LOOK_S = 1e-3


class Plant:
    """Any Robot with its clock, brought up to now at every look. Safe between threads.

    The robot of a config may have another body than its physics: joints are matched in order, angles as differences from the
    stance, so that a robot nobody has modelled still stands and moves on somebody's legs.

    Args:
        spec: of the robot that is emulated; commands and states are in its angles.
        robot, clock: the physics; the clock is the robot itself where time passing is physics stepping.
        stays_s: how much time it makes up for at one look; where its computer is slower than that, its time is slower.
        wall: the time it keeps up with; the machine's where None.

    Raises:
        ValueError: the two have different numbers of joints.

    """

    def __init__(self, spec: RobotSpec, robot: Robot, clock: Clock, stays_s: float = 0.1, wall: Clock | None = None) -> None:
        if len(spec.joints) != len(robot.spec.joints):
            raise ValueError(f"{spec.name} has {len(spec.joints)} joints, {robot.spec.name} has {len(robot.spec.joints)}")
        self.spec = spec
        self._robot = robot
        self._clock = clock
        self._wall = wall or MonotonicClock()
        self._shift_rad = robot.spec.stance_rad - spec.stance_rad
        self._stays_s = stays_s
        self._lock = threading.Lock()
        self._is_closed = False
        robot.connect()
        self._behind_s = self._wall.now() - clock.now()
        self._look()

    def state(self) -> RobotState:
        """The state now, read at most once a millisecond; the last one where the physics fail, and after `close`."""
        with self._lock:
            self._catch_up()
            return self._state

    def command(self, command: JointCommand) -> None:
        """What the motors do from now on; angles in the emulated robot's spec. Raises RobotFault when a value is not finite."""
        with self._lock:
            self._catch_up()
            if not self._is_closed:
                self._robot.write(replace(command, positions_rad=command.positions_rad + self._shift_rad))

    def between(self, act: Callable[[], None]) -> None:
        """Something is done to the physics while nobody looks: a reset, a hobble."""
        with self._lock:
            act()
            self._behind_s = self._wall.now() - self._clock.now()
            self._look()

    def close(self) -> None:
        """Ends the physics; those who still look see it stand still. Idempotent."""
        with self._lock:
            self._is_closed = True
            self._robot.close()

    def _catch_up(self) -> None:
        now_s = self._wall.now()
        if self._is_closed or now_s - self._looked_s < _LOOK_S:
            return
        self._behind_s = max(self._behind_s, now_s - self._clock.now() - self._stays_s)
        self._clock.sleep_until(now_s - self._behind_s)
        with contextlib.suppress(RobotFault):
            self._look()

    def _look(self) -> None:
        self._looked_s = self._wall.now()
        state = self._robot.read()
        self._state = replace(state, positions_rad=state.positions_rad - self._shift_rad)
