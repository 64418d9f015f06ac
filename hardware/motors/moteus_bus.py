"""MoteusBus: mjbots moteus servos behind an fdcanusb (or mjcanfd-usb-1x). The maker's library encodes and parses frames.

Source: the protocol and register references of the moteus repository (docs/protocol/can.md, docs/protocol/registers.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.clock import Clock, MonotonicClock
from hardware.events import EventLog


@dataclass(frozen=True)
class MoteusMotor:
    """One joint's servo.

    Attributes:
        device_id: its `id.id`, 1 to 126.
        kp_nm_per_rad, kd_nm_s_per_rad: with which `arm` holds the pose; this kd also damps. The JointSpec's.
        servo_kp_nm_per_rev, servo_kd_nm_s_per_rev: its `servo.pid_position.kp` and `.kd`. Gains are sent as shares of them:
            there are no higher ones. A servo that is set up otherwise is refused.
        max_torque_nm: the most that it may give at the joint, sent with each command.
        gear_ratio: revolutions that the servo counts in one of the joint; 1 where the servo itself knows of the gear
            (`motor_position.rotor_to_output_ratio`).

    """

    joint: str
    device_id: int
    kp_nm_per_rad: float
    kd_nm_s_per_rad: float
    servo_kp_nm_per_rev: float
    servo_kd_nm_s_per_rev: float
    max_torque_nm: float
    gear_ratio: float = 1.0


@dataclass(frozen=True)
class MoteusConfig:
    """Servos on one CAN-FD bus, reached through one serial port.

    Attributes:
        baud: of a servo's own UART; a USB adapter does not look at it.
        checksums: lines end in a CRC (a servo's own UART speaks so, a USB adapter does not); None: found out when opened.
        watchdog_s: a servo that hears no command for so long damps its joint; 0.02 to 1.27, in steps of 0.01.
        silent_s: a servo whose replies are lost for so long is a fault.
        reply_timeout_s: how long a reply is waited for after the last one, before it is lost.

    """

    port: str
    motors: tuple[MoteusMotor, ...]
    baud: int = 921_600
    checksums: bool | None = None
    watchdog_s: float = 0.1
    silent_s: float = 0.2
    reply_timeout_s: float = 0.004


class MoteusBus:
    """MotorBus. Built from its config; nothing is opened before `open`.

    Raises:
        RobotError: the config names an id twice, or a value that a servo cannot have.

    """

    def __init__(self, config: MoteusConfig, log: EventLog, clock: Clock | None = None) -> None:
        self._config = config
        self._log = log
        self._clock = clock or MonotonicClock()

    @property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(motor.joint for motor in self._config.motors)
