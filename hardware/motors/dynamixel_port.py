"""DynamixelPort: what ROBOTIS' packet handler reads and writes through, in place of the SDK's PortHandler and its timing.

The SDK's own waits 34 ms for a lost reply (a constant LATENCY_TIMER), burning the processor; it uses the clock on the wall, and
lets two programs open the port. This one has the same methods and blocks in select until the reply is there or overdue.
"""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Iterable

import serial

from hardware.serial_port import open_exclusive, write_all

_BITS_A_BYTE = 10  # 8N1
_READ_BYTES = 1024
_LATE_READS = 16  # a process that was not run reads what came in time; a line full of noise does not read for ever


class DynamixelPort:
    """A serial port opened exclusively; the names in camel case are the SDK's.

    Args:
        reply_timeout_s: how much later than its bytes' own time a reply may be.

    Raises:
        RobotError: it cannot be opened; naming the port.
        serial.SerialException, OSError, termios.error: of every method, when the cable was pulled out.

    """

    def __init__(self, path: str, baud: int, reply_timeout_s: float) -> None:
        self.is_using = False
        self._serial: serial.Serial = open_exclusive(path, baud)
        self._reply_timeout_s = reply_timeout_s
        self._received = bytearray()
        self._deadline_s = 0.0
        self._late_reads = 0

    def set_baud(self, baud: int) -> None:
        self._serial.baudrate = baud

    def close(self) -> None:
        self._serial.close()

    def clearPort(self) -> None:  # noqa: N802
        self._received.clear()
        self._serial.reset_input_buffer()

    def writePort(self, packet: Iterable[int]) -> int:  # noqa: N802
        data = bytes(packet)
        write_all(self._serial, data)
        return len(data)

    def readPort(self, length: int) -> bytes:  # noqa: N802
        """Up to `length` bytes, as soon as there are any; none once the reply is overdue."""
        if len(self._received) < length:
            self._wait()
        taken = bytes(self._received[: max(length, 0)])
        del self._received[: max(length, 0)]
        return taken

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        bytes_s = packet_length * _BITS_A_BYTE / self._serial.baudrate
        self.setPacketTimeoutMillis(1e3 * (bytes_s + self._reply_timeout_s))

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        self._deadline_s = time.monotonic() + msec * 1e-3
        self._late_reads = _LATE_READS

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return time.monotonic() >= self._deadline_s

    def getBaudRate(self) -> int:  # noqa: N802
        return int(self._serial.baudrate)

    def _wait(self) -> None:
        wait_s = self._deadline_s - time.monotonic()
        if wait_s <= 0.0:
            self._late_reads -= 1
            if self._late_reads < 0:
                return
        descriptor = self._serial.fileno()
        if select.select([descriptor], [], [], max(wait_s, 0.0))[0]:
            data = os.read(descriptor, _READ_BYTES)
            if not data:
                raise serial.SerialException("the device is gone")
            self._received += data


UNPLUGGED = (serial.SerialException, OSError, termios.error)
