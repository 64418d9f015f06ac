"""What is said to one moteus servo, and what it answers, encoded and parsed by the maker's library (the extra `moteus`).

Registers and their resolutions are chosen so that a command fills a CAN-FD frame of 32 bytes, and so does an answer.
Sources: moteus docs/protocol/registers.md (units, modes, faults), docs/protocol/can.md (subframes).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from hardware.motors.fdcanusb import NOP
from hardware.types import RobotError

STOPPED, FAULT, POSITION, TIMEOUT, ZERO_VELOCITY = 0, 1, 10, 11, 12
STARTING = (2, 3, 4)

FAULTS = {
    32: "encoder found no magnet in calibration",
    33: "motor driver fault, most often too low a voltage",
    34: "over voltage",
    35: "encoder fault",
    36: "motor not calibrated (moteus_tool --calibrate)",
    37: "PWM cycle overrun",
    38: "over temperature",
    39: "outside of servopos.position_min and position_max",
    40: "under voltage",
    41: "configuration changed while running",
    42: "no commutation encoder",
    43: "no output encoder",
    44: "gate driver cannot be enabled",
    45: "stop position together with limits",
    46: "timing violation",
    47: "back-EMF feedforward without acceleration limit",
    48: "invalid position limits",
    49: "position error over servo.fault_position_error",
    50: "velocity error over servo.fault_velocity_error",
}

# One LSB of an int16 in the registers below; the library truncates to it.
TORQUE_LSB_NM = 0.01
SCALE_LSB = 1.0 / 32767.0

_FIRMWARE, _SERIAL = 0x101, (0x120, 0x121, 0x122)
_TEXT_CHANNEL, _TEXT_POLL, _TEXT_REPLY = 1, 48, 0x41
_REPLY_TYPE_BYTES = (1, 2, 4, 4)


@dataclass(frozen=True, slots=True)
class ServoStatus:
    """One answer; at the servo's output as it counts it. `fault` is a reason only in mode FAULT."""

    mode: int
    position_rev: float
    velocity_rev_s: float
    torque_nm: float
    voltage_v: float
    temperature_c: float
    fault: int


class MoteusFrames:
    """The frames of one servo. Raises RobotError where the library is not installed."""

    def __init__(self, device_id: int) -> None:
        self.device_id = device_id
        self._library = moteus_library()
        i8, i16, i32 = (getattr(self._library.multiplex, name) for name in ("INT8", "INT16", "INT32"))
        query, position = self._library.QueryResolution(), self._library.PositionResolution()
        query.voltage = query.temperature = i16
        position.feedforward_torque = position.kp_scale = position.kd_scale = position.maximum_torque = i16
        position.watchdog_timeout = position.velocity_limit = position.accel_limit = position.ilimit_scale = i8
        self._controller = self._library.Controller(device_id, query_resolution=query, position_resolution=position)
        self.status_query = bytes(self._controller.make_query().data)
        self.identity_query = bytes(self._controller.make_custom_query(dict.fromkeys((_FIRMWARE, *_SERIAL), i32)).data)
        self.stop = bytes(self._controller.make_stop().data)
        self.text_poll = bytes(self._controller.make_diagnostic_read(_TEXT_POLL, channel=_TEXT_CHANNEL).data)
        self._status_layout = _reply_layout(self.status_query)
        self._identity_layout = _reply_layout(self.identity_query)

    def position(self, row: Sequence[float], watchdog_s: float) -> bytes:
        """PD about a position that moves with the velocity; NaN for where the servo is.

        `row`: position (rev), velocity (rev/s), torque (N m), shares of kp and kd, highest torque (N m).

        A JointCommand has no integral term and no ramps: both are switched off, whatever the servo is configured to.
        """
        position_rev, velocity_rev_s, torque_nm, kp_scale, kd_scale, max_torque_nm = row
        command = self._controller.make_position(
            position=position_rev, velocity=velocity_rev_s, feedforward_torque=torque_nm, kp_scale=kp_scale,
            kd_scale=kd_scale, maximum_torque=max_torque_nm, watchdog_timeout=watchdog_s, velocity_limit=-1.0,
            accel_limit=-1.0, ilimit_scale=0.0,
        )  # fmt: skip
        return bytes(command.data)

    def damp(self, kd_scale: float) -> bytes:
        return bytes(self._controller.make_zero_velocity(kd_scale=kd_scale).data)

    def text(self, line: str) -> bytes:
        """A line to the servo's console."""
        return bytes(self._controller.make_diagnostic_write(f"{line}\n".encode("ascii"), channel=_TEXT_CHANNEL).data)

    def parse_status(self, reply: bytes) -> ServoStatus | None:
        """None for what is no answer to `status_query`, or has no finite position, velocity or torque in it."""
        if not _fits(reply, self._status_layout):
            return None
        values = self._library.protocol.parse_reply(reply)
        status = ServoStatus(*(values[register] for register in (0, 1, 2, 3, 13, 14, 15)))
        finite = math.isfinite(status.position_rev) and math.isfinite(status.velocity_rev_s)
        return status if finite and math.isfinite(status.torque_nm) else None

    def parse_identity(self, reply: bytes) -> tuple[str, str] | None:
        """Firmware version and serial number; None for what is no answer to `identity_query`."""
        if not _fits(reply, self._identity_layout):
            return None
        values = self._library.protocol.parse_reply(reply)
        version = values[_FIRMWARE]
        firmware = f"{version >> 16 & 0xFF}.{version >> 8 & 0xFF}.{version & 0xFF}"
        return firmware, "-".join(f"{values[register] & 0xFFFFFFFF:08x}" for register in _SERIAL)

    def parse_text(self, reply: bytes) -> bytes | None:
        """What the console has said since; None for what is no answer to `text_poll`."""
        head = bytes((_TEXT_REPLY, _TEXT_CHANNEL))
        if not reply.startswith(head) or len(reply) < 3 or reply[2] > min(_TEXT_POLL, len(reply) - 3):
            return None
        return reply[3 : 3 + reply[2]]


def moteus_library() -> ModuleType:
    """Mjbots' own. Raises RobotError saying how to get it."""
    try:
        return importlib.import_module("moteus")
    except ImportError:
        raise RobotError("moteus servos need mjbots' library: pip install 'robot-adapt[moteus]'") from None


Layout = tuple[int, tuple[tuple[int, bytes], ...]]


def _reply_layout(query: bytes) -> Layout:
    """The size of the answer to a query of at most three registers a subframe, and where its subframes begin, with what.

    Looked at before the library parses: it takes whatever a damaged frame says, 2**35 registers for one.
    """
    heads, size, i = [], 0, 0
    while i < len(query):
        register_bytes = 2 if query[i + 1] & 0x80 else 1
        heads.append((size, bytes((query[i] ^ 0x30,)) + query[i + 1 : i + 1 + register_bytes]))  # read 0x1x, reply 0x2x
        size += 1 + register_bytes + (query[i] & 3) * _REPLY_TYPE_BYTES[query[i] >> 2 & 3]
        i += 1 + register_bytes
    return size, tuple(heads)


def _fits(reply: bytes, layout: Layout) -> bool:
    size, heads = layout
    right = all(reply.startswith(head, offset) for offset, head in heads)
    return right and len(reply) >= size and not reply[size:].strip(bytes((NOP,)))
