"""MoteusChain: a CAN-FD adapter and the moteus servos behind it, as bytes in and lines out, with a Plant for motors.

Speaks as a servo's own UART does, which takes lines with and without checksums until it has seen one, or as a USB adapter,
which refuses checksums. Sources: fw/uart_fdcanusb_micro_server.h of the moteus repository, fw/can_manager.cc of the fdcanusb's.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator

import numpy as np

from hardware.clock import Clock, MonotonicClock
from hardware.emulators.faults import MotorFaults
from hardware.emulators.moteus_servo import Drive, Measured, MoteusServo
from hardware.emulators.plant import Plant
from hardware.motors.fdcanusb import LineSplitter, with_checksum, without_checksum
from hardware.motors.moteus_config import MoteusMotor
from hardware.spec import JointSpec
from hardware.types import JointCommand, RobotError, RobotState

_AMBIENT_C = 30.0
_SEND = re.compile(rb"can (?:send|std|ext) ([0-9A-Fa-f]{1,8}) ((?:[0-9A-Fa-f]{2}){1,64})((?: *[BbFfRr])*)")


class MoteusChain:
    """A Device (see emulator.py).

    Args:
        motors: one for each joint of the plant's spec, in any order.
        usb: a USB adapter, without checksums; otherwise a servo's UART, behind which there are more of them here.

    Raises:
        ValueError: a joint has no motor, or two.

    """

    def __init__(
        self, plant: Plant, motors: tuple[MoteusMotor, ...], faults: MotorFaults | None = None, usb: bool = False,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        by_joint = {motor.joint: motor for motor in motors}
        if sorted(motor.joint for motor in motors) != sorted(plant.spec.joint_names):
            raise ValueError(f"{plant.spec.name} has joints {', '.join(plant.spec.joint_names)}, not one motor for each")
        self.faults = faults or MotorFaults()
        self._plant = plant
        self._usb = usb
        self._clock = clock or MonotonicClock()
        self._joints = tuple((joint, by_joint[joint.name], _servo(by_joint[joint.name])) for joint in plant.spec.joints)
        self._by_id = {motor.device_id: servo for _, motor, servo in self._joints}
        self._lines = LineSplitter()
        self._checksums = False
        self._state = plant.state()
        self._drives = [servo.drive(0.0) for _, _, servo in self._joints]
        self._capped = False

    @property
    def servos(self) -> dict[int, MoteusServo]:
        """By id, to be looked at."""
        return self._by_id

    def receive(self, data: bytes) -> Iterator[bytes]:
        """What the host sent; acknowledgements and replies, one line each."""
        lines = self._lines.receive(data)
        self._advance(self._clock.now())
        for line in lines:
            yield from self._answers(line)
        self._drive(self._clock.now())

    def unasked(self, now_s: float) -> Iterator[bytes]:
        """Nothing is said without being asked; watchdogs trip."""
        self._advance(now_s)
        self._drive(now_s)
        return iter(())

    def next_s(self) -> float:
        return min((servo.changes_s() for servo in self._by_id.values()), default=math.inf)

    def _answers(self, line: bytes) -> Iterator[bytes]:
        text, right = (line, None) if self._usb else without_checksum(line)
        if right is False or (right is None and self._checksums):
            yield self._ended(b"ERR checksum")
            return
        self._checksums = self._checksums or bool(right)
        if (match := _SEND.fullmatch(text.rstrip(b" "))) is None:
            flags = text.startswith(b"can send ") and text.count(b" ") > 3
            yield self._ended(b"ERR unknown flag" if flags else b"ERR unknown command")
            return
        yield self._ended(b"OK")
        identifier, frame = int(match[1], 16), bytes.fromhex(match[2].decode("ascii"))
        device_id, source = identifier & 0xFF, identifier >> 8 & 0x7F
        servo = self._by_id.get(device_id)
        if servo is None or device_id in self.faults.dead or identifier >> 16:
            return
        reply = servo.receive(frame, self._clock.now())
        if identifier & 0x8000:
            heard = b"rcv %08x %s" % (device_id << 8 | source, reply.hex().encode())
            yield self._ended(heard + (b" E B F r x-1" if self._usb else b""))

    def _ended(self, line: bytes) -> bytes:
        return (with_checksum(line) if self._checksums else line) + b"\r\n"

    def _advance(self, now_s: float) -> None:
        with contextlib.suppress(RobotError):  # physics that stopped is physics that stands still
            self._state = self._plant.state()
        for k, (joint, motor, servo) in enumerate(self._joints):
            if motor.device_id in self.faults.dead:
                servo.lose_power()
            else:
                measured = _measured(self._state, k, joint, motor, self.faults)
                servo.advance(now_s, measured, self.faults.error_bits.get(motor.device_id, 0))

    def _drive(self, now_s: float) -> None:
        """What the servos want of the motors, if it is not what they wanted before."""
        drives = [servo.drive(now_s) for _, _, servo in self._joints]
        if drives == self._drives and not self._capped:
            return
        self._drives, self._capped = drives, False
        rows = [self._row(k, drive) for k, drive in enumerate(drives)]
        with contextlib.suppress(RobotError):
            self._plant.command(JointCommand(*(np.array(column) for column in zip(*rows, strict=True))))

    def _row(self, k: int, drive: Drive) -> tuple[float, float, float, float, float]:
        """Of a JointCommand. It has no highest torque: what is over it now is taken off by a torque the other way."""
        joint, motor, _ = self._joints[k]
        rad_per_rev, gain = math.tau / motor.gear_ratio, motor.gear_ratio**2 / math.tau
        q, dq = float(self._state.positions_rad[k]), float(self._state.velocities_rad_s[k])
        kp, kd = drive.kp_share * motor.servo_kp_nm_per_rev * gain, drive.kd_share * motor.servo_kd_nm_s_per_rev * gain
        goal = joint.sign * (_within(drive.position_rev * rad_per_rev, 1e3) - joint.offset_rad) if kp else q
        velocity = joint.sign * _within(drive.velocity_rev_s * rad_per_rev, 1e3)
        torque = joint.sign * _within(drive.torque_nm * motor.gear_ratio, 1e3)
        kp, kd = min(kp, 1e4), min(kd, 1e4)
        wanted = kp * (goal - q) + kd * (velocity - dq) + torque
        if math.isfinite(drive.max_torque_nm):
            over = wanted - _within(wanted, abs(drive.max_torque_nm) * motor.gear_ratio)
            torque -= over
            self._capped |= over != 0.0  # to be looked at again as the joint moves
        return goal, velocity, torque, kp, kd


def _servo(motor: MoteusMotor) -> MoteusServo:
    return MoteusServo(motor.device_id, {
        "servo.pid_position.kp": motor.servo_kp_nm_per_rev,
        "servo.pid_position.ki": 0.0,
        "servo.pid_position.kd": motor.servo_kd_nm_s_per_rev,
        "servo.timeout_mode": 12.0,
        "servo.default_timeout_s": 0.1,
    })  # fmt: skip


def _measured(state: RobotState, k: int, joint: JointSpec, motor: MoteusMotor, faults: MotorFaults) -> Measured:
    rev_per_rad = motor.gear_ratio / math.tau
    temperature_c = _AMBIENT_C if state.temperatures_c is None else float(state.temperatures_c[k])
    return Measured(
        position_rev=(joint.sign * float(state.positions_rad[k]) + joint.offset_rad) * rev_per_rad,
        velocity_rev_s=joint.sign * float(state.velocities_rad_s[k]) * rev_per_rad,
        torque_nm=joint.sign * float(state.torques_nm[k]) / motor.gear_ratio,
        voltage_v=state.battery_v - faults.sag_v,
        temperature_c=temperature_c + faults.overheat_c.get(motor.device_id, 0.0),
    )


def _within(value: float, limit: float) -> float:
    return max(min(value, limit), -limit)
