from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable

from hardware.emulators.emulator import Emulator, Ticks
from hardware.emulators.line import Line
from hardware.serial_port import open_exclusive
from hardware.types import RobotError


class Echo:
    """Answers in capitals, and says a dot every 10 ms."""

    def __init__(self) -> None:
        self._ticks = Ticks(0.01, time.monotonic())

    def receive(self, data: bytes) -> Iterable[bytes]:
        return [data.upper()]

    def unasked(self, now_s: float) -> Iterable[bytes]:
        return [b"."] if self._ticks.passed(now_s) else []

    def next_s(self) -> float:
        return self._ticks.due_s


class Silent(Echo):
    """Only answers."""

    def unasked(self, now_s: float) -> Iterable[bytes]:
        return []

    def next_s(self) -> float:
        return math.inf


def test_it_answers_and_speaks_unasked() -> None:
    emulator = Emulator(Echo(), Line(115200))
    with open_exclusive(emulator.path, 115200) as host:
        host.timeout = 5.0
        host.write(b"abc")
        heard = host.read_until(b"C").decode()
        assert heard.replace(".", "") == "ABC"
        assert host.read(3) == b"..."
    emulator.close()


def test_closing_ends_its_thread_also_when_nothing_happens_and_twice() -> None:
    before = threading.active_count()
    emulator = Emulator(Silent(), Line(None))
    assert threading.active_count() == before + 1
    emulator.close()
    emulator.close()
    assert threading.active_count() == before


def test_it_outlives_a_host_that_comes_and_goes_and_a_pulled_cable() -> None:
    emulator = Emulator(Silent(), Line(None))
    for _ in range(3):
        with open_exclusive(emulator.path, 115200) as host:
            host.timeout = 5.0
            host.write(b"abc")
            assert host.read(3) == b"ABC"
        emulator.line.faults.unplugged = True
        time.sleep(0.1)
        emulator.line.faults.unplugged = False
        _wait_for(emulator.path)
    emulator.close()


def _wait_for(path: str) -> None:
    until_s = time.monotonic() + 5.0
    while True:
        try:
            open_exclusive(path, 115200).close()
        except RobotError:
            assert time.monotonic() < until_s, "the cable does not come back"
        else:
            return


def test_ticks_gone_by_are_skipped_and_the_next_ones_stay_on_the_grid() -> None:
    ticks = Ticks(0.01, 1.0)
    assert ticks.passed(0.999) == 0
    assert ticks.passed(1.0) == 1
    assert ticks.passed(1.005) == 0
    assert ticks.passed(1.045) == 4
    assert abs(ticks.due_s - 1.05) < 1e-9
