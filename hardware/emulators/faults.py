"""Faults: what goes wrong between a device and its host, by rate or on command. Shared between threads; each field one word."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class LineFaults:
    """What happens to packets on the way to the host. Rates are probabilities a packet, `corrupt_byte` a byte.

    Attributes:
        drop: the packet is lost.
        corrupt_byte: one bit of a byte is turned; in both directions.
        merge: the packet is held back and comes together with the next one.
        late: the packet comes `late_s` later.
        unplugged: nothing comes or goes; the host sees a cable that was pulled.

    """

    drop: float = 0.0
    corrupt_byte: float = 0.0
    merge: float = 0.0
    late: float = 0.0
    late_s: float = 0.02
    unplugged: bool = False


@dataclass
class MotorFaults:
    """Device ids and what ails them; `sag_v` lowers the voltage that all report, `overheat_c` raises one's temperature.

    A dead motor has no power: silent and limp, and as after power-up when it comes back.
    """

    dead: set[int] = field(default_factory=set)
    error_bits: dict[int, int] = field(default_factory=dict)
    overheat_c: dict[int, float] = field(default_factory=dict)
    sag_v: float = 0.0


@dataclass
class ImuFaults:
    """frozen: the same reading for ever, in good packets; nan: values that are no number (where the format has them)."""

    frozen: bool = False
    nan: bool = False
