"""SafetySupervisor: stands between whoever commands a robot and the robot. Knows no device and no policy.

A command that asks for too much is changed and sent (CLIPPED; limiter.py). What the readings (watch.py) or the times of the
commands (rhythm.py) show to be dangerous stops the robot (STOP): damping at once, latched until `rearm()`. The reasons, with
their units, are in those files; every intervention is an Event.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NoReturn, TypeVar

import numpy as np

from hardware.clock import Clock
from hardware.events import Event, EventLog, Severity
from hardware.limiter import CommandLimiter, rows_of
from hardware.limits import SafetyLimits
from hardware.parking import PERIOD_S, ramp, undisturbed
from hardware.rhythm import CommandRhythm
from hardware.robot import Robot
from hardware.spec import RobotSpec
from hardware.types import FloatArray, JointCommand, RobotError, RobotFault, RobotState
from hardware.watch import Danger, ReadingWatch

_T = TypeVar("_T")
_UNSOUND = "its readings are not those of a robot: not finite, absurd, or of the wrong size"


class SafetySupervisor:
    """A Robot that passes to another one only what is within limits, and stops it when something is wrong.

    Stopped means: damping was sent, and `read` and `write` raise RobotFault with the reason until `rearm()`, so that no trial
    goes on or is scored; `look` still reads. Reasons are those of the watches and "bad reading" (s since a sound one), "device
    lost", "stop failed" and "halt". Notes besides theirs: "bad reading", "bad command", "rearmed", "not seated".

    `stop()` is ordinary damping, as at a trial's end. After it, and after `connect` and `rearm`, the next command starts from
    the measured pose: the first targets creep out of it at the joints' velocity limits.

    While somebody else is waited for, the robot is either stopped or held by going on to read and write: a hole in the writes
    is a stale command, seen at the next `read` or `write`. A host that is dead sees nothing: that is the motors' watchdog's.

    Args:
        robot: not used by anybody else from here on.
        clock: the one of the robot's readings.

    Raises:
        ValueError: the limits are those of a robot with other joints.

    """

    def __init__(self, robot: Robot, limits: SafetyLimits, clock: Clock, log: EventLog) -> None:
        n = len(robot.spec.joints)
        if len(limits.joints) != n:
            raise ValueError(f"{robot.spec.name} has {n} joints, safety limits are for {len(limits.joints)}")
        self._robot = robot
        self._limits = limits
        self._clock = clock
        self._log = log
        self._limiter = CommandLimiter(robot.spec, limits, self._clipped)
        self._sit_rad = None if limits.sit_rad is None else np.array(limits.sit_rad)
        if self._sit_rad is not None and (
            self._sit_rad.shape != (n,) or (self._limiter.in_position_limits(self._sit_rad) != self._sit_rad).any()
        ):
            raise ValueError(f"{robot.spec.name}: sit_rad must be {n} angles within the joint limits")
        self._watch = ReadingWatch(robot.spec, limits, self._note)
        self._rhythm = CommandRhythm(robot.spec.name, limits, self._note)
        self._connected = False
        self._stopped: str | None = None
        self._damped = True
        self._is_up, self._down_at_s = False, -math.inf
        self._rest()

    @property
    def spec(self) -> RobotSpec:
        return self._robot.spec

    @property
    def stopped_because(self) -> str | None:
        """The sentence of the RobotFault that `read` and `write` raise; None for a robot that is not stopped."""
        return self._stopped

    def connect(self) -> None:
        """Raises RobotError, the robot closed again, where it must not be armed: tilted, hot, battery empty, motor error."""
        if self._connected:
            return
        self._answer(self._robot.connect)
        self._connected, self._stopped = True, None
        self._watch = ReadingWatch(self.spec, self._limits, self._note, self._watch)
        self._rest()
        try:
            self._check_armable("connected")
        except RobotError:
            self._release()
            raise

    def read(self) -> RobotState:
        self._check_ready()
        return self._watched()

    def write(self, command: JointCommand) -> JointCommand:
        self._check_ready()
        try:
            asked = rows_of(command, self.spec)
        except RobotFault:
            self._note("bad command", self.spec.name)
            raise
        if self._target_rad is None and (danger := self._watch.no_new_trial()) is not None:
            raise RobotFault(f"{self.spec.name}: no new trial: {danger.words}")
        return self._send(asked)

    def stop(self) -> None:
        self._rest()
        self._damp()

    def halt(self, why: str) -> None:
        """The operator's stop: latched. A switch in the motors' supply is the real one."""
        self._stop_for(Danger("halt", self.spec.name, math.nan, math.nan, why))

    def look(self) -> RobotState:
        """The newest measurement also of a stopped robot: for a monitor, and for an operator who wants to know why."""
        self._check_connected()
        return self._answer(self._robot.read)

    def rearm(self) -> None:
        """The operator says that all is well again: `write` moves from now on. Moves nothing; for a robot not stopped, nothing.

        Raises RobotFault saying what still is wrong: tilted past the spec's limit, hot, battery empty, motor error, no reading.
        """
        self._check_connected()
        if self._stopped is not None:
            self._damp()
            if not self._damped:
                raise RobotFault(f"{self.spec.name} is not armed again: it does not hear that it is to stop")
            self._check_armable("armed again")
            self._stopped = None
            self._note("rearmed", self.spec.name)

    def close(self) -> None:
        """Sits a robot that is up down, damps it and closes it, which releases torque, also when sitting fails; idempotent.

        Not moved again is one that is damped (since the end of a trial: hands may be on it), was stopped, has fallen or has no
        sitting pose: damping lets it down, for `sit_s` since it was damped, before torque goes. Ctrl-C is ignored meanwhile.
        """
        with undisturbed():
            try:
                if self._connected and self._stopped is None and self._is_up and self._sit_rad is not None:
                    self._sit(self._sit_rad)
            except RobotError:
                self._note("not seated", self.spec.name)
            finally:
                self._release()

    def _rest(self) -> None:
        """From now on nobody moves the robot; the next command starts from the pose measured next."""
        self._state: RobotState | None = None
        self._read_at_s = 0.0
        self._target_rad: FloatArray | None = None
        self._asked_rad: FloatArray | None = None
        self._rhythm.rest()

    def _sit(self, sit_rad: FloatArray) -> None:
        self._rhythm.rest()  # the last write may be long ago
        start = self._watched()
        if start.imu.tilt_rad > self.spec.max_tilt_rad:
            return
        start_s = self._clock.now()
        for step, pose_rad in enumerate(ramp(start.positions_rad, sit_rad, self._limits.sit_s), 1):
            self._send(np.array(self.spec.position_command(pose_rad).rows))
            self._clock.sleep_until(start_s + step * PERIOD_S)
            self._watched()
        self._is_up = False

    def _release(self) -> None:
        self._rest()
        try:
            if self._connected:
                self._damp()
                if self._damped and self._clock.now() < self._down_at_s:
                    self._clock.sleep_until(self._down_at_s)
        finally:
            self._connected = False
            self._answer(self._robot.close)

    def _watched(self) -> RobotState:
        """A new reading that nothing is wrong with; in place of a single bad one, the one before it."""
        state = self._in_motion(self._robot.read)
        now_s = self._clock.now()
        if not self._watch.is_sound(state):
            return self._sound_before(now_s)
        if (danger := self._watch.danger(state, now_s, self._asked_rad)) is not None:
            self._fault(danger)
        self._state, self._read_at_s = state, now_s
        return state

    def _sound_before(self, now_s: float) -> RobotState:
        name, limit_s = self.spec.name, self._limits.stale_reading_s
        age_s = math.inf if self._state is None else now_s - self._read_at_s
        self._note("bad reading", name, age_s, limit_s)
        if self._state is None or age_s > limit_s:
            self._fault(Danger("bad reading", name, age_s, limit_s, _UNSOUND))
        return self._state

    def _send(self, asked: FloatArray) -> JointCommand:
        state, now_s = self._state, self._clock.now()
        if state is None or now_s - self._read_at_s > self._limits.stale_reading_s:
            state, now_s = self._watched(), self._clock.now()
        if self._target_rad is None:
            before_rad, elapsed_s = self._limiter.in_position_limits(state.positions_rad), now_s - self._read_at_s
        else:
            before_rad, elapsed_s = self._target_rad, self._rhythm.since_write_s(now_s)
        if (danger := self._rhythm.write(now_s)) is not None:
            self._fault(danger)
        self._is_up = True
        sent = self._limiter.limited(asked, before_rad, elapsed_s, state)
        self._target_rad, self._asked_rad = sent[0].copy(), self._limiter.in_position_limits(asked[0])
        return self._in_motion(lambda: self._robot.write(JointCommand(*sent)))

    def _check_connected(self) -> None:
        if not self._connected:
            raise RobotError(f"{self.spec.name} is not connected: call connect() first")

    def _check_ready(self) -> None:
        self._check_connected()
        if self._stopped is not None:
            if not self._damped:
                self._damp()
            raise RobotFault(self._stopped)
        if (danger := self._rhythm.silence(self._clock.now())) is not None:
            self._fault(danger)

    def _check_armable(self, how: str) -> None:
        state = self.look()
        sound = self._watch.is_sound(state)
        danger = self._watch.obstacle(state, self._clock.now()) if sound else None
        if danger is not None or not sound:
            raise RobotFault(f"{self.spec.name} is not {how}: {_UNSOUND if danger is None else danger.words}")

    def _answer(self, act: Callable[[], _T]) -> _T:
        """What the robot answers; whatever a driver raises becomes a RobotFault."""
        try:
            return act()
        except RobotError:
            raise
        except Exception as error:
            raise RobotFault(f"{self.spec.name}: {type(error).__name__}: {error}") from error

    def _in_motion(self, act: Callable[[], _T]) -> _T:
        """What the robot answers; one that has nothing to answer is stopped."""
        try:
            return self._answer(act)
        except RobotError as error:
            words = str(error).removeprefix(f"{self.spec.name}: ")
            self._fault(Danger("device lost", self.spec.name, math.nan, math.nan, words))

    def _fault(self, danger: Danger) -> NoReturn:
        raise RobotFault(self._stop_for(danger))

    def _stop_for(self, danger: Danger) -> str:
        """Returns the sentence that is said from now on, that of the first danger."""
        self._stopped = because = self._stopped or f"{self.spec.name}: stopped: {danger.words}"
        self._tell(Severity.STOP, danger.reason, danger.where, danger.value, danger.limit)
        self._rest()
        self._damp()
        return because

    def _damp(self) -> None:
        """Where that fails the robot counts as stopped, and damping is tried again at every later `read` and `write`."""
        try:
            self._answer(self._robot.stop)
            self._damped = True
            if self._is_up:
                self._is_up, self._down_at_s = False, self._clock.now() + self._limits.sit_s
        except RobotError as error:
            self._damped = False
            self._tell(Severity.STOP, "stop failed", self.spec.name, math.nan, math.nan)
            self._stopped = self._stopped or f"{self.spec.name}: cannot be stopped: {error}"

    def _clipped(self, reason: str, where: str, value: float, limit: float) -> None:
        self._tell(Severity.CLIPPED, reason, where, value, limit)

    def _note(self, reason: str, where: str, value: float = math.nan, limit: float = math.nan) -> None:
        self._tell(Severity.NOTE, reason, where, value, limit)

    def _tell(self, severity: Severity, reason: str, where: str, value: float, limit: float) -> None:
        self._log.add(Event(self._clock.now(), severity, reason, where, value, limit))
