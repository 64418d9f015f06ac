"""How moteus servos and their line are configured; see moteus_bus."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from hardware.types import RobotError

_WATCHDOG_S = (0.02, 1.27)  # an int8 of 0.01 s


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
        reply_timeout_s: how much later than its bytes' own time a reply may be before it is lost, from the last one on.

    """

    port: str
    motors: tuple[MoteusMotor, ...]
    baud: int = 921_600
    checksums: bool | None = None
    watchdog_s: float = 0.1
    silent_s: float = 0.2
    reply_timeout_s: float = 0.004

    def __post_init__(self) -> None:
        """Raises RobotError naming the joint or the port, and the value that no servo can have."""
        counts = Counter(motor.device_id for motor in self.motors) + Counter(motor.joint for motor in self.motors)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise RobotError(f"{self.port}: {twice[0]} is given to two servos")
        for motor in self.motors:
            if not 1 <= motor.device_id <= 126:
                raise RobotError(f"{motor.joint}: servo ids are 1 to 126, not {motor.device_id}")
            positive = (motor.servo_kp_nm_per_rev, motor.servo_kd_nm_s_per_rev, motor.max_torque_nm, motor.gear_ratio)
            if not all(0.0 < value < math.inf for value in positive):
                raise RobotError(f"{motor.joint}: its servo's kp and kd, highest torque and gear ratio have to be over 0")
        if not _WATCHDOG_S[0] <= self.watchdog_s <= _WATCHDOG_S[1]:
            raise RobotError(f"{self.port}: watchdog_s has to be 0.02 to 1.27, not {self.watchdog_s:g}")
