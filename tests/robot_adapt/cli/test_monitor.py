"""`monitor` over a bus and an IMU without bytes, in fake time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import typer
from rich.console import Console

from hardware.events import Event, Severity
from hardware.types import ImuReading
from robot_adapt.cli.monitor import Watch, monitor
from tests.robot_adapt.cli.fake_wired import CONFIG, SPEC, FakeWired, wired

__all__ = ["wired"]


def shown(watch: Watch) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(watch.table())
    return capture.get()


def watched(wired: FakeWired, seconds: float = 1.0) -> Watch:
    watch = Watch(wired.make(CONFIG, None), 0.02)
    go_on(watch, wired, seconds)
    return watch


def go_on(watch: Watch, wired: FakeWired, seconds: float = 1.0) -> None:
    end_s = wired.clock.now() + seconds
    watch.run(lambda: wired.clock.now() > end_s)


def test_the_table_has_every_joint_the_body_and_the_rates_and_nothing_was_written(wired: FakeWired) -> None:
    wired.imu.reading = ImuReading(np.array([math.cos(0.05), math.sin(0.05), 0.0, 0.0]), np.zeros(3))
    table = shown(watched(wired))
    for joint in SPEC.joints:
        assert f"{joint.stance_rad:+.3f}" in next(line for line in table.splitlines() if line.startswith(joint.name))
    assert "8 x XM430-W350; fake IMU 1.0" in table
    assert "battery 12.0 V; roll +5.7, pitch +0.0 degrees" in table
    assert "50 Hz of 50, p99 0.0 ms late" in table
    assert set(wired.bus.told) == {"open"}


def test_a_joint_outside_its_limits_an_error_and_the_newest_events_are_shown(wired: FakeWired) -> None:
    wired.bus.readings.errors[SPEC.joint_names[1]] = "overload"
    for number in range(8):
        wired.log.add(Event(0.0, Severity.NOTE, "reply lost", f"joint {number}", 1.0, 3.0))
    table = shown(watched(wired))
    assert "overload" in next(line for line in table.splitlines() if line.startswith(SPEC.joint_names[1]))
    assert "events: reply lost 8" in table
    assert table.index("joint 7") < table.index("joint 3")
    assert "joint 2:" not in table


def test_a_lost_device_is_shown_and_found_again(wired: FakeWired) -> None:
    watch = watched(wired)
    wired.bus.unplugged = True
    go_on(watch, wired)
    assert watch.lost == "/dev/fake: unplugged"
    table = shown(watch)
    assert "LOST: /dev/fake: unplugged" in table
    assert SPEC.joint_names[0] in table  # as it was last seen
    wired.bus.unplugged = False
    go_on(watch, wired, 2.0)
    assert watch.lost == ""
    assert "LOST" not in shown(watch)


def test_a_lost_device_is_looked_for_once_a_second_only(wired: FakeWired) -> None:
    wired.bus.unplugged = True
    watched(wired, 3.5)
    assert wired.bus.told.count("open") in (3, 4)


def test_once_prints_one_table_and_closes_the_robot(wired: FakeWired, capsys: pytest.CaptureFixture[str]) -> None:
    monitor("minitaur_dynamixel", once=True)
    assert capsys.readouterr().out.count("battery 12.0 V") == 1
    assert wired.bus.told == ["open", "close"]


def test_once_ends_in_status_1_where_a_device_is_lost(wired: FakeWired) -> None:
    wired.imu.unplugged = True
    with pytest.raises(typer.Exit) as end:
        monitor("minitaur_dynamixel", once=True)
    assert end.value.exit_code == 1
