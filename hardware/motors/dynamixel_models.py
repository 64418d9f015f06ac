"""What the motors of the Dynamixel X series are: numbers, names, registers. Generated.

By scripts/dynamixel_models.py from control_table/*.model of https://github.com/ROBOTIS-GIT/DynamixelSDK at commit
2ded684dff05a40ac78d6a16105c6ddc1b3b9930. Registers are at the same address in every model listed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Register:
    """Where a value is in the control table, little endian, and of how many bytes."""

    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Model:
    """What a ping answers; has_current: it measures and limits current, the others only estimate their load."""

    number: int
    has_current: bool


VELOCITY_UNIT_RAD_S = 0.0239691227

MODEL_NUMBER = Register(0, 2)
FIRMWARE_VERSION = Register(6, 1)
ID = Register(7, 1)
RETURN_DELAY_TIME = Register(9, 1)
DRIVE_MODE = Register(10, 1)
OPERATING_MODE = Register(11, 1)
HOMING_OFFSET = Register(20, 4)
TEMPERATURE_LIMIT = Register(31, 1)
MAX_VOLTAGE_LIMIT = Register(32, 2)
MIN_VOLTAGE_LIMIT = Register(34, 2)
PWM_LIMIT = Register(36, 2)
CURRENT_LIMIT = Register(38, 2)
VELOCITY_LIMIT = Register(44, 4)
MAX_POSITION_LIMIT = Register(48, 4)
MIN_POSITION_LIMIT = Register(52, 4)
SHUTDOWN = Register(63, 1)
TORQUE_ENABLE = Register(64, 1)
STATUS_RETURN_LEVEL = Register(68, 1)
REGISTERED_INSTRUCTION = Register(69, 1)
HARDWARE_ERROR_STATUS = Register(70, 1)
POSITION_D_GAIN = Register(80, 2)
POSITION_I_GAIN = Register(82, 2)
POSITION_P_GAIN = Register(84, 2)
FEEDFORWARD_2ND_GAIN = Register(88, 2)
FEEDFORWARD_1ST_GAIN = Register(90, 2)
BUS_WATCHDOG = Register(98, 1)
GOAL_PWM = Register(100, 2)
GOAL_CURRENT = Register(102, 2)
GOAL_VELOCITY = Register(104, 4)
PROFILE_ACCELERATION = Register(108, 4)
PROFILE_VELOCITY = Register(112, 4)
GOAL_POSITION = Register(116, 4)
MOVING = Register(122, 1)
PRESENT_PWM = Register(124, 2)
PRESENT_CURRENT = Register(126, 2)
PRESENT_VELOCITY = Register(128, 4)
PRESENT_POSITION = Register(132, 4)
PRESENT_INPUT_VOLTAGE = Register(144, 2)
PRESENT_TEMPERATURE = Register(146, 1)

MODELS = {
    "XH430-W350": Model(1000, True),
    "XD430-T350": Model(1001, True),
    "XH430-W210": Model(1010, True),
    "XD430-T210": Model(1011, True),
    "XM430-W350": Model(1020, True),
    "XM430-W210": Model(1030, True),
    "XH430-V350": Model(1040, True),
    "XH430-V210": Model(1050, True),
    "XL430-W250": Model(1060, False),
    "XC430-W150": Model(1070, False),
    "XC430-W240": Model(1080, False),
    "2XL430-W250": Model(1090, False),
    "XH540-W270": Model(1100, True),
    "XD540-T270": Model(1101, True),
    "XH540-W150": Model(1110, True),
    "XD540-T150": Model(1111, True),
    "XM540-W270": Model(1120, True),
    "XM540-W150": Model(1130, True),
    "XH540-V270": Model(1140, True),
    "XH540-V150": Model(1150, True),
    "2XC430-W250": Model(1160, False),
    "XW540-T260": Model(1170, True),
    "XW540-T140": Model(1180, True),
    "XL330-M077": Model(1190, True),
    "XL330-M288": Model(1200, True),
    "XC330-T181": Model(1210, True),
    "XC330-T288": Model(1220, True),
    "XC330-M181": Model(1230, True),
    "XC330-M288": Model(1240, True),
    "XW430-T333": Model(1270, True),
    "XW540-H260": Model(1310, True),
}
