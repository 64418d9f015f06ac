"""The emulated chain on a pseudo-terminal: under ROBOTIS' unmodified SDK, under our port, under the whole driver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dynamixel_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

from hardware.clock import FakeClock, MonotonicClock
from hardware.emulators.dynamixel import ChainMotor, DynamixelChain
from hardware.emulators.emulator import Emulator
from hardware.emulators.faults import LineFaults
from hardware.emulators.line import Line
from hardware.emulators.plant import Plant
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.motors.dynamixel import DynamixelBus
from hardware.motors.dynamixel_link import DynamixelLink
from hardware.types import RobotError, RobotFault
from tests.hardware.motors.dynamixel_bench import IDS, SPEC, SUPPLY_V, as_device, config, pose

HOME = as_device(SPEC.stance_rad)
COUNT_RAD = 2.0 * np.pi / 4096
PATIENT_S = 0.5  # a busy machine is no broken cable


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    clock = MonotonicClock()
    motors = [ChainMotor(joint.name, i, "XM430-W350") for joint, i in zip(SPEC.joints, IDS, strict=True)]
    chain = DynamixelChain(motors, Plant(SPEC, MockRobot(SPEC, clock), clock), SUPPLY_V)
    made = Emulator(chain, Line(None, LineFaults(), path=tmp_path / "bus"))
    yield made
    made.close()


class Patient(PortHandler):  # type: ignore[misc]
    """The SDK's own, but for how long it waits."""

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        self.setPacketTimeoutMillis(1e3 * PATIENT_S)


@pytest.fixture
def port(emulator: Emulator) -> Iterator[PortHandler]:
    made = Patient(emulator.path)
    assert made.setBaudRate(1_000_000)
    yield made
    made.closePort()


def driver(emulator: Emulator, **changes: object) -> tuple[DynamixelBus, EventLog]:
    log = EventLog()
    values = {"reply_timeout_s": PATIENT_S, "watchdog_s": 2.5, "silent_s": 5.0, **changes}
    return DynamixelBus(config(port=emulator.path, **values), log), log


def read_on(bus: DynamixelBus) -> None:
    for _ in range(500):
        bus.read()


class Chatter:
    """A Device that says nothing of sense, all the time."""

    def receive(self, data: bytes) -> tuple[bytes, ...]:
        return ()

    def unasked(self, now_s: float) -> tuple[bytes, ...]:
        return (b"\xff\xff\xfd\x00\x0b" * 100,)

    def next_s(self) -> float:
        return 0.0


def test_the_unmodified_sdk_pings_reads_and_writes(port: PortHandler) -> None:
    sdk = PacketHandler(2.0)
    assert sdk.ping(port, IDS[0]) == (1020, COMM_SUCCESS, 0)
    found, result = sdk.broadcastPing(port)
    assert result == COMM_SUCCESS
    assert found == {i: [1020, 48] for i in IDS}
    assert sdk.write1ByteTxRx(port, IDS[0], 64, 1) == (COMM_SUCCESS, 0)
    assert sdk.read1ByteTxRx(port, IDS[0], 64) == (1, COMM_SUCCESS, 0)
    assert sdk.write1ByteTxRx(port, IDS[0], 9, 0) == (COMM_SUCCESS, 7)  # EEPROM, with torque on
    assert sdk.regWriteTxRx(port, IDS[0], 64, 1, [0]) == (COMM_SUCCESS, 0)
    assert sdk.action(port, 0xFE) == COMM_SUCCESS
    assert sdk.read1ByteTxRx(port, IDS[0], 64) == (0, COMM_SUCCESS, 0)
    assert sdk.factoryReset(port, IDS[0], 0xFF) == (COMM_SUCCESS, 1)
    assert sdk.reboot(port, IDS[0]) == (COMM_SUCCESS, 0)


@pytest.mark.parametrize("fast", [False, True])
def test_the_unmodified_sdk_reads_and_writes_all_motors_at_once(port: PortHandler, fast: bool) -> None:
    sdk = PacketHandler(2.0)
    gains = GroupSyncWrite(port, sdk, 84, 2)
    for device_id in IDS:
        gains.addParam(device_id, [device_id, 1])
    assert gains.txPacket() == COMM_SUCCESS
    group = GroupSyncRead(port, sdk, 84, 52)
    for device_id in IDS:
        group.addParam(device_id)
    assert (group.fastSyncRead() if fast else group.txRxPacket()) == COMM_SUCCESS
    assert [group.getData(i, 84, 2) for i in IDS] == [256 + i for i in IDS]
    counts = np.array([group.getData(i, 132, 4) for i in IDS])
    np.testing.assert_allclose((counts - 2048) * COUNT_RAD, HOME, atol=COUNT_RAD)


def test_the_driver_moves_motors_over_real_bytes(emulator: Emulator) -> None:
    bus, log = driver(emulator)
    assert [identity.device_id for identity in bus.open()] == list(IDS)
    bus.arm()
    until_s = time.monotonic() + 10.0
    while np.abs(bus.read().positions_rad - HOME - 0.2).max() > 0.01 and time.monotonic() < until_s:
        bus.write(pose(HOME + 0.2))
    np.testing.assert_allclose(bus.read().positions_rad, HOME + 0.2, atol=0.01)
    assert not log.counts
    bus.damp()
    bus.release()
    bus.close()


def test_no_fault_of_the_line_ends_the_reading(emulator: Emulator) -> None:
    bus, log = driver(emulator, reply_timeout_s=0.01, silent_s=60.0)
    bus.open()
    bus.arm()
    faults = emulator.line.faults
    faults.drop, faults.corrupt_byte, faults.merge, faults.late, faults.late_s = 0.1, 0.005, 0.1, 0.1, 0.02
    for _ in range(60):
        readings = bus.read()
        bus.write(pose(HOME))
        np.testing.assert_allclose(readings.positions_rad, HOME, atol=0.01)
    assert log.counts["reply lost"] > 0
    faults.drop = faults.corrupt_byte = faults.merge = faults.late = 0.0
    assert any(bus.read().heard.all() for _ in range(50))
    bus.close()


def test_a_cable_pulled_out_is_a_fault_that_names_the_port(emulator: Emulator) -> None:
    bus, _ = driver(emulator, reply_timeout_s=0.01, silent_s=60.0)
    bus.open()
    bus.arm()
    emulator.line.faults.unplugged = True
    with pytest.raises(RobotFault, match="cable"):
        read_on(bus)
    with pytest.raises(RobotFault, match="cable"):
        bus.write(pose(HOME))
    bus.damp()
    bus.release()
    bus.close()


def test_a_port_is_opened_once(emulator: Emulator) -> None:
    bus, _ = driver(emulator)
    bus.open()
    other, _ = driver(emulator)
    with pytest.raises(RobotError, match="in use"):
        other.open()
    bus.close()
    other.open()
    other.close()


def test_a_missing_port_is_named(tmp_path: Path) -> None:
    with pytest.raises(RobotError, match="nobody"):
        DynamixelBus(config(port=str(tmp_path / "nobody")), EventLog()).open()


def test_one_lost_reply_costs_at_most_five_milliseconds(emulator: Emulator) -> None:
    link = DynamixelLink(emulator.path, 1_000_000, 0.003, FakeClock())
    emulator.line.faults.drop = 1.0
    costs_s = []
    for _ in range(20):
        began_s = time.monotonic()
        assert link.sync_read(IDS, 126, 10, fast=True) == {}
        costs_s.append(time.monotonic() - began_s)
    link.close()
    assert min(costs_s) < 0.005  # the least: others have work on this machine, too
    assert min(costs_s) > 0.003


def test_a_line_full_of_noise_is_given_up(tmp_path: Path) -> None:
    emulator = Emulator(Chatter(), Line(None, path=tmp_path / "noise"))
    link = DynamixelLink(emulator.path, 1_000_000, 0.003, FakeClock())
    began_s = time.monotonic()
    assert link.sync_read(IDS, 126, 10) == {}
    assert link.read(IDS[0], 64, 1) is None
    assert time.monotonic() - began_s < 5.0
    assert link.bad_packets > 0
    link.close()
    emulator.close()
