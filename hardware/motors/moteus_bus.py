"""MoteusBus: mjbots moteus servos behind an fdcanusb (or mjcanfd-usb-1x). The maker's library encodes and parses frames.

Source: the protocol and register references of the moteus repository (docs/protocol/can.md, docs/protocol/registers.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MoteusConfig:
    """The line that the servos are on.

    Attributes:
        port: the serial device of the CAN-FD adapter.
        baud: of a UART; a USB adapter does not look at it.
        checksums: lines end in a CRC (a servo's own UART speaks so, a USB adapter does not); None: found out when opened.
        watchdog_s: a servo that hears no command for so long damps its joint (register 0x027); 0.02 to 1.27, in steps of 0.01.
        silent_s: a servo that was not heard for so long is a fault.
        reply_timeout_s: how long a reply is waited for, after the last one heard.

    """

    port: str
    baud: int = 921600
    checksums: bool | None = None
    watchdog_s: float = 0.1
    silent_s: float = 0.5
    reply_timeout_s: float = 0.004


@dataclass(frozen=True)
class MoteusMotor:
    """One servo.

    Attributes:
        device_id: its `id.id`, 1 to 126.
        kp_nm_per_rev, kd_nm_s_per_rev: its `servo.pid_position.kp` and `.kd`. Commanded gains are sent as shares of them, so
            they are the highest that there are; a servo set up otherwise is refused.
        max_torque_nm: the most it may give at the joint, sent with each command (register 0x025).
        gear_ratio: revolutions that the servo counts in one of the joint; 1 where the servo itself knows of the gear
            (`motor_position.rotor_to_output_ratio`).

    """

    joint: str
    device_id: int
    kp_nm_per_rev: float
    kd_nm_s_per_rev: float
    max_torque_nm: float
    gear_ratio: float = 1.0
