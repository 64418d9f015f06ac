"""Serial ports as robots need them: exclusive, low latency where the driver allows, errors that name the device."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from pathlib import Path

import serial

from hardware.types import RobotError

_USB_SERIAL = Path("/sys/bus/usb-serial/devices")


_FULL_S = 0.1


def open_exclusive(path: str, baud: int) -> serial.Serial:
    """A port nobody else has open, without waiting reads (`timeout=0`).

    Raises RobotError naming the port: missing, no permission, in use, no such baud rate.
    """
    try:
        port = serial.Serial(path, baud, timeout=0, exclusive=True)
    except (serial.SerialException, ValueError, OSError) as error:
        raise RobotError(f"{path}: {_reason(path, error)}") from None
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        port.set_low_latency_mode(True)  # fails on a pseudo-terminal
    return port


def write_all(port: serial.Serial, data: bytes) -> None:
    """Hands everything to the driver. pyserial's own timeout calls what went through late not written, as on a busy machine.

    Raises OSError when the cable was pulled out, or when the driver takes no more bytes.
    """
    descriptor, left = port.fileno(), data
    while left:
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(descriptor, left) :]
        if left and not select.select([], [descriptor], [], _FULL_S)[1]:
            raise serial.SerialTimeoutException("it takes no more bytes")


def latency_timer_ms(path: str, root: Path = _USB_SERIAL) -> int | None:
    """How long an FTDI adapter holds bytes back (16 by default; 1 is wanted); None for a port without such a timer."""
    try:
        return int(_latency_timer(path, root).read_text())
    except (OSError, ValueError):
        return None


def slow_adapter(path: str, root: Path = _USB_SERIAL) -> str | None:
    """What to do about an adapter that holds bytes back for over a millisecond; None where there is nothing to do."""
    held_ms = latency_timer_ms(path, root)
    if held_ms is None or held_ms <= 1:
        return None
    return f"{path}: its adapter holds bytes back for up to {held_ms} ms: echo 1 | sudo tee {_latency_timer(path, root)}"


def _latency_timer(path: str, root: Path) -> Path:
    return root / Path(path).resolve().name / "latency_timer"


def _reason(path: str, error: Exception) -> str:
    if not Path(path).exists():
        return "no such device: is it plugged in?"
    text = str(error)
    if "exclusively lock" in text or "Resource temporarily unavailable" in text:
        return "in use by another program"
    if "Permission denied" in text:
        return "no permission: add the user to the group that owns it (dialout)"
    if not Path(path).is_char_device() or f"({errno.ENOTTY}," in text:
        return "is no serial port"
    return f"cannot be opened: {text}"
