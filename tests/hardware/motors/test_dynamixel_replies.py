"""Replies lost, damaged, merged and late on a Dynamixel bus."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.emulators.dynamixel_frames import crc16
from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel import DynamixelMode
from hardware.types import RobotFault
from tests.hardware.motors.dynamixel_bench import (
    COUNT_RAD,
    HOME,
    IDS,
    MODES,
    SUPPLY_V,
    armed,
    bench,
    drop,
    instructions,
    pose,
)


def test_a_lost_reply_is_an_event_and_costs_nobody_else() -> None:
    made = armed(fast_sync_read=False)
    for _ in range(3):
        made.tick()
    made.port.tamper = drop(IDS[1])
    readings = made.bus.read()
    assert readings.heard.tolist() == [True, False, True, True]
    np.testing.assert_allclose(readings.positions_rad, HOME, atol=COUNT_RAD)
    assert made.log.counts == {"reply lost": 1}
    assert (made.log.newest[-1].where, made.log.newest[-1].value) == ("joint_1", 1.0)
    made.port.tamper = list
    assert made.bus.read().heard.all()


def test_a_fast_read_that_failed_is_followed_by_a_plain_one() -> None:
    made = armed()
    made.tick()
    made.port.tamper = lambda packets: [packet[:-3] for packet in packets if packet[7] == 0x55 and packet[4] == 0xFE]
    assert not made.bus.read().heard.any()
    assert made.log.counts == {"bad packet": 1}
    made.port.tamper = drop(IDS[3])
    made.port.sent.clear()
    assert made.bus.read().heard.tolist() == [True, True, True, False]
    assert instructions(made) == [0x82]
    made.port.tamper = list
    made.bus.read()
    made.port.sent.clear()
    made.bus.read()
    assert instructions(made)[0] == 0x8A


@pytest.mark.parametrize("fast", [False, True])
def test_a_damaged_reply_is_an_event_and_the_row_is_repeated(fast: bool) -> None:
    made = armed(fast_sync_read=fast)
    made.tick()

    def damage(packets: list[bytes]) -> list[bytes]:
        return [packets[0][:10] + bytes((packets[0][10] ^ 4,)) + packets[0][11:], *packets[1:]]

    made.port.tamper = damage
    readings = made.bus.read()
    assert readings.heard.tolist() == ([False] * 4 if fast else [False, True, True, True])
    np.testing.assert_allclose(readings.positions_rad, HOME, atol=COUNT_RAD)
    assert made.log.counts["bad packet"] == 1


def test_replies_that_come_merged_behind_noise_are_all_heard() -> None:
    made = armed(fast_sync_read=False)
    made.tick()
    made.port.tamper = lambda packets: [b"\xff\xff\xfd" + b"".join(packets)]
    assert made.bus.read().heard.all()


def test_a_late_reply_is_not_taken_for_that_of_another_question() -> None:
    made = armed(fast_sync_read=False, health_period_s=0.004)  # one is asked for its health in every tick
    before: list[bytes] = []

    def behind_the_last(packets: list[bytes]) -> list[bytes]:
        if not packets:
            return []  # nobody answers a sync write
        late, before[:] = list(before), packets
        return late + packets

    made.port.tamper = behind_the_last
    for _ in range(12):
        made.wall.advance(0.01)
        readings = made.bus.read()
        np.testing.assert_allclose(readings.positions_rad, HOME, atol=COUNT_RAD)
        np.testing.assert_allclose(readings.voltages_v, SUPPLY_V)
        assert readings.errors == {}
        made.bus.write(pose(HOME))
    assert not made.log.counts


def test_a_motor_that_stays_silent_is_a_fault_naming_it() -> None:
    made = armed(silent_s=0.1)
    made.tick()
    made.faults.dead.add(IDS[2])
    for _ in range(5):
        made.tick()
    with pytest.raises(RobotFault, match=r"joint_2: Dynamixel 3 on hand has been silent for 0\.1\d s: is it powered"):
        made.ticks(20)
    made.faults.dead.clear()
    assert made.bus.read().heard.all()


def test_one_reply_lost_after_a_long_pause_is_no_fault() -> None:
    made = armed(silent_s=0.1, fast_sync_read=False)
    made.tick()
    made.wall.advance(30.0)
    made.port.tamper = drop(IDS[0])
    assert not made.bus.read().heard.all()


def test_a_bus_that_falls_silent_is_told_as_a_whole() -> None:
    made = armed()
    made.faults.dead.update(IDS)
    with pytest.raises(RobotFault, match="all others"):
        made.ticks(50)


@pytest.mark.parametrize("mode", MODES)
def test_a_hundredth_of_the_bytes_damaged_both_ways_ends_nothing(mode: DynamixelMode) -> None:
    made = armed(mode=mode)
    rng = np.random.default_rng(0)

    def damaged(data: bytes) -> bytes:
        hit = rng.random(len(data)) < 0.01
        return bytes(byte ^ (1 << int(rng.integers(8))) if is_hit else byte for byte, is_hit in zip(data, hit, strict=True))

    receive = made.chain.receive
    made.chain.receive = lambda data: receive(damaged(data))  # type: ignore[method-assign]
    made.port.tamper = lambda packets: [damaged(packet) for packet in packets]
    for _ in range(200):
        made.tick(HOME)
    assert made.log.counts["bad packet"] > 20
    assert made.bus.read().errors == {}
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME, atol=0.01)
    made.bus.damp()
    made.bus.release()
    assert not any(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)


def test_arming_gets_through_on_a_bad_line() -> None:
    made = bench()
    rng = np.random.default_rng(1)
    made.port.tamper = lambda packets: [packet for packet in packets if rng.random() > 0.2]
    made.bus.open()
    made.bus.arm()
    assert all(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)


def test_a_reply_of_another_length_is_not_taken() -> None:
    made = armed(fast_sync_read=False)
    made.tick()

    def short(packets: list[bytes]) -> list[bytes]:
        body = packets[0][:5] + (8).to_bytes(2, "little") + packets[0][7:13]
        return [body + crc16(body).to_bytes(2, "little"), *packets[1:]]

    made.port.tamper = short
    assert made.bus.read().heard.tolist() == [False, True, True, True]
