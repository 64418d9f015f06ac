"""Finding the motors of a bus and making them ready; their registers are read, written where they differ, and read again.

Registers below 64 are EEPROM: the motor takes them with its torque off only, and they wear.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hardware.motors import dynamixel_models as registers
from hardware.motors.bus import MotorIdentity
from hardware.motors.dynamixel_config import DynamixelConfig, DynamixelMotor
from hardware.motors.dynamixel_health import HEALTH_BYTES, HEALTH_FROM
from hardware.motors.dynamixel_link import DynamixelLink
from hardware.motors.dynamixel_models import MODELS, Register
from hardware.motors.dynamixel_units import COUNTS_A_RAD, COUNTS_A_TURN, MODES, STATUS_ERRORS, ZERO_COUNT
from hardware.types import RobotError

_ATTEMPTS = 30  # of a packet, on a bad line
_COMMON_BAUDS = (57_600, 1_000_000, 115_200, 2_000_000, 3_000_000, 4_000_000)  # the first is the factory's
_IDENTITY_BYTES = 7  # model number to firmware
_WATCHDOG_FIRMWARE = 38
_FAST_FIRMWARE = {"330": 46, "430": 45, "540": 45}  # e-Manual, Protocol 2.0, Fast Sync Read; the 2X models lack it
_KEPT_DRIVE_BITS = 0b0011  # direction and dual joint are how the robot is built; time profile, torque on by goal are not wanted
_MOST_COUNTS = 1_048_575  # 256 turns either way, in modes other than `position`
_MISPLACED_RAD = 0.1


@dataclass(frozen=True)
class MotorLimits:
    """In register units, as the motor itself keeps them: position, duty cycle, current (0 without a current sensor)."""

    lower: int
    upper: int
    pwm: int
    current: int


def identify(link: DynamixelLink, config: DynamixelConfig) -> tuple[tuple[MotorIdentity, ...], bool]:
    """Who is on the bus, and whether all of them know fast sync read. Reads only.

    Raises RobotError naming the first joint whose motor is silent, answers at another baud rate, is another model or too old.
    """
    heard = {motor.device_id: _identity(link, motor.device_id) for motor in config.motors}
    identities = []
    for motor in config.motors:
        found = heard[motor.device_id]
        if found is None:
            raise RobotError(_silent(link, config, motor, [i for i, identity in heard.items() if identity is not None]))
        number, firmware = found
        name = f"{motor.joint}: Dynamixel {motor.device_id} on {config.port}"
        if number != MODELS[motor.model].number:
            model = next((model for model, known in MODELS.items() if known.number == number), f"model number {number}")
            raise RobotError(
                f"{name} is {model}, not {motor.model} as configured: are two motors swapped, or is `model` wrong?"
            )
        if firmware < _WATCHDOG_FIRMWARE:
            raise RobotError(f"{name} has firmware {firmware}, without bus watchdog: update it with Dynamixel Wizard")
        identities.append(MotorIdentity(motor.joint, motor.device_id, motor.model, str(firmware)))
    return tuple(identities), all(_is_fast(identity) for identity in identities)


def set_up(link: DynamixelLink, config: DynamixelConfig, motor: DynamixelMotor) -> MotorLimits:
    """Operating mode, return delay, limits; torque may go off in the course of it and is not switched on.

    Raises RobotError naming the joint and the register that the motor refuses.
    """
    error = 0
    for _ in range(_ATTEMPTS):
        table = _table(link, motor)
        different = [(register, value) for register, value in _wanted(config, motor, table) if table[register] != value]
        if not different:
            return MotorLimits(
                lower=table[registers.MIN_POSITION_LIMIT] if config.mode == "position" else -_MOST_COUNTS,
                upper=table[registers.MAX_POSITION_LIMIT] if config.mode == "position" else _MOST_COUNTS,
                pwm=table[registers.PWM_LIMIT],
                current=table[registers.CURRENT_LIMIT] if MODELS[motor.model].has_current else 0,
            )
        if table[registers.TORQUE_ENABLE] and different[0][0].address < registers.TORQUE_ENABLE.address:
            link.write(motor.device_id, registers.TORQUE_ENABLE, 0)
        for register, value in different:
            error = link.write(motor.device_id, register, value) or error
    register, value = different[0]
    why = STATUS_ERRORS.get(error, "it stays as it was")
    raise RobotError(f"{motor.joint}: Dynamixel {motor.device_id} refuses {value} in register {register.address}: {why}")


def _wanted(config: DynamixelConfig, motor: DynamixelMotor, table: ControlTable) -> list[tuple[Register, int]]:
    """EEPROM first, in the order of writing: a new mode sets gains and goals anew."""
    wanted = [
        (registers.RETURN_DELAY_TIME, 0),
        (registers.DRIVE_MODE, table[registers.DRIVE_MODE] & _KEPT_DRIVE_BITS),
        (registers.OPERATING_MODE, MODES[config.mode]),
    ]
    if config.mode == "position" and motor.limits_rad is not None:
        lower, upper = (round(angle * COUNTS_A_RAD) + ZERO_COUNT for angle in motor.limits_rad)
        wanted += [
            (registers.MIN_POSITION_LIMIT, min(max(lower, 0), COUNTS_A_TURN - 1)),
            (registers.MAX_POSITION_LIMIT, min(max(upper, 0), COUNTS_A_TURN - 1)),
        ]
    return [
        *wanted,
        (registers.STATUS_RETURN_LEVEL, 2),
        (registers.BUS_WATCHDOG, 0),  # a tripped one takes no goals
        (registers.POSITION_I_GAIN, 0),
        (registers.FEEDFORWARD_2ND_GAIN, 0),
        (registers.FEEDFORWARD_1ST_GAIN, 0),
        (registers.PROFILE_ACCELERATION, 0),
        (registers.PROFILE_VELOCITY, 0),
        (registers.GOAL_PWM, 0 if config.mode == "pwm" else table[registers.PWM_LIMIT]),
    ]


def held_count(motor: DynamixelMotor, limits: MotorLimits, count: int) -> int:
    """The goal that holds a motor at this count. Raises RobotError where it stands beyond its limits, more than it may."""
    goal = min(max(count, limits.lower), limits.upper)
    if abs(goal - count) > _MISPLACED_RAD * COUNTS_A_RAD:
        angle, nearest = ((place - ZERO_COUNT) / COUNTS_A_RAD for place in (count, goal))
        raise RobotError(
            f"{motor.joint}: Dynamixel {motor.device_id} stands at {angle:.3f} rad of its own, beyond its limit {nearest:.3f}:"
            " turn it back by hand, or calibrate"
        )
    return goal


class ControlTable:
    """All registers of a motor up to Present Temperature, as read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __getitem__(self, register: Register) -> int:
        return int.from_bytes(self._data[register.address : register.address + register.size], "little")


def _table(link: DynamixelLink, motor: DynamixelMotor) -> ControlTable:
    """In two reads of different length: a reply that comes too late is never taken for that of another register.

    Raises RobotError naming the motor that does not answer.
    """
    data = b""
    for address, length in ((0, HEALTH_FROM), (HEALTH_FROM, HEALTH_BYTES)):
        for _ in range(_ATTEMPTS):
            if (reply := link.read(motor.device_id, address, length)) is not None:
                data += reply.data
                break
        else:
            name = f"{motor.joint}: Dynamixel {motor.device_id} on {link.path}"
            raise RobotError(f"{name} no longer answers steadily: look at its power and its cable")
    return ControlTable(data)


def _identity(link: DynamixelLink, device_id: int) -> tuple[int, int] | None:
    for _ in range(_ATTEMPTS):
        if (reply := link.read(device_id, registers.MODEL_NUMBER.address, _IDENTITY_BYTES)) is not None:
            return int.from_bytes(reply.data[:2], "little"), reply.data[registers.FIRMWARE_VERSION.address]
    return None


def _silent(link: DynamixelLink, config: DynamixelConfig, motor: DynamixelMotor, others: Sequence[int]) -> str:
    name = f"{motor.joint}: Dynamixel {motor.device_id} on {config.port}"
    for baud in _COMMON_BAUDS:
        if baud == config.baud:
            continue
        with contextlib.suppress(RobotError):  # a port that cannot go so fast
            link.set_baud(baud)
            if any(link.ping(motor.device_id) for _ in range(2)):
                return (
                    f"{name} answers at {baud} baud, not {config.baud}: change `baud`, or its Baud Rate with Dynamixel Wizard"
                )
    heard = f"of its bus {', '.join(map(str, others))} do" if others else "nobody on its bus does: is the motors' supply on?"
    return f"{name} does not answer at {config.baud} baud; {heard}; look at its power, its cable and its id"


def _is_fast(identity: MotorIdentity) -> bool:
    size = re.match(r"[^2]\D*(\d{3})", identity.model)
    return size is not None and int(identity.firmware) >= _FAST_FIRMWARE.get(size[1], 256)
