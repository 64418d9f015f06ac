"""MoteusLine: one serial port to a bus of moteus servos. Many questions in one write, answers by device id.

The maker's own transport is asyncio, waits 0.2 s for a lost reply and knows one master only by time; here reading blocks in
`select`, for as long as was agreed, and every round of questions has another source address, which servos answer to: a reply
that comes late is known for what it is.
"""

from __future__ import annotations

import math
import os
import select
from collections import deque
from collections.abc import Mapping

import serial

from hardware.clock import Clock
from hardware.motors.fdcanusb import NOP, CanFrame, FdcanusbReader, send_line
from hardware.serial_port import open_exclusive, write_all
from hardware.types import RobotError, RobotFault

_ROUNDS = 120  # source addresses are 7 bits; 0 is everybody else's
_LATE_ROUNDS, _LATE_S = 8, 0.05
_REPLY_WANTED = 0x8000
_MOST_READS = 10_000  # for one round of questions, whatever comes
_GREETINGS, _GREETING_S = 10, 0.05
_BITS_A_BYTE, _REPLY_BYTES = 10, 96  # of the longest reply and its acknowledgement
_USB_BYTE_S = 1e-6  # two characters are a byte on a CAN-FD bus of 1 and 5 Mbit/s


class MoteusLine:
    """Opened exclusively. All but `close` raise RobotFault naming the port when it is gone.

    Attributes:
        late: what came in the last round of questions to one asked at most 50 ms ago, by device id.

    Args:
        checksums: None is found out by `open`.
        reply_timeout_s: how much later than its bytes' own time a reply may be, from the last one on.

    """

    def __init__(self, port: str, baud: int, checksums: bool | None, reply_timeout_s: float, clock: Clock) -> None:
        self.late: dict[int, bytes] = {}
        self._path = port
        self._baud = baud
        self._agreed = checksums
        self._byte_s = _BITS_A_BYTE / baud
        self._reply_timeout_s = reply_timeout_s
        self._sent_s = -math.inf
        self._clock = clock
        self._port: serial.Serial | None = None
        self._reader = FdcanusbReader()
        self._round = 0
        self._asked_s: deque[tuple[int, float]] = deque(maxlen=_LATE_ROUNDS)
        self._damaged_before = 0

    @property
    def is_open(self) -> bool:
        return self._port is not None

    def open(self) -> None:
        """Raises RobotError naming the port: as `open_exclusive`, or nothing there understands CAN-FD in text."""
        self._port = open_exclusive(self._path, self._baud)
        self._sent_s = -math.inf
        self._reader = FdcanusbReader()
        checksums = self._greet() if self._agreed is None else self._agreed
        self._reader.checksums = checksums
        self._byte_s = _BITS_A_BYTE / self._baud if checksums else _USB_BYTE_S
        self._damaged_before = self._reader.damaged

    def send(self, frames: Mapping[int, bytes]) -> None:
        """A frame to each device id; no reply is wanted."""
        self._write([CanFrame(device_id, data) for device_id, data in frames.items()])

    def ask(self, frames: Mapping[int, bytes]) -> dict[int, bytes]:
        """A frame to each device id, and the replies that came."""
        self._round = self._round % _ROUNDS + 1
        address = _REPLY_WANTED | self._round << 8
        self._write([CanFrame(address | device_id, data) for device_id, data in frames.items()])
        now_s = self._clock.now()
        earlier = {number for number, asked_s in self._asked_s if now_s - asked_s <= _LATE_S}
        self._asked_s.append((self._round, now_s))
        reply_s = self._reply_timeout_s + _REPLY_BYTES * self._byte_s
        replies: dict[int, bytes] = {}
        self.late = {}
        deadline_s = self._sent_s + reply_s
        for _ in range(_MOST_READS):
            arrived = self._read(deadline_s)
            for frame in arrived or ():
                device_id, number = frame.identifier >> 8, frame.identifier & 0xFF
                if number == self._round and device_id in frames and device_id not in replies:
                    replies[device_id] = frame.data
                    deadline_s = max(self._clock.now(), self._sent_s) + reply_s
                elif number in earlier:
                    self.late[device_id] = frame.data
            if arrived is None or len(replies) == len(frames):
                break
        return replies

    def newly_damaged(self) -> int:
        """Lines damaged on the way, either way, since this was asked last."""
        count = self._reader.damaged - self._damaged_before
        self._damaged_before = self._reader.damaged
        return count

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _greet(self) -> bool:
        """Whether the other side knows checksums: a frame that does nothing is acknowledged, or refused for its checksum."""
        for _ in range(_GREETINGS):
            self._reader.checksums = True
            self._write([CanFrame(0, bytes((NOP,)))])
            self._reader.checksums = False
            deadline_s = self._sent_s + max(self._reply_timeout_s, _GREETING_S)
            while self._read(deadline_s) is not None and not self._reader.answers:
                pass
            while self._reader.answers:
                text, has_checksum = self._reader.answers.popleft()
                if has_checksum or text == b"ERR unknown flag":
                    return has_checksum
        raise RobotError(f"{self._path}: no CAN-FD adapter answers: is it a fdcanusb, or a moteus' UART at {self._baud} baud?")

    def _write(self, frames: list[CanFrame]) -> None:
        lines = b"".join(send_line(frame, self._reader.checksums) for frame in frames)
        try:
            write_all(self._opened(), lines)
        except OSError as error:
            raise self._gone(error) from None
        self._sent_s = max(self._clock.now(), self._sent_s) + len(lines) * self._byte_s

    def _read(self, deadline_s: float) -> list[CanFrame] | None:
        """The frames that came next, perhaps none; None at the deadline."""
        descriptor = self._opened().fileno()
        try:
            ready, _, _ = select.select([descriptor], [], [], max(deadline_s - self._clock.now(), 0.0))
            if not ready:
                return None
            data = os.read(descriptor, 4096)
        except OSError as error:
            raise self._gone(error) from None
        if not data:
            raise self._gone("end of file")
        return self._reader.receive(data)

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise RobotError(f"{self._path} is not open: call open() first")
        return self._port

    def _gone(self, error: OSError | str) -> RobotFault:
        return RobotFault(f"{self._path}: the adapter is gone ({error}): look at its cable")
