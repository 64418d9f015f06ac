"""Serial ports as robots need them: exclusive, low latency where the driver allows, errors that name the device."""

from __future__ import annotations

import contextlib
from pathlib import Path

import serial

from hardware.types import RobotError


def open_exclusive(path: str, baud: int) -> serial.Serial:
    """A port nobody else has open, without waiting reads (`timeout=0`).

    Raises RobotError naming the port: missing, no permission, in use, no such baud rate.
    """
    try:
        port = serial.Serial(path, baud, timeout=0, write_timeout=0.1, exclusive=True)
    except (serial.SerialException, ValueError, OSError) as error:
        raise RobotError(f"{path}: {_reason(path, error)}") from None
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        port.set_low_latency_mode(True)  # fails on a pseudo-terminal
    return port


def latency_timer_ms(path: str, root: Path = Path("/sys/bus/usb-serial/devices")) -> int | None:
    """How long an FTDI adapter holds bytes back (16 by default; 1 is wanted); None for a port without such a timer."""
    try:
        return int((root / Path(path).resolve().name / "latency_timer").read_text())
    except (OSError, ValueError):
        return None


def _reason(path: str, error: Exception) -> str:
    if not Path(path).exists():
        return "no such device: is it plugged in?"
    text = str(error)
    if "exclusively lock" in text or "Resource temporarily unavailable" in text:
        return "in use by another program"
    if "Permission denied" in text:
        return "no permission: add the user to the group that owns it (dialout)"
    return f"cannot be opened: {text}"
