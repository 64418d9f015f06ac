"""Dynamixel X series on one Protocol 2.0 bus, through ROBOTIS' own SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hardware.clock import Clock, MonotonicClock
from hardware.events import EventLog

DynamixelMode = Literal["position", "current_position", "pwm"]


@dataclass(frozen=True)
class DynamixelMotor:
    """One joint's motor.

    Attributes:
        device_id: 1 to 252.
        model: as ROBOTIS writes it, "XM430-W350"; the keys of `dynamixel_models.MODELS`.
        kp_nm_per_rad, kd_nm_s_per_rad: with which `arm` holds the pose; this kd also damps. The JointSpec's.
        torque_limit_nm: the current limit of the motor; None leaves the motor its own.
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
        watchdog_s: a motor that hears no instruction for so long stops; steps of 0.02 s, up to 2.54 s.
        silent_s: a motor whose replies are lost for so long is a fault.
        reply_timeout_s: how much later than its bytes' own time a reply may be before it is lost.
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


class DynamixelBus:
    """MotorBus. Built from its config; nothing is opened before `open`.

    Raises:
        RobotError: the config names an unknown model, an id twice, a mode that a model lacks.

    """

    def __init__(self, config: DynamixelConfig, log: EventLog, clock: Clock | None = None) -> None:
        self._config = config
        self._log = log
        self._clock = clock or MonotonicClock()

    @property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(motor.joint for motor in self._config.motors)
