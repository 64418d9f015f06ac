"""How a bus of Dynamixels is wired and driven; plain values, no I/O and no SDK here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DynamixelMode = Literal["position", "current_position", "pwm"]


@dataclass(frozen=True)
class DynamixelMotor:
    """One joint's motor.

    Attributes:
        device_id: 1 to 252.
        model: as ROBOTIS writes it, "XM430-W350"; the keys of `dynamixel_units.RATINGS`.
        kp_nm_per_rad, kd_nm_s_per_rad: with which `arm` holds the pose; this kd also damps. The JointSpec's.
        torque_limit_nm: kept by the motor in mode `current_position`, by the host in `pwm`, by nobody in `position`; None is as
            much as the motor has.
        limits_rad: (lower, upper) in device angles, kept by the motor itself in mode `position`; None leaves the motor its own.

    """

    joint: str
    device_id: int
    model: str
    kp_nm_per_rad: float
    kd_nm_s_per_rad: float
    torque_limit_nm: float | None = None
    limits_rad: tuple[float, float] | None = None


@dataclass(frozen=True)
class DynamixelConfig:
    """A bus of Dynamixels.

    Attributes:
        supply_v: what feeds the motors: stall torque, and so what a gain register means, goes with it.
        mode: `position`: the motor's PD makes a duty cycle; it has the least delay and is damped by back-EMF as well.
            `current_position`: its PD makes a current, bounded by the torque limit. `pwm`: the PD is computed by the host, from
            the last reading, and may ask for velocities and torques.
        watchdog_s: a motor that hears no instruction for so long stops; steps of 0.02 s, up to 2.54 s.
        silent_s: a motor whose replies are lost for so long is a fault.
        reply_timeout_s: how much later than its bytes' own time a reply may be before it is lost.
        fast_sync_read: ask all motors for one packet between them, where the firmware of all can.
        health_period_s: how often each motor is asked for what is not in every reading: voltage, temperature, error, watchdog.

    """

    port: str
    motors: tuple[DynamixelMotor, ...]
    supply_v: float
    baud: int = 1_000_000
    mode: DynamixelMode = "position"
    watchdog_s: float = 0.1
    silent_s: float = 0.2
    reply_timeout_s: float = 0.003
    fast_sync_read: bool = True
    health_period_s: float = 1.0
