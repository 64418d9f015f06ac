"""VectorNav VN-100: set up in ASCII, read as a binary stream. Its NED frames become ours here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

BASE_RATE_HZ = 800
BAUDS = (9600, 19200, 38400, 57600, 115200, 128000, 230400, 460800, 921600)
PACKET_BYTES = 46


@dataclass(frozen=True)
class VectorNavConfig:
    """How a VN-100 is reached.

    Attributes:
        port: path of its serial port.
        baud: what the unit is set to (factory: 115200).
        rate_hz: of its readings; a divisor of 800 that the baud rate has room for.
        stale_s: without a reading for so long it is a fault.

    Raises:
        ValueError: in a line, naming the value.

    """

    port: str
    baud: int = 115200
    rate_hz: int = 200
    stale_s: float = 0.05

    def __post_init__(self) -> None:
        if self.baud not in BAUDS:
            raise ValueError(f"baud {self.baud}: a VN-100 has {', '.join(map(str, BAUDS))}")
        if self.rate_hz < 1 or BASE_RATE_HZ % self.rate_hz:
            raise ValueError(f"rate_hz {self.rate_hz}: a VN-100 has divisors of {BASE_RATE_HZ} Hz, as 200, 160, 100")
        if PACKET_BYTES * 10 * self.rate_hz > self.baud:
            most = self.baud // (PACKET_BYTES * 10)
            raise ValueError(f"rate_hz {self.rate_hz}: {self.baud} baud has room for {most} readings a second")
        if not self.stale_s > 2.0 / self.rate_hz:
            raise ValueError(f"stale_s {self.stale_s}: shorter than two readings at {self.rate_hz} Hz")
