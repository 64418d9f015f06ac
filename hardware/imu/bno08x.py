"""BNO08x in UART-RVC mode: it sends yaw, pitch and roll 100 times a second and hears nothing; rates are differences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bno08xConfig:
    """How a BNO08x is reached.

    Attributes:
        port: path of its serial port.
        baud: 115200 in this mode.
        stale_s: without a reading for so long it is a fault.

    Raises:
        ValueError: in a line, naming the value.

    """

    port: str
    baud: int = 115200
    stale_s: float = 0.1

    def __post_init__(self) -> None:
        if self.baud != 115200:
            raise ValueError(f"baud {self.baud}: UART-RVC is 115200 always")
        if not self.stale_s > 0.02:
            raise ValueError(f"stale_s {self.stale_s}: shorter than two readings at 100 Hz")
