"""DynamixelChain: motors of the X series on one bus, byte for byte, with a plant behind them; a Device.

Every instruction of Protocol 2.0 that a robot needs: ping, read, write, reg write and action, reboot, sync and fast sync read,
sync write, bulk read and write. Factory reset is refused. A motor answers a damaged instruction to it with error 3.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.clock import Clock, MonotonicClock
from hardware.emulators.dynamixel_frames import BROADCAST, FrameReader, Instruction, fast_status, status
from hardware.emulators.dynamixel_motor import ACCESS, CRC, INSTRUCTION, LENGTH, LIMP, RESULT_FAIL, EmulatedDynamixel
from hardware.emulators.faults import MotorFaults
from hardware.emulators.plant import Plant
from hardware.motors import dynamixel_models as registers
from hardware.types import JointCommand, RobotError, RobotState

PING, READ, WRITE, REG_WRITE, ACTION, FACTORY_RESET, REBOOT = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08
SYNC_READ, SYNC_WRITE, FAST_SYNC_READ, BULK_READ, BULK_WRITE = 0x82, 0x83, 0x8A, 0x92, 0x93
_ONLY_READING = (PING, READ, SYNC_READ, FAST_SYNC_READ, BULK_READ)
_DELAY_UNIT_S = 2e-6
_MOST = 1e5  # rad, rad/s, Nm, degC
_ROOM_C = 30.0  # of motors whose heat the physics do not know
_OF_PING, _OF_READ, _OF_ALL = 0, 1, 2  # status return levels


@dataclass(frozen=True)
class ChainMotor:
    """Which joint of the plant's spec a motor moves."""

    joint: str
    device_id: int
    model: str


class DynamixelChain:
    """A Device. All joints of the plant have a motor; signs and zeros are those of the plant's spec.

    Args:
        supply_v: what the motors report while the plant's battery is as full as at the beginning.
        wait: lets the return delay of a motor pass (s); by default it takes no time.

    Raises:
        ValueError: motors and joints do not match.

    """

    def __init__(
        self, motors: Sequence[ChainMotor], plant: Plant, supply_v: float, faults: MotorFaults | None = None,
        clock: Clock | None = None, wait: Callable[[float], None] = lambda _: None, firmware: int = 48,
    ) -> None:  # fmt: skip
        joints = {motor.joint: motor for motor in motors}
        if sorted(joints) != sorted(plant.spec.joint_names) or len(motors) != len(joints):
            raise ValueError(f"{plant.spec.name} has the joints {plant.spec.joint_names}, the chain {tuple(joints)}")
        self.faults = faults or MotorFaults()
        wired = [joints[name] for name in plant.spec.joint_names]
        self.motors = [EmulatedDynamixel(motor.device_id, motor.model, supply_v, firmware) for motor in wired]
        self._plant = plant
        self._supply_v = supply_v
        self._clock = clock or MonotonicClock()
        self._wait = wait
        self._signs = np.array([float(joint.sign) for joint in plant.spec.joints])
        self._offsets_rad = np.array([joint.offset_rad for joint in plant.spec.joints])
        self._reader = FrameReader()
        self._registered: dict[int, tuple[int, bytes]] = {}
        self._heard_s = self._clock.now()
        self._off: set[int] = set()
        state = plant.state()
        self._full_v = state.battery_v
        self._driven: NDArray[np.float64] = np.full((5, len(self.motors)), np.nan)
        self._measured: RobotState | None = None
        self._measure(state)

    def receive(self, data: bytes) -> Iterator[bytes]:
        for instruction in self._reader.feed(data):
            self._watch()
            if instruction.intact:
                self._heard_s = self._clock.now()
            self._measure(self._plant.state())
            yield from self._answers(instruction)
            if instruction.code not in _ONLY_READING:
                self._drive()

    def unasked(self, now_s: float) -> tuple[bytes, ...]:
        """Nothing; but this is when a watchdog of a motor trips."""
        self._watch()
        return ()

    def next_s(self) -> float:
        waits = [wait_s for motor in self.motors if (wait_s := motor.watchdog_s()) is not None]
        return self._heard_s + min(waits) if waits else math.inf

    def _answers(self, instruction: Instruction) -> Iterator[bytes]:
        code, parameters = instruction.code, instruction.parameters
        if not instruction.intact:
            for motor in self._addressed(instruction.device_id, broadcast=False):
                yield from self._say(motor, CRC, _OF_ALL)
        elif code in (SYNC_READ, FAST_SYNC_READ, SYNC_WRITE, BULK_READ, BULK_WRITE):
            if instruction.device_id == BROADCAST:
                yield from self._answers_of_many(code, parameters)
        else:
            for motor in self._addressed(instruction.device_id, broadcast=True):
                answers = self._answers_of_one(motor, code, parameters)
                if instruction.device_id != BROADCAST or code == PING:
                    yield from answers
                else:
                    list(answers)  # what everyone is told, nobody answers

    def _answers_of_one(self, motor: EmulatedDynamixel, code: int, parameters: bytes) -> Iterator[bytes]:
        address = int.from_bytes(parameters[:2], "little")
        if code == PING:
            yield from self._say(motor, 0, _OF_PING, motor.read(0, 2) + motor.read(6, 1))  # type: ignore[operator]
        elif code == READ and len(parameters) == 4:
            data = motor.read(address, int.from_bytes(parameters[2:], "little"))
            yield from self._say(motor, ACCESS if data is None else 0, _OF_READ, data or b"")
        elif code == WRITE and len(parameters) > 2:
            yield from self._say(motor, motor.write(address, parameters[2:]), _OF_ALL)
        elif code == REG_WRITE and len(parameters) > 2:
            self._registered[id(motor)] = address, parameters[2:]
            yield from self._say(motor, 0, _OF_ALL)
        elif code == ACTION:
            registered = self._registered.pop(id(motor), None)
            error = RESULT_FAIL if registered is None else motor.write(*registered)
            yield from self._say(motor, error, _OF_ALL)
        elif code == REBOOT:
            yield from self._say(motor, 0, _OF_ALL)
            motor.reboot()
            self._measured = None
        elif code == FACTORY_RESET:
            yield from self._say(motor, RESULT_FAIL, _OF_ALL)
        else:
            yield from self._say(motor, LENGTH if code in (READ, WRITE, REG_WRITE) else INSTRUCTION, _OF_ALL)

    def _answers_of_many(self, code: int, parameters: bytes) -> Iterator[bytes]:
        address, length = (int.from_bytes(parameters[at : at + 2], "little") for at in (0, 2))
        if code == SYNC_READ:
            for device_id in parameters[4:]:
                yield from self._read_of(device_id, address, length)
        elif code == FAST_SYNC_READ:
            yield self._fast_read(parameters[4:], address, length)
        elif code == SYNC_WRITE:
            for at in range(4, len(parameters) - length, length + 1):
                for motor in self._addressed(parameters[at], broadcast=False):
                    motor.write(address, parameters[at + 1 : at + 1 + length])
        elif code == BULK_READ:
            for at in range(0, len(parameters) - 4, 5):
                address, length = (int.from_bytes(parameters[at + i : at + i + 2], "little") for i in (1, 3))
                yield from self._read_of(parameters[at], address, length)
        else:
            self._bulk_write(parameters)

    def _read_of(self, device_id: int, address: int, length: int) -> Iterator[bytes]:
        for motor in self._addressed(device_id, broadcast=False):
            data = motor.read(address, length)
            yield from self._say(motor, ACCESS if data is None else 0, _OF_READ, data or b"")

    def _fast_read(self, device_ids: bytes, address: int, length: int) -> bytes:
        """Each waits for the one before it; after one that is silent nobody goes on."""
        parts = []
        for device_id in device_ids:
            data = next((motor.read(address, length) for motor in self._addressed(device_id, broadcast=False)), None)
            if data is None:
                break
            parts.append((device_id, next(self._addressed(device_id, broadcast=False)).alert, data))
        return fast_status(parts, len(device_ids))

    def _bulk_write(self, parameters: bytes) -> None:
        at = 0
        while at + 5 <= len(parameters):
            address, length = (int.from_bytes(parameters[at + i : at + i + 2], "little") for i in (1, 3))
            for motor in self._addressed(parameters[at], broadcast=False):
                motor.write(address, parameters[at + 5 : at + 5 + length])
            at += 5 + length

    def _addressed(self, device_id: int, broadcast: bool) -> Iterator[EmulatedDynamixel]:
        for motor in self.motors:
            is_meant = motor.device_id == device_id or (broadcast and device_id == BROADCAST)
            if is_meant and motor.device_id not in self.faults.dead:
                yield motor

    def _say(self, motor: EmulatedDynamixel, error: int, level: int, parameters: bytes = b"") -> Iterator[bytes]:
        if motor[registers.STATUS_RETURN_LEVEL] >= level:
            self._wait(motor[registers.RETURN_DELAY_TIME] * _DELAY_UNIT_S)
            yield status(motor.device_id, error | motor.alert, parameters)

    def _watch(self) -> None:
        """Trips the watchdogs of those who heard nothing for too long; those without power forget what is in their RAM."""
        off = {motor.device_id for motor in self.motors} & self.faults.dead
        if off != self._off:
            for motor in self.motors:
                if motor.device_id in off - self._off:
                    motor.reboot()
            self._off = off
            self._drive()
        silence_s = self._clock.now() - self._heard_s
        late = [motor for motor in self.motors if (wait_s := motor.watchdog_s()) is not None and silence_s >= wait_s]
        if late:
            self._measure(self._plant.state())
            for motor in late:
                motor.trip()
            self._drive()

    def _measure(self, state: RobotState) -> None:
        if state is self._measured:
            return  # as for all instructions of the same millisecond
        self._measured = state
        known_c = np.full(len(self.motors), _ROOM_C) if state.temperatures_c is None else state.temperatures_c
        rows = np.array([
            self._signs * state.positions_rad + self._offsets_rad,
            self._signs * state.velocities_rad_s,
            self._signs * state.torques_nm,
            np.where(np.isnan(known_c), _ROOM_C, known_c),
        ])  # fmt: skip
        if not np.abs(rows).max() < _MOST:
            rows = np.clip(np.nan_to_num(rows), -_MOST, _MOST)  # what fits into registers, whatever the physics say
        faults = self.faults
        charge = state.battery_v / self._full_v if self._full_v > 0.0 else 1.0
        voltage_v = self._supply_v * charge - faults.sag_v
        changed = any(motor.is_bounded for motor in self.motors)
        for motor, (angle, velocity, torque, celsius) in zip(self.motors, rows.T.tolist(), strict=True):
            device_id = motor.device_id
            motor.measure(angle, velocity, torque, voltage_v, celsius + faults.overheat_c.get(device_id, 0.0))
            changed |= motor.check(faults.error_bits.get(device_id, 0)) or motor.is_bounded
        if changed:
            self._drive()

    def _drive(self) -> None:
        drives = [LIMP if motor.device_id in self.faults.dead else motor.drive() for motor in self.motors]
        fields = ("position_rad", "velocity_rad_s", "torque_nm", "kp_nm_per_rad", "kd_nm_s_per_rad")
        q, dq, tau, kp, kd = (np.array([getattr(drive, field) for drive in drives]) for field in fields)
        rows = np.array([self._signs * (q - self._offsets_rad), self._signs * dq, self._signs * tau, kp, kd])
        if np.array_equal(rows, self._driven):
            return
        self._driven = rows
        with contextlib.suppress(RobotError):  # physics that refuse a command are no reason for a bus to fall silent
            self._plant.command(JointCommand(*rows))
