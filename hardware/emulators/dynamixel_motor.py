"""EmulatedDynamixel: one motor's control table and what its firmware makes of it; X series, registers as in the e-Manual."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel_models import MODELS, VELOCITY_UNIT_RAD_S, Register
from hardware.motors.dynamixel_units import (
    COUNTS_A_RAD,
    FULL_PWM,
    MAX_GAIN,
    MAX_WATCHDOG,
    RATINGS,
    VOLTAGE_UNIT_V,
    WATCHDOG_TRIPPED,
    WATCHDOG_UNIT_S,
    ZERO_COUNT,
    units,
)

RESULT_FAIL, INSTRUCTION, CRC, RANGE, LENGTH, LIMIT, ACCESS = range(1, 8)
ALERT = 0x80
UNDERVOLTAGE, OVERHEATING = 0x01, 0x04
CURRENT, VELOCITY, POSITION, EXTENDED, CURRENT_POSITION, PWM = 0, 1, 3, 4, 5, 16
_DUTY_MODES, _CURRENT_MODES = (VELOCITY, POSITION, EXTENDED, PWM), (CURRENT, CURRENT_POSITION)
_TABLE_BYTES = 256
_RAM_FROM = 64
_GOALS = (registers.GOAL_PWM, registers.GOAL_CURRENT, registers.GOAL_VELOCITY, registers.GOAL_POSITION)
_SHUTDOWN_BITS = 0x34  # overload, electrical shock, overheating
_MOST_COUNTS = 1_048_575
_PRESENT = struct.Struct("<hii")  # current, velocity, position

# Smallest and greatest value that may be written; what depends on other registers is in `_error_of`.
_RANGES: dict[Register, tuple[int, int]] = {
    registers.ID: (0, 252),
    registers.RETURN_DELAY_TIME: (0, 254),
    registers.DRIVE_MODE: (0, 13),
    registers.OPERATING_MODE: (0, 16),
    registers.HOMING_OFFSET: (-1_044_479, 1_044_479),
    registers.TEMPERATURE_LIMIT: (0, 100),
    registers.MAX_VOLTAGE_LIMIT: (31, 300),
    registers.MIN_VOLTAGE_LIMIT: (31, 300),
    registers.PWM_LIMIT: (0, FULL_PWM),
    registers.CURRENT_LIMIT: (0, 2047),
    registers.VELOCITY_LIMIT: (0, 2047),
    registers.MAX_POSITION_LIMIT: (0, 4095),
    registers.MIN_POSITION_LIMIT: (0, 4095),
    registers.SHUTDOWN: (0, 63),
    registers.TORQUE_ENABLE: (0, 1),
    registers.STATUS_RETURN_LEVEL: (0, 2),
    registers.POSITION_D_GAIN: (0, MAX_GAIN),
    registers.POSITION_I_GAIN: (0, MAX_GAIN),
    registers.POSITION_P_GAIN: (0, MAX_GAIN),
    registers.FEEDFORWARD_2ND_GAIN: (0, MAX_GAIN),
    registers.FEEDFORWARD_1ST_GAIN: (0, MAX_GAIN),
    registers.BUS_WATCHDOG: (0, MAX_WATCHDOG),
    registers.GOAL_PWM: (-32768, 32767),
    registers.GOAL_CURRENT: (-32768, 32767),
    registers.GOAL_VELOCITY: (-(2**31), 2**31 - 1),
    registers.PROFILE_ACCELERATION: (0, 32767),
    registers.PROFILE_VELOCITY: (0, 32767),
    registers.GOAL_POSITION: (-(2**31), 2**31 - 1),
}
_WRITABLE = {register.address: register for register in _RANGES}
_SIGNED = {registers.PRESENT_POSITION.address, *(register.address for register, (low, _) in _RANGES.items() if low < 0)}


@dataclass(frozen=True, slots=True)
class Drive:
    """What the motor does: torque = kp (position - q) + kd (velocity - dq) + torque_nm, in its own angles."""

    position_rad: float = 0.0
    velocity_rad_s: float = 0.0
    torque_nm: float = 0.0
    kp_nm_per_rad: float = 0.0
    kd_nm_s_per_rad: float = 0.0


LIMP = Drive()


class EmulatedDynamixel:
    """A motor as it left the factory, but for its id; torque is off.

    Args:
        firmware: its version; 45 and later of the 430 and 540 know fast sync read.

    """

    def __init__(self, device_id: int, model: str, supply_v: float, firmware: int = 48) -> None:
        self.model = model
        self._rating = RATINGS[model]
        self._has_current = self._rating.current_unit_a is not None
        self._by_duty = units(model, supply_v, "position")
        self._by_current = units(model, supply_v, "current_position") if self._has_current else self._by_duty
        self._angle_rad = self._goal_rad = 0.0
        self._reach_rad = math.inf
        self._table = bytearray(_TABLE_BYTES)
        self._shut_down = False
        highest_v = {5.0: 7.0, 24.0: 30.0}.get(self._rating.at_v, 16.0)
        for register, value in {
            registers.MODEL_NUMBER: MODELS[model].number,
            registers.FIRMWARE_VERSION: firmware,
            registers.ID: device_id,
            registers.RETURN_DELAY_TIME: 250,
            registers.OPERATING_MODE: POSITION,
            registers.TEMPERATURE_LIMIT: 80,
            registers.MAX_VOLTAGE_LIMIT: round(highest_v / VOLTAGE_UNIT_V),
            registers.MIN_VOLTAGE_LIMIT: round(0.6 * highest_v / VOLTAGE_UNIT_V),
            registers.PWM_LIMIT: FULL_PWM,
            registers.VELOCITY_LIMIT: 1023,
            registers.MAX_POSITION_LIMIT: 4095,
            registers.SHUTDOWN: _SHUTDOWN_BITS,
        }.items():
            self._set(register, value)
        if self._rating.current_unit_a is not None:
            most = 1.4 * self._rating.stall_a / self._rating.current_unit_a
            self._set(registers.CURRENT_LIMIT, min(round(most), 2047))
        self.reboot()

    def __getitem__(self, register: Register) -> int:
        """The value of a register, with its sign where it has one."""
        at = register.address
        return int.from_bytes(self._table[at : at + register.size], "little", signed=at in _SIGNED)

    @property
    def device_id(self) -> int:
        return self._table[registers.ID.address]

    @property
    def is_bounded(self) -> bool:
        """A limit of PWM or current holds the torque down, so that `drive` is another with every measurement."""
        return abs(self._goal_rad - self._angle_rad) > self._reach_rad

    @property
    def alert(self) -> int:
        """The bit that goes with every status packet."""
        return ALERT if self._table[registers.HARDWARE_ERROR_STATUS.address] else 0

    def read(self, address: int, length: int) -> bytes | None:
        """None beyond the control table."""
        return bytes(self._table[address : address + length]) if length > 0 and address + length <= _TABLE_BYTES else None

    def write(self, address: int, data: bytes) -> int:
        """An error number, 0 when all of it was written; else nothing was."""
        at, values = 0, []
        while at < len(data):
            register = _WRITABLE.get(address + at)
            if register is None:
                return ACCESS
            raw = data[at : at + register.size]
            if len(raw) < register.size:
                return LENGTH
            value = int.from_bytes(raw, "little", signed=register.address in _SIGNED)
            if error := self._error_of(register, value):
                return error
            values.append((register, value))
            at += register.size
        for register, value in values:
            self._set(register, value)
            if register == registers.OPERATING_MODE:
                self._default_goals()
        return 0 if values else LENGTH

    def reboot(self) -> None:
        """RAM as at power-up; a cause of an error that is still there will be found again."""
        self._table[_RAM_FROM:] = bytes(_TABLE_BYTES - _RAM_FROM)
        self._shut_down = False
        self._set(registers.STATUS_RETURN_LEVEL, 2)
        self._default_goals()

    def measure(self, angle_rad: float, velocity_rad_s: float, torque_nm: float, voltage_v: float, celsius: float) -> None:
        """What its sensors say now, in its own angles."""
        self._angle_rad = angle_rad
        turn = -1.0 if self._table[registers.DRIVE_MODE.address] & 1 else 1.0
        count = round(turn * angle_rad * COUNTS_A_RAD) + ZERO_COUNT + self[registers.HOMING_OFFSET]
        effort = turn * torque_nm / self._by_duty.effort_nm
        _PRESENT.pack_into(
            self._table, registers.PRESENT_CURRENT.address,
            round(min(max(effort, -32767.0), 32767.0)), round(turn * velocity_rad_s / VELOCITY_UNIT_RAD_S), count,
        )  # fmt: skip
        self._set(registers.PRESENT_INPUT_VOLTAGE, round(max(voltage_v, 0.0) / VOLTAGE_UNIT_V))
        self._set(registers.PRESENT_TEMPERATURE, min(max(round(celsius), 0), 255))

    def check(self, bits: int) -> bool:
        """Finds hardware errors, those given among them; they stay until the reboot. Whether they ended the torque just now."""
        voltage = self[registers.PRESENT_INPUT_VOLTAGE]
        lowest, highest = self[registers.MIN_VOLTAGE_LIMIT], self[registers.MAX_VOLTAGE_LIMIT]
        if voltage < lowest or voltage > highest:
            bits |= UNDERVOLTAGE
        if self[registers.PRESENT_TEMPERATURE] > self[registers.TEMPERATURE_LIMIT]:
            bits |= OVERHEATING
        self._table[registers.HARDWARE_ERROR_STATUS.address] |= bits & 0xFF
        if not bits & self[registers.SHUTDOWN]:
            return False
        had_torque = bool(self[registers.TORQUE_ENABLE])
        self._shut_down = True
        self._set(registers.TORQUE_ENABLE, 0)
        return had_torque

    def watchdog_s(self) -> float | None:
        """How long it waits for an instruction; None while it does not."""
        value = self._table[registers.BUS_WATCHDOG.address]
        watches = self._table[registers.TORQUE_ENABLE.address] and value != WATCHDOG_TRIPPED
        return value * WATCHDOG_UNIT_S if watches and value else None

    def trip(self) -> None:
        """Nobody spoke for too long: stop, and take no goals until the watchdog is written 0."""
        self._set(registers.BUS_WATCHDOG, WATCHDOG_TRIPPED)
        self._set(registers.GOAL_POSITION, self[registers.PRESENT_POSITION])
        self._set(registers.GOAL_VELOCITY, 0)
        if self[registers.OPERATING_MODE] == PWM:
            self._set(registers.GOAL_PWM, 0)
        if self[registers.OPERATING_MODE] == CURRENT:
            self._set(registers.GOAL_CURRENT, 0)

    def drive(self) -> Drive:
        """By the law of `hardware.motors.dynamixel_units`; limits of PWM and current bound what a position error asks for."""
        self._reach_rad = math.inf
        if not self._table[registers.TORQUE_ENABLE.address]:
            return LIMP
        mode = self[registers.OPERATING_MODE]
        turn = -1.0 if self[registers.DRIVE_MODE] & 1 else 1.0
        unit = self._by_current if mode == CURRENT_POSITION else self._by_duty
        if mode == PWM:
            return Drive(torque_nm=turn * self[registers.GOAL_PWM] / FULL_PWM * unit.stall_nm)
        if mode == CURRENT:
            return Drive(torque_nm=turn * self[registers.GOAL_CURRENT] * unit.effort_nm)
        if mode == VELOCITY:
            speed = turn * self[registers.GOAL_VELOCITY] * VELOCITY_UNIT_RAD_S
            return Drive(velocity_rad_s=speed, kd_nm_s_per_rad=unit.damping_nm_s_per_rad)
        kp = self[registers.POSITION_P_GAIN] * unit.kp_nm_per_rad
        goal_rad = turn * (self[registers.GOAL_POSITION] - ZERO_COUNT - self[registers.HOMING_OFFSET]) / COUNTS_A_RAD
        most_nm = abs(self[registers.GOAL_PWM]) / FULL_PWM * unit.stall_nm
        if mode == CURRENT_POSITION:
            most_nm = min(most_nm, abs(self[registers.GOAL_CURRENT]) * unit.effort_nm)
        self._goal_rad, self._reach_rad = goal_rad, most_nm / kp if kp else math.inf
        if self.is_bounded:
            goal_rad = self._angle_rad + math.copysign(self._reach_rad, goal_rad - self._angle_rad)
        return Drive(goal_rad, kp_nm_per_rad=kp, kd_nm_s_per_rad=self[registers.POSITION_D_GAIN] * unit.kd_nm_s_per_rad)

    def _error_of(self, register: Register, value: int) -> int:
        """Why a value may not be written, or 0."""
        lowest, highest = _RANGES[register]
        if register.address < _RAM_FROM and self._table[registers.TORQUE_ENABLE.address]:
            return ACCESS
        if not lowest <= value <= highest:
            return RANGE
        is_closed = register in _GOALS or (register == registers.BUS_WATCHDOG and value != 0)
        if is_closed and self._table[registers.BUS_WATCHDOG.address] == WATCHDOG_TRIPPED:
            return RANGE
        if register in (registers.CURRENT_LIMIT, registers.GOAL_CURRENT) and not self._has_current:
            return ACCESS
        if register == registers.OPERATING_MODE:
            return 0 if value in _DUTY_MODES or (value in _CURRENT_MODES and self._has_current) else RANGE
        if register == registers.TORQUE_ENABLE and value and self._shut_down:
            return RESULT_FAIL
        limit = {
            registers.GOAL_PWM: registers.PWM_LIMIT,
            registers.GOAL_CURRENT: registers.CURRENT_LIMIT,
            registers.GOAL_VELOCITY: registers.VELOCITY_LIMIT,
        }.get(register)
        if limit is not None:
            return 0 if abs(value) <= self[limit] else LIMIT
        if register == registers.GOAL_POSITION:
            ends = (registers.MIN_POSITION_LIMIT, registers.MAX_POSITION_LIMIT)
            is_one_turn = self[registers.OPERATING_MODE] == POSITION
            low, high = (self[end] for end in ends) if is_one_turn else (-_MOST_COUNTS, _MOST_COUNTS)
            return 0 if low <= value <= high else LIMIT
        return 0

    def _default_goals(self) -> None:
        """As the firmware sets them with an operating mode."""
        is_pwm = self[registers.OPERATING_MODE] == PWM
        self._set(registers.POSITION_P_GAIN, 800)
        self._set(registers.POSITION_D_GAIN, 0)
        self._set(registers.GOAL_PWM, 0 if is_pwm else self[registers.PWM_LIMIT])
        self._set(registers.GOAL_CURRENT, 0 if self[registers.OPERATING_MODE] == CURRENT else self[registers.CURRENT_LIMIT])
        self._set(registers.GOAL_POSITION, self[registers.PRESENT_POSITION])

    def _set(self, register: Register, value: int) -> None:
        masked = value & (1 << 8 * register.size) - 1
        self._table[register.address : register.address + register.size] = masked.to_bytes(register.size, "little")
