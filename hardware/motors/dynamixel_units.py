"""What the numbers in a Dynamixel's registers mean: angles, gains, torques. Constants of the X series; no I/O here.

The position controller of the firmware works in register units: with an error e in counts of the encoder,

    output = P / 128 * e + D / 16 * (change of e in a sample)          (e-Manual, Position PID Gain; I and feedforward are 0)

and the output is a duty cycle of 885ths of the supply in the modes `position` and `pwm`, a current in units of Present Current
in `current_position`. That P / 128 times counts is in 885ths agrees with what was measured on MX motors (Rhoban's better
actuator models: a duty cycle of 0.158 P a radian in the older scale, P / 8 in 511ths). At standstill a duty cycle of one gives
the stall torque, and

    kp = P / 128 * counts a radian * torque of one unit of output.

Approximate: the stall torque goes with the supply in a straight line (5 % off over the permitted range), friction of the gears
is left out, ROBOTIS does not publish the sample time (1 ms is taken: kd is of the right size, no more), and the torque
constant is stall torque over stall current. A duty cycle is a voltage: back-EMF damps by stall torque over no-load speed on
top of any kd.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hardware.motors.dynamixel_models import MODELS
from hardware.types import RobotError

COUNTS_A_TURN = 4096
ZERO_COUNT = 2048
COUNTS_A_RAD = COUNTS_A_TURN / (2.0 * math.pi)
FULL_PWM = 885
MAX_GAIN = 16383
VOLTAGE_UNIT_V = 0.1
WATCHDOG_UNIT_S = 0.02
MAX_WATCHDOG = 127
WATCHDOG_TRIPPED = 0xFF
MODES = {"position": 3, "current_position": 5, "pwm": 16}
_LOAD_UNIT = 1e-3  # Present Load: of the stall torque, guessed by the firmware
_P_SCALE = 128.0
_D_SCALE = 16.0
_SAMPLE_S = 1e-3

ERROR_BITS = {
    0: "input voltage out of limits",
    2: "overheating",
    3: "encoder error",
    4: "electrical shock or not enough power",
    5: "overload",
}
STATUS_ERRORS = {
    1: "could not do it",
    2: "does not know the instruction",
    3: "heard it damaged",
    4: "value out of range",
    5: "too few bytes",
    6: "value beyond its limit",
    7: "register may not be read or written now",
}


@dataclass(frozen=True, slots=True)
class Rating:
    """Stall torque and current at a supply voltage, the unit of Present Current (None: a load), and the no-load speed."""

    stall_nm: float
    stall_a: float
    at_v: float
    current_unit_a: float | None
    no_load_rpm: float


# ROBOTIS e-Manual, "Specifications" of each model. XW540-H260 is missing for want of published figures.
_UNIT_A = 2.69e-3
RATINGS = {
    "XL330-M077": Rating(0.215, 1.47, 5.0, 1e-3, 383),
    "XL330-M288": Rating(0.52, 1.47, 5.0, 1e-3, 103),
    "XC330-M181": Rating(0.60, 1.80, 5.0, 1e-3, 129),
    "XC330-M288": Rating(0.93, 1.80, 5.0, 1e-3, 81),
    "XC330-T181": Rating(0.76, 0.80, 11.1, 1e-3, 104),
    "XC330-T288": Rating(0.92, 0.80, 11.1, 1e-3, 65),
    "XL430-W250": Rating(1.4, 1.3, 11.1, None, 57),
    "2XL430-W250": Rating(1.4, 1.3, 11.1, None, 57),
    "XC430-W150": Rating(1.6, 1.4, 12.0, None, 106),
    "XC430-W240": Rating(1.9, 1.4, 12.0, None, 70),
    "2XC430-W250": Rating(1.8, 1.4, 12.0, None, 64),
    "XM430-W210": Rating(3.0, 2.3, 12.0, _UNIT_A, 77),
    "XM430-W350": Rating(4.1, 2.3, 12.0, _UNIT_A, 46),
    "XH430-W210": Rating(2.5, 1.3, 12.0, _UNIT_A, 50),
    "XH430-W350": Rating(3.4, 1.3, 12.0, _UNIT_A, 30),
    "XH430-V210": Rating(2.6, 0.7, 24.0, 1.34e-3, 52),
    "XH430-V350": Rating(3.3, 0.7, 24.0, 1.34e-3, 31),
    "XD430-T210": Rating(2.5, 1.3, 12.0, _UNIT_A, 50),
    "XD430-T350": Rating(3.4, 1.3, 12.0, _UNIT_A, 30),
    "XW430-T333": Rating(3.1, 1.3, 12.0, _UNIT_A, 31),
    "XM540-W150": Rating(7.3, 4.4, 12.0, _UNIT_A, 53),
    "XM540-W270": Rating(10.6, 4.4, 12.0, _UNIT_A, 30),
    "XH540-W150": Rating(7.1, 4.9, 12.0, _UNIT_A, 70),
    "XH540-W270": Rating(9.9, 4.9, 12.0, _UNIT_A, 39),
    "XH540-V150": Rating(6.4, 2.4, 24.0, _UNIT_A, 60),
    "XH540-V270": Rating(9.2, 2.4, 24.0, _UNIT_A, 34),
    "XD540-T150": Rating(7.1, 4.9, 12.0, _UNIT_A, 70),
    "XD540-T270": Rating(9.9, 4.9, 12.0, _UNIT_A, 39),
    "XW540-T140": Rating(6.9, 4.9, 12.0, _UNIT_A, 72),
    "XW540-T260": Rating(9.5, 4.9, 12.0, _UNIT_A, 40),
}


@dataclass(frozen=True, slots=True)
class Units:
    """One motor's, at its supply voltage and in its operating mode.

    Attributes:
        stall_nm: at this supply.
        effort_nm: torque of one unit of Present Current or Present Load.
        kp_nm_per_rad, kd_nm_s_per_rad: of one unit of the P and D gain registers.
        damping_nm_s_per_rad: by back-EMF, when driven by a duty cycle.

    """

    stall_nm: float
    effort_nm: float
    kp_nm_per_rad: float
    kd_nm_s_per_rad: float
    damping_nm_s_per_rad: float


def units(model: str, supply_v: float, mode: str) -> Units:
    """Raises RobotError for a model that is not known, or lacks the mode."""
    if model not in MODELS or model not in RATINGS:
        raise RobotError(
            f"no Dynamixel of the X series with known figures is called {model!r}; these are: {', '.join(RATINGS)}"
        )
    rating = RATINGS[model]
    stall_nm = rating.stall_nm * supply_v / rating.at_v
    if rating.current_unit_a is None:
        effort_nm = stall_nm * _LOAD_UNIT
        if mode == "current_position":
            raise RobotError(f"{model} measures no current: choose mode position or pwm, not {mode}")
    else:
        effort_nm = rating.current_unit_a * rating.stall_nm / rating.stall_a
    output_nm = effort_nm if mode == "current_position" else stall_nm / FULL_PWM
    no_load_rad_s = rating.no_load_rpm * supply_v / rating.at_v * 2.0 * math.pi / 60.0
    return Units(
        stall_nm=stall_nm,
        effort_nm=effort_nm,
        kp_nm_per_rad=COUNTS_A_RAD / _P_SCALE * output_nm,
        kd_nm_s_per_rad=COUNTS_A_RAD / _D_SCALE * _SAMPLE_S * output_nm,
        damping_nm_s_per_rad=stall_nm / no_load_rad_s,
    )


def error_words(bits: int) -> str:
    """Hardware Error Status in words; empty for health."""
    return ", ".join(ERROR_BITS.get(bit, f"hardware error bit {bit}") for bit in range(8) if bits >> bit & 1)
