"""MoteusBus: mjbots moteus servos behind an fdcanusb (or mjcanfd-usb-1x). The maker's library encodes and parses frames.

Source: the protocol and register references of the moteus repository (docs/protocol/can.md, docs/protocol/registers.md).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable

import numpy as np

from hardware.clock import Clock, MonotonicClock
from hardware.events import Event, EventLog, Severity
from hardware.motors.bus import MotorIdentity, MotorReadings
from hardware.motors.moteus_config import MoteusConfig, MoteusMotor
from hardware.motors.moteus_frames import (
    FAULT,
    POSITION,
    SCALE_LSB,
    STOPPED,
    TIMEOUT,
    TORQUE_LSB_NM,
    MoteusFrames,
)
from hardware.motors.moteus_line import MoteusLine
from hardware.motors.moteus_setup import check_setup, identity
from hardware.motors.moteus_states import ServoStates
from hardware.types import FloatArray, JointCommand, RobotError, RobotFault

__all__ = ["MoteusBus", "MoteusConfig", "MoteusMotor"]

_TRIES = 20  # rounds of questions, until all that matters was heard
_START_S, _STARTS = 0.01, 100  # servos take tens of milliseconds to measure their current sensors
_MOST_REV = 30_000.0  # servos count to 32768


class MoteusBus:
    """MotorBus. Built from its config; nothing is opened before `open`.

    `read` asks all servos and collects their answers; `write` sends, and the next `read` tells what became of it. A servo whose
    watchdog tripped is started again by the next `write`: after a pause between writes just so, otherwise with a NOTE
    "watchdog tripped" (value: s since the last write, limit: `watchdog_s`). A NOTE "bad packet" has the lines damaged in a
    round of questions. A servo that stopped by itself may have lost count of its turns: only `arm` starts it.
    """

    def __init__(self, config: MoteusConfig, log: EventLog, clock: Clock | None = None) -> None:
        self._config = config
        self._motors = config.motors
        self._log = log
        self._clock = clock or MonotonicClock()
        self._line = MoteusLine(config.port, config.baud, config.checksums, config.reply_timeout_s, self._clock)
        self._frames: tuple[MoteusFrames, ...] = ()
        self._queries: dict[int, bytes] = {}
        self._gears = _row(motor.gear_ratio for motor in self._motors)
        self._rad_per_rev = math.tau / self._gears
        self._max_nm = _row(motor.max_torque_nm for motor in self._motors)
        self._kp = _row(motor.kp_nm_per_rad for motor in self._motors)
        self._kd = _row(motor.kd_nm_s_per_rad for motor in self._motors)
        per_rad = self._gears / self._rad_per_rev  # of the servo, to that of the joint
        self._highest_kp = _row(motor.servo_kp_nm_per_rev for motor in self._motors) * per_rad
        self._highest_kd = _row(motor.servo_kd_nm_s_per_rev for motor in self._motors) * per_rad
        self._armed = False
        self._written_s = -math.inf
        self._states = ServoStates(self.joint_names, self._rad_per_rev)

    @property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(motor.joint for motor in self._motors)

    def open(self) -> tuple[MotorIdentity, ...]:
        if self._line.is_open:
            raise RobotError(f"{self._config.port} is open already: close it first")
        self._frames = tuple(MoteusFrames(motor.device_id) for motor in self._motors)
        self._queries = {frames.device_id: frames.status_query for frames in self._frames}
        self._states = ServoStates(self.joint_names, self._rad_per_rev)
        try:
            self._line.open()
            identities = []
            for k, (motor, frames) in enumerate(zip(self._motors, self._frames, strict=True)):
                who = self._name(k)
                firmware, serial = identity(self._line, who, frames)
                check_setup(self._line, who, frames, motor)
                identities.append(MotorIdentity(motor.joint, motor.device_id, f"moteus, serial {serial}", firmware))
            self._hear_all()
        except BaseException:
            self._line.close()
            raise
        return tuple(identities)

    def arm(self) -> None:
        """Hold the measured pose with the motors' gains. Raises RobotError when a servo is in fault, or does not start."""
        self._hear_all()
        self._states.restarted.clear()
        zeros = np.zeros(len(self._motors))
        hold = JointCommand(self._states.positions_rad.copy(), zeros, zeros, self._kp, self._kd)
        self._armed, self._written_s = True, self._clock.now()
        for _ in range(_STARTS):
            self._stop(self._states.in_mode(TIMEOUT), tries=1)
            self._send(hold)
            self._clock.sleep_until(self._clock.now() + _START_S)
            self._look()
            self._refuse_faults()
            if len(running := self._states.in_mode(POSITION)) == len(self._motors):
                self._written_s = self._clock.now()
                return
        k = next(k for k in range(len(self._motors)) if k not in running)
        raise RobotError(f"{self._name(k)} does not start: it stays in mode {self._states.modes[k]}")

    def read(self) -> MotorReadings:
        self._look()
        for k in range(len(self._motors)):
            if (silence_s := self._states.silence_s(k)) >= self._config.silent_s:
                raise RobotFault(f"{self._name(k)} has been silent for {silence_s:.2f} s: look at its power and cable")
        return self._states.readings()

    def write(self, command: JointCommand) -> JointCommand:
        """Gains over the servo's and torques over the motor's are cut; steps are 0.01 N m, and 1/32767 of the servo's gains.

        Between two writes a servo moves its target with the commanded velocity.
        """
        if not self._armed:
            raise RobotError(f"{self._config.port}: the servos are not armed: call arm() first")
        if (bad := command.bad_entry(self.joint_names)) is not None:
            raise RobotFault(f"{self._config.port}: command refused: {bad}")
        since_s = self._clock.now() - self._written_s
        paused = since_s >= 0.5 * self._config.watchdog_s
        if paused:
            self._look()
        for k in self._states.restarted:
            raise RobotFault(f"{self._name(k)} stopped by itself and may have lost count of its turns: connect again")
        tripped = self._states.in_mode(TIMEOUT)
        if not paused:
            for k in tripped:
                self._note("watchdog tripped", self._motors[k].joint, since_s, self._config.watchdog_s)
        self._stop(tripped, tries=1)
        sent = self._send(command)
        self._written_s = self._clock.now()
        return sent

    def damp(self) -> tuple[str, ...]:
        """Zero-velocity mode: the servo's kd alone, without an integral, a position, or a watchdog that could end it.

        Servos that were not armed are left as they are. One that does not hear it stops by its own watchdog.
        """
        if self._armed:
            shares = np.minimum(self._kd / self._highest_kd, 1.0).tolist()
            with contextlib.suppress(RobotError):
                self._tell([frames.damp(share) for frames, share in zip(self._frames, shares, strict=True)])
        return ()

    def release(self) -> None:
        """Mode stopped; said again to whoever does not say so."""
        self._armed = False
        if not self._line.is_open:
            return
        with contextlib.suppress(RobotError):
            self._stop(range(len(self._motors)), _TRIES)

    def close(self) -> None:
        self._armed = False
        self._line.close()

    def _send(self, command: JointCommand) -> JointCommand:
        rev = _float32(command.positions_rad / self._rad_per_rev)
        rev_s = _float32(command.velocities_rad_s / self._rad_per_rev)
        servo_nm = np.clip(command.torques_nm, -self._max_nm, self._max_nm) / self._gears
        kp = np.clip(command.kp_nm_per_rad / self._highest_kp, 0.0, 1.0)
        kd = np.clip(command.kd_nm_s_per_rad / self._highest_kd, 0.0, 1.0)
        here = np.where(kp < SCALE_LSB, math.nan, rev)  # without stiffness there is nowhere to go to
        rows = (row.tolist() for row in (here, rev_s, servo_nm, kp, kd, self._max_nm / self._gears))
        each = zip(self._frames, zip(*rows, strict=True), strict=True)
        self._tell([frames.position(row, self._config.watchdog_s) for frames, row in each])
        return JointCommand(
            rev * self._rad_per_rev, rev_s * self._rad_per_rev, _steps(servo_nm, TORQUE_LSB_NM) * self._gears,
            _steps(kp, SCALE_LSB) * self._highest_kp, _steps(kd, SCALE_LSB) * self._highest_kd,
        )  # fmt: skip

    def _tell(self, each: list[bytes]) -> None:
        self._line.send({motor.device_id: frame for motor, frame in zip(self._motors, each, strict=True)})

    def _stop(self, rows: Iterable[int], tries: int) -> None:
        """Mode stopped, said until those rows are heard to be; this also ends a tripped watchdog or a fault."""
        rows = list(rows)
        for _ in range(tries if rows else 0):
            for k in rows:
                self._states.may_stop(k)
            self._line.send({self._motors[k].device_id: self._frames[k].stop for k in rows})
            self._look()
            rows = [k for k in rows if self._states.modes[k] != STOPPED or not self._states.heard[k]]
            if not rows:
                return

    def _hear_all(self) -> None:
        """Raises RobotError when one is not heard, or in fault."""
        for _ in range(_TRIES):
            self._look()
            if self._states.heard.all():
                return self._refuse_faults()
        k = int(np.argmin(self._states.heard))
        raise RobotError(f"{self._name(k)} answers too rarely: look at its cable")

    def _refuse_faults(self) -> None:
        for k in self._states.in_mode(FAULT):
            raise RobotError(
                f"{self._name(k)} is in fault: {self._states.fault(k)}: "
                f"mend it, then `moteus_tool -t {self._motors[k].device_id} --stop`"
            )

    def _look(self) -> None:
        """One round of questions."""
        replies = self._line.ask(self._queries)
        now_s = self._clock.now()
        damaged = self._line.newly_damaged()
        for k, (motor, frames) in enumerate(zip(self._motors, self._frames, strict=True)):
            heard = self._hear(k, frames, replies, now_s)
            if heard:
                continue
            damaged += heard is False
            self._hear(k, frames, self._line.late, now_s)  # of the round before: better than nothing
            self._states.lose(k, now_s)
            self._note("reply lost", motor.joint, self._states.lost_in_a_row[k], 0.0)
        if damaged:
            self._note("bad packet", self._config.port, damaged, 0.0)

    def _hear(self, k: int, frames: MoteusFrames, replies: dict[int, bytes], now_s: float) -> bool | None:
        """Whether a reply is good, and taken over; None for none."""
        if (reply := replies.get(frames.device_id)) is None:
            return None
        status = frames.parse_status(reply)
        return status is not None and self._states.hear(k, status, now_s)

    def _note(self, reason: str, where: str, value: float, limit: float) -> None:
        self._log.add(Event(self._clock.now(), Severity.NOTE, reason, where, value, limit))

    def _name(self, k: int) -> str:
        return f"{self._motors[k].joint}: servo {self._motors[k].device_id} on {self._config.port}"


def _row(values: Iterable[float]) -> FloatArray:
    return np.array(list(values), dtype=np.float64)


def _float32(rev: FloatArray) -> FloatArray:
    return np.clip(rev, -_MOST_REV, _MOST_REV).astype(np.float32).astype(np.float64)


def _steps(values: FloatArray, lsb: float) -> FloatArray:
    return np.trunc(values / lsb) * lsb
