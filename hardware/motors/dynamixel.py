"""Dynamixel X series on one Protocol 2.0 bus, through ROBOTIS' own SDK; a MotorBus.

A reading is one sync read of ten bytes a motor (current, velocity, position), in one packet where the firmware can; a fast
read that failed is followed by a plain one, which tells who is silent. Beside it one motor after the other is asked for its
registers from torque enable to temperature, each once in `health_period_s`: 108 bytes, 1.1 ms at 1 Mbaud, but not in every
tick; voltage and temperature in every reading would be 1.3 ms more in each. Nobody answers a sync write: what must have been
heard is read back (arming, damping, release), gains are sent thrice and looked at with the health.

Angles are those that the motor reports: within one turn at power-up, counting on from there; nothing is unwrapped here. A joint
that crosses its motor's count 0 within its range needs another horn position or a Homing Offset.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardware.clock import Clock, MonotonicClock
from hardware.events import Event, EventLog, Severity
from hardware.motors import dynamixel_models as registers
from hardware.motors.bus import MotorIdentity, MotorReadings
from hardware.motors.dynamixel_config import DynamixelConfig, DynamixelMode, DynamixelMotor
from hardware.motors.dynamixel_goals import Goals
from hardware.motors.dynamixel_health import HEALTH_BYTES, HEALTH_FROM, Health, HealthBlock
from hardware.motors.dynamixel_link import ALERT, DynamixelLink, OpenPort
from hardware.motors.dynamixel_models import Register
from hardware.motors.dynamixel_port import DynamixelPort
from hardware.motors.dynamixel_present import PRESENT_BYTES, PRESENT_FROM, Present
from hardware.motors.dynamixel_setup import held_count, identify, set_up
from hardware.motors.dynamixel_units import MAX_WATCHDOG, WATCHDOG_UNIT_S, error_words, units
from hardware.types import JointCommand, RobotError, RobotFault

__all__ = ["DynamixelBus", "DynamixelConfig", "DynamixelMode", "DynamixelMotor"]

_ATTEMPTS = 20  # of what has to be heard, on a bad line
_DAMP_ATTEMPTS = 5


class DynamixelBus:
    """MotorBus; nothing is opened before `open`.

    Events, all NOTE: "reply lost" at a joint (value: in a row), or at the port for the one packet of a fast read; "bad packet"
    at the port (value: how many); "watchdog tripped" at a joint (limit: `watchdog_s`) where the host had not paused; "gains
    lost" at a joint that did not hear its gains and is told again.

    Args:
        open_port: what the SDK reads and writes through.

    Raises:
        RobotError: the config names an unknown model, an id twice, a mode that a model lacks.

    """

    def __init__(
        self, config: DynamixelConfig, log: EventLog, clock: Clock | None = None, open_port: OpenPort = DynamixelPort
    ) -> None:
        self._config = config
        self._log = log
        self._clock = clock or MonotonicClock()
        self._open_port = open_port
        self._ids = tuple(motor.device_id for motor in config.motors)
        if len(set(self._ids)) != len(self._ids):
            raise RobotError(f"{config.port}: two joints have the same Dynamixel id")
        self._units = [units(motor.model, config.supply_v, config.mode) for motor in config.motors]
        self._watchdog = min(max(math.ceil(config.watchdog_s / WATCHDOG_UNIT_S - 1e-9), 1), MAX_WATCHDOG)
        self._is_fast = self._fast_next = self._has_tripped = False
        self._link: DynamixelLink | None = None
        self._goals: Goals | None = None
        self._forget()

    @functools.cached_property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(motor.joint for motor in self._config.motors)

    def open(self) -> tuple[MotorIdentity, ...]:
        """Every motor heard, and how it is; reads only. Raises RobotError naming port, joint and id."""
        self.close()
        config = self._config
        self._link = link = DynamixelLink(config.port, config.baud, config.reply_timeout_s, self._clock, self._open_port)
        self._forget()
        try:
            identities, can_fast = identify(link, config)
            self._is_fast = self._fast_next = can_fast and config.fast_sync_read
            self._read_all()
            for motor in range(len(self._ids)):
                self._repeat(functools.partial(self._look_at, motor), self.joint_names[motor])
        except BaseException:
            self.close()
            raise
        return identities

    def arm(self) -> None:
        """Hold the measured pose. Raises RobotError naming the joint that has shut down, is out of place or refuses."""
        link, config = self._opened(), self._config
        for motor, bits in zip(config.motors, self._health.error_bits, strict=True):
            if bits:
                name = f"{motor.joint}: Dynamixel {motor.device_id}"
                raise RobotError(f"{name} has shut down: {error_words(bits)}; see to that, then switch its power off and on")
        limits = [set_up(link, config, motor) for motor in config.motors]
        goals = Goals(link, config, self._units, limits)
        self._expect(self._tell(registers.BUS_WATCHDOG, self._watchdog), registers.BUS_WATCHDOG)
        self._read_all()
        counts = map(held_count, config.motors, limits, self._present.counts.tolist())
        self._expect(goals.hold(np.fromiter(counts, np.int64), _ATTEMPTS), registers.GOAL_POSITION)
        self._goals = goals
        self._expect(self._tell(registers.TORQUE_ENABLE, 1), registers.TORQUE_ENABLE)
        self._health.armed = True
        link.longest_silence_s = 0.0

    def read(self) -> MotorReadings:
        heard = self._read_present(self._fast_next)
        if heard.all() and (motor := self._health.due(self._clock.now())) is not None:
            self._look_at(motor)
        present, health = self._present, self._health
        return MotorReadings(
            positions_rad=present.positions_rad,
            velocities_rad_s=present.velocities_rad_s.copy(),  # partly heard readings change them in place
            torques_nm=present.torques_nm.copy(),
            heard=heard,
            voltages_v=health.voltages_v.copy(),
            temperatures_c=health.temperatures_c.copy(),
            errors=health.errors(),
        )

    def write(self, command: JointCommand) -> JointCommand:
        link = self._opened()
        if self._goals is None:
            raise RobotError(f"{self._config.port}: motors are not armed: call arm() first")
        if (bad := command.bad_entry(self.joint_names)) is not None:
            raise RobotFault(f"{self._config.port}: command refused: {bad}")
        self._wake_watchdogs(link, surely=self._goals.is_damped)
        return self._goals.send(command, self._present.positions_rad, self._present.velocities_rad_s)

    def damp(self) -> tuple[str, ...]:
        """No stiffness, as near as the mode comes to it.

        `position`: P gain 0, D gain of the config: the shorted windings brake (back-EMF), which is more than D adds.
        `current_position`: at a current of 0 nothing would brake: it holds where it is with a tenth of the stall torque, and
        folds slowly. `pwm`: a duty cycle of 0, which brakes as in `position`.
        """
        if self._link is None or self._goals is None:
            return ()
        try:
            self._wake_watchdogs(self._link, surely=True)
            deaf = self._goals.damp(self._present.counts, _DAMP_ATTEMPTS)
        except RobotError:
            return self.joint_names
        return tuple(motor.joint for motor in self._config.motors if motor.device_id in deaf)

    def release(self) -> None:
        self._health.armed = False
        if self._link is not None:
            with contextlib.suppress(RobotError):
                self._tell(registers.TORQUE_ENABLE, 0)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = self._goals = None

    def _forget(self) -> None:
        self._present = Present(self._ids, np.array([unit.effort_nm for unit in self._units]))
        self._health = Health(self.joint_names, self._config.health_period_s, self._clock.now())

    def _opened(self) -> DynamixelLink:
        if self._link is None:
            raise RobotError(f"{self._config.port} is not open: call open() first")
        return self._link

    def _read_present(self, fast: bool) -> NDArray[np.bool_]:
        """One sync read; who was heard. Raises RobotFault once a motor has been silent for too long."""
        link, now_s = self._opened(), self._clock.now()
        bad_before = link.bad_packets
        replies = link.sync_read(self._ids, PRESENT_FROM, PRESENT_BYTES, fast)
        if link.bad_packets > bad_before:
            self._note("bad packet", self._config.port, link.bad_packets - bad_before)
        elif fast and not replies:
            self._note("reply lost", self._config.port, float(self._present.lost.max()) + 1.0)
        was_lost = self._present.lost.tolist()
        heard = self._present.take(replies, now_s)
        for motor, device_id in enumerate(self._ids):
            if (reply := replies.get(device_id)) is not None:
                self._health.heard(motor, reply.error >= ALERT, was_lost[motor] > 0)
            elif not fast:
                self._note("reply lost", self.joint_names[motor], float(self._present.lost[motor]))
        is_whole = len(replies) == len(self._ids)
        self._fast_next = self._is_fast and is_whole
        if not is_whole:
            self._check_silence(heard)
        return heard

    def _check_silence(self, heard: NDArray[np.bool_]) -> None:
        silent = ~heard & (self._present.silent_s > self._config.silent_s)
        if silent.any():
            motor = self._config.motors[int(np.argmax(silent))]
            others = "; so are all others: is their supply on?" if silent.all() else ": is it powered and wired?"
            for_s = self._present.silent_s.max()
            name = f"{motor.joint}: Dynamixel {motor.device_id} on {self._config.port}"
            raise RobotFault(f"{name} has been silent for {for_s:.2f} s{others}")

    def _look_at(self, motor: int) -> bool:
        """Asks one motor for its health; whether it answered."""
        link = self._opened()
        reply = link.read(self._ids[motor], HEALTH_FROM, HEALTH_BYTES)
        joint = self.joint_names[motor]
        if reply is None:
            self._note("reply lost", joint, 1.0)
            return False
        block = HealthBlock(reply.data)
        self._health.take(motor, block)
        if self._goals is not None and self._goals.missed(motor, block):
            self._note("gains lost", joint, 1.0)
        if block.tripped and not self._has_tripped and self._health.armed:
            self._has_tripped = True
            if link.longest_silence_s < self._pause_s:
                self._note("watchdog tripped", joint, link.longest_silence_s, self._config.watchdog_s)
        return True

    @property
    def _pause_s(self) -> float:
        """A silence of the host after which watchdogs may have tripped."""
        return (self._watchdog - 0.5) * WATCHDOG_UNIT_S

    def _wake_watchdogs(self, link: DynamixelLink, surely: bool) -> None:
        """After a pause of the host, or when one was seen tripped: motors take no goals until they are told 0.

        Surely is read back, and takes its time: for a robot that does not walk.
        """
        if not self._has_tripped and link.silence_s < self._pause_s:
            return
        for value in (0, self._watchdog):
            rows = bytes(byte for i in self._ids for byte in (i, value))
            if surely:
                link.confirm(registers.BUS_WATCHDOG.address, 1, rows, _DAMP_ATTEMPTS)
            else:
                link.sync_write(registers.BUS_WATCHDOG.address, 1, rows)
        self._has_tripped, link.longest_silence_s = False, 0.0
        for motor in range(len(self._ids)):
            self._health.want(motor)

    def _tell(self, register: Register, value: int) -> set[int]:
        """All motors; the ids of those that do not show it."""
        rows = b"".join(bytes((i,)) + value.to_bytes(register.size, "little") for i in self._ids)
        return self._opened().confirm(register.address, register.size, rows, _ATTEMPTS)

    def _expect(self, deaf: set[int], register: Register) -> None:
        for motor in self._config.motors:
            if motor.device_id in deaf:
                name = f"{motor.joint}: Dynamixel {motor.device_id} on {self._config.port}"
                raise RobotError(f"{name} did not take register {register.address}: is its supply on, and has it shut down?")

    def _read_all(self) -> None:
        """Every motor heard, if not all in one reading; nothing moves meanwhile."""
        heard = np.zeros(len(self._ids), np.bool_)

        def read() -> bool:
            heard[:] |= self._read_present(fast=False)
            return bool(heard.all())

        self._repeat(read, "a motor")

    def _repeat(self, act: Callable[[], bool], who: str) -> None:
        if not any(act() for _ in range(_ATTEMPTS)):
            raise RobotError(f"{who} on {self._config.port} does not answer steadily: look at the cable")

    def _note(self, reason: str, where: str, value: float, limit: float = 0.0) -> None:
        self._log.add(Event(self._clock.now(), Severity.NOTE, reason, where, value, limit))
