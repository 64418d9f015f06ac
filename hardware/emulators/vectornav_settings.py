"""The registers of an emulated VN-100 that can be written: what is allowed in them, and the errors for what is not."""

from __future__ import annotations

from dataclasses import dataclass, field

CHECKSUM, COMMAND, TOO_FEW, TOO_MANY, PARAMETER, REGISTER, READ_ONLY, BAUD = 3, 4, 5, 6, 7, 8, 9, 12
"""Codes of `$VNERR`."""

BASE_RATE_HZ = 800
_BITS_A_BYTE = 10
ASCII_BYTES = {0: 0, 1: 37, 2: 54, 14: 122}
ASCII_RATES_HZ = 1, 2, 4, 5, 10, 20, 25, 40, 50, 100, 200
_FIELD_BYTES = {0x0001: 8, 0x0008: 12, 0x0010: 16, 0x0020: 12, 0x0100: 12}


@dataclass(frozen=True)
class Output:
    """One binary output register: mode, rate divisor, fields of group 1."""

    mode: int = 0
    divisor: int = 1
    fields: int = 0

    def __str__(self) -> str:
        return f"{self.mode},{self.divisor},{1 if self.fields else 0:02X}" + (f",{self.fields:04X}" if self.fields else "")

    @property
    def is_on(self) -> bool:
        return self.fields > 0 and self.mode in (1, 3)

    @property
    def bytes_a_second(self) -> float:
        size = 6 + sum(size for bit, size in _FIELD_BYTES.items() if bit & self.fields)
        return size * BASE_RATE_HZ / self.divisor if self.is_on else 0.0


@dataclass(frozen=True)
class Settings:
    """What can be written, saved and restored."""

    ascii_type: int = 14
    ascii_rate_hz: int = 40
    outputs: dict[int, Output] = field(default_factory=lambda: {75: Output(), 76: Output(), 77: Output()})

    @property
    def rates_hz(self) -> dict[int, float]:
        """How often the outputs come, by register."""
        rates_hz = {register: BASE_RATE_HZ / output.divisor for register, output in self.outputs.items() if output.is_on}
        return {**rates_hz, 6: float(self.ascii_rate_hz)} if self.ascii_type else rates_hz

    def has_room(self, baud: int) -> bool:
        """Whether a line of this baud rate can carry them all."""
        return self.bytes_a_second * _BITS_A_BYTE <= baud

    @property
    def bytes_a_second(self) -> float:
        ascii_bytes = ASCII_BYTES[self.ascii_type] * self.ascii_rate_hz
        return ascii_bytes + sum(output.bytes_a_second for output in self.outputs.values())


class RefusedError(Exception):
    """args: the code of `$VNERR`."""


def binary_output(values: list[str]) -> Output:
    """A register as written: mode, divisor, groups, a field mask for each; only group 1 is there. Raises RefusedError."""
    if len(values) < 3:
        raise RefusedError(TOO_FEW)
    mode, divisor, group, *masks = number(values[0]), number(values[1]), *(number(v, 16) for v in values[2:])
    if len(masks) != group.bit_count():
        raise RefusedError(TOO_FEW if len(masks) < group.bit_count() else TOO_MANY)
    fields = masks[0] if masks else 0
    if mode > 3 or not 1 <= divisor <= 0xFFFF or group > 1 or fields & ~sum(_FIELD_BYTES):
        raise RefusedError(PARAMETER)
    return Output(mode, divisor, fields)


def one_of(allowed: tuple[int, ...], text: str) -> int:
    """A number that has to be one of these. Raises RefusedError."""
    if (value := number(text)) not in allowed:
        raise RefusedError(PARAMETER)
    return value


def number(text: str, base: int = 10) -> int:
    """At least zero. Raises RefusedError."""
    try:
        value = int(text, base)
    except ValueError:
        raise RefusedError(PARAMETER) from None
    if value < 0:
        raise RefusedError(PARAMETER)
    return value
