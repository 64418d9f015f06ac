"""DynamixelLink: instructions and replies of one Protocol 2.0 bus, each made and read by ROBOTIS' packet handler.

What comes back is told by id: a silent motor loses no reply but its own (the SDK's group classes stop at the first).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn, Protocol

from dynamixel_sdk import COMM_SUCCESS, PacketHandler

from hardware.clock import Clock
from hardware.motors.dynamixel_models import Register
from hardware.motors.dynamixel_port import UNPLUGGED, DynamixelPort
from hardware.types import RobotFault

ALERT = 0x80
_ID, _LENGTH, _ERROR, _DATA = 4, 5, 8, 9  # in a status packet
_FAST_DATA = 8  # of a fast one: error, id, data and a running CRC (2) for each motor
_NOISE = 8  # damaged packets, more than there are motors, until a read is given up


class Port(Protocol):
    """What the SDK's packet handler and this link need of a port; DynamixelPort."""

    is_using: bool

    def set_baud(self, baud: int) -> None: ...
    def close(self) -> None: ...
    def clearPort(self) -> None: ...  # noqa: N802
    def isPacketTimeout(self) -> bool: ...  # noqa: N802


OpenPort = Callable[[str, int, float], Port]


class Reply(NamedTuple):
    """What a motor answered: its error byte (ALERT: look at Hardware Error Status) and the registers read."""

    error: int
    data: bytes


class DynamixelLink:
    """Raises RobotError where the port cannot be opened, RobotFault from then on when the cable was pulled out.

    Attributes:
        bad_packets: replies that were damaged, so far.
        longest_silence_s: between two instructions, since it was last set to 0: what the watchdogs of the motors saw.

    """

    def __init__(self, path: str, baud: int, reply_timeout_s: float, clock: Clock, open_port: OpenPort = DynamixelPort) -> None:
        self.path = path
        self.bad_packets = 0
        self.longest_silence_s = 0.0
        self._clock = clock
        self._port = open_port(path, baud, reply_timeout_s)
        self._packets = PacketHandler(2.0)
        self._sent_s = clock.now()

    @property
    def silence_s(self) -> float:
        """The longest one, that which goes on now included."""
        return max(self.longest_silence_s, self._clock.now() - self._sent_s)

    def set_baud(self, baud: int) -> None:
        try:
            self._port.set_baud(baud)
        except (*UNPLUGGED, ValueError) as error:
            self._gone(error)

    def close(self) -> None:
        self._port.close()

    def ping(self, device_id: int) -> bool:
        self._note_sending()
        try:
            _, result, _ = self._packets.ping(self._port, device_id)
        except UNPLUGGED as error:
            self._gone(error)
        return bool(result == COMM_SUCCESS)

    def read(self, device_id: int, address: int, length: int) -> Reply | None:
        """None where the reply was lost, damaged or said no."""
        return self.sync_read((device_id,), address, length, single=True).get(device_id)

    def sync_read(
        self, device_ids: Sequence[int], address: int, length: int, fast: bool = False, single: bool = False
    ) -> dict[int, Reply]:
        """The replies heard, by id. Fast: in one packet, all or none."""
        self._note_sending()
        try:
            if single:
                sent = self._packets.readTx(self._port, device_ids[0], address, length)
            else:
                sent = self._packets.syncReadTx(self._port, address, length, list(device_ids), len(device_ids), fast)
            if sent != COMM_SUCCESS:
                return {}
            return self._fast_replies(device_ids, length) if fast else self._replies(set(device_ids), length)
        except UNPLUGGED as error:
            self._gone(error)

    def sync_write(self, address: int, length: int, rows: bytes) -> None:
        """Nobody answers. Rows: an id and `length` bytes for each motor."""
        self._note_sending()
        try:
            self._packets.syncWriteTxOnly(self._port, address, length, list(rows), len(rows))
        except UNPLUGGED as error:
            self._gone(error)

    def confirm(self, address: int, length: int, rows: bytes, attempts: int) -> set[int]:
        """Sync writes until it is read back. Returns the ids that never showed what they were told."""
        step = 1 + length
        wanted = {rows[at]: rows[at + 1 : at + step] for at in range(0, len(rows), step)}
        for _ in range(attempts):
            self.sync_write(address, length, b"".join(bytes((device_id,)) + data for device_id, data in wanted.items()))
            for device_id, reply in self.sync_read(tuple(wanted), address, length).items():
                if reply.data == wanted[device_id]:
                    del wanted[device_id]
            if not wanted:
                break
        return set(wanted)

    def write(self, device_id: int, register: Register, value: int) -> int | None:
        """The error byte of the answer, without the alert bit; None where there was none."""
        self._note_sending()
        data = list((value & (1 << 8 * register.size) - 1).to_bytes(register.size, "little"))
        try:
            result, error = self._packets.writeTxRx(self._port, device_id, register.address, register.size, data)
        except UNPLUGGED as gone:
            self._gone(gone)
        return int(error) & ~ALERT if result == COMM_SUCCESS else None

    def _replies(self, wanted: set[int], length: int) -> dict[int, Reply]:
        replies: dict[int, Reply] = {}
        for _ in range(len(wanted) + _NOISE):
            packet, result = self._packets.rxPacket(self._port, False)
            if result != COMM_SUCCESS:
                self.bad_packets += bool(packet)
                if self._port.isPacketTimeout():
                    break
                continue
            end = _DATA + length
            if packet[_ID] in wanted and packet[_LENGTH] + 256 * packet[_LENGTH + 1] == length + 4 and len(packet) >= end:
                replies[packet[_ID]] = Reply(packet[_ERROR], bytes(packet[_DATA:end]))
                if len(replies) == len(wanted):
                    break
            elif packet[_ID] in wanted and packet[_ERROR] & ~ALERT:
                break  # it said no: nothing more will come of a single read
        return replies

    def _fast_replies(self, device_ids: Sequence[int], length: int) -> dict[int, Reply]:
        packet, result = self._packets.rxPacket(self._port, True)
        step = length + 4
        if result != COMM_SUCCESS or len(packet) != _FAST_DATA + step * len(device_ids):
            self.bad_packets += bool(packet)
            return {}
        data = bytes(packet)
        if tuple(data[_FAST_DATA + 1 :: step]) != tuple(device_ids):
            self.bad_packets += 1
            return {}
        return {data[at + 1]: Reply(data[at], data[at + 2 : at + 2 + length]) for at in range(_FAST_DATA, len(data), step)}

    def _note_sending(self) -> None:
        now_s = self._clock.now()
        self.longest_silence_s = max(self.longest_silence_s, now_s - self._sent_s)
        self._sent_s = now_s
        self._port.is_using = False  # a Ctrl-C in the middle of a packet leaves it set

    def _gone(self, error: BaseException) -> NoReturn:
        raise RobotFault(f"{self.path}: gone ({error}): was the cable pulled out?") from None
