"""What is asked of a moteus servo before it may be driven, without changing anything in it: who it is and how it is set up."""

from __future__ import annotations

import math

from hardware.motors.moteus_config import MoteusMotor
from hardware.motors.moteus_frames import MoteusFrames
from hardware.motors.moteus_line import MoteusLine
from hardware.types import RobotError

_TRIES = 20
_POLLS = 5
_DAMPING_TIMEOUT_MODES = (12.0, 15.0)  # zero velocity, brake; 0 would drop a leg, 10 would hold it stiff


def identity(line: MoteusLine, name: str, frames: MoteusFrames) -> tuple[str, str]:
    """Firmware and serial number. Raises RobotError, with this name, when nobody answers."""
    for _ in range(_TRIES):
        for reply in line.ask({frames.device_id: frames.identity_query}).values():
            if (found := frames.parse_identity(reply)) is not None:
                return found
    raise RobotError(f"{name} does not answer: look at its power, its cable and its id.id")


def check_setup(line: MoteusLine, name: str, frames: MoteusFrames, motor: MoteusMotor) -> None:
    """Raises RobotError, with this name, when the servo's gains or what its watchdog does are not as they have to be."""
    for key, wanted in (
        ("servo.pid_position.kp", motor.servo_kp_nm_per_rev),
        ("servo.pid_position.kd", motor.servo_kd_nm_s_per_rev),
    ):
        value = _configured(line, name, frames, key)
        if not math.isclose(value, wanted, rel_tol=1e-3, abs_tol=1e-6):
            raise RobotError(f"{name} has {key} {value:g}, the config says {wanted:g}: gains are sent as shares of it")
    mode = _configured(line, name, frames, "servo.timeout_mode")
    if mode not in _DAMPING_TIMEOUT_MODES:
        raise RobotError(f"{name} has servo.timeout_mode {mode:g}, which does not damp when its watchdog trips: set 12")


def _configured(line: MoteusLine, name: str, frames: MoteusFrames, key: str) -> float:
    for _ in range(_TRIES):
        _heard_text(line, frames)  # of somebody before us
        line.send({frames.device_id: frames.text(f"conf get {key}")})
        try:
            return float(_heard_text(line, frames))
        except ValueError:
            continue
    raise RobotError(f"{name} does not tell its {key}: look at its cable, or is its firmware too old?")


def _heard_text(line: MoteusLine, frames: MoteusFrames) -> bytes:
    """What its console says, up to the first silence."""
    text = b""
    for _ in range(_POLLS):
        said = frames.parse_text(line.ask({frames.device_id: frames.text_poll}).get(frames.device_id, b""))
        if not said:
            break
        text += said
    return text
