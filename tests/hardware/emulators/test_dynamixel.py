from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.clock import FakeClock
from hardware.emulators.dynamixel import DynamixelChain
from hardware.emulators.dynamixel_frames import FrameReader, crc16, frame
from hardware.emulators.dynamixel_motor import ACCESS, ALERT, CRC, INSTRUCTION, LENGTH, LIMIT, RANGE, RESULT_FAIL
from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel_models import Register
from hardware.types import FloatArray
from tests.hardware.motors.dynamixel_bench import IDS, SPEC, SUPPLY_V, as_device, chain

ID = IDS[0]
COUNT_RAD = 2.0 * np.pi / 4096
Answer = tuple[int, int, bytes]


@pytest.fixture
def wall() -> FakeClock:
    return FakeClock()


@pytest.fixture
def motors(wall: FakeClock) -> DynamixelChain:
    return chain(wall)


def ask(motors: DynamixelChain, device_id: int, body: bytes) -> list[Answer]:
    """Id, error and parameters of each status packet."""
    packets = b"".join(motors.receive(frame(device_id, body)))
    return [(answer.device_id, answer.parameters[0], answer.parameters[1:]) for answer in FrameReader().feed(packets)]


def two(value: int) -> bytes:
    return value.to_bytes(2, "little")


def write(motors: DynamixelChain, register: Register, value: int, device_id: int = ID) -> int:
    data = (value & (1 << 8 * register.size) - 1).to_bytes(register.size, "little")
    ((_, error, _),) = ask(motors, device_id, b"\x03" + two(register.address) + data)
    return error


def read(motors: DynamixelChain, register: Register, device_id: int = ID) -> int:
    ((_, _, data),) = ask(motors, device_id, b"\x02" + two(register.address) + two(register.size))
    return int.from_bytes(data, "little", signed=register.size > 1)


def positions(motors: DynamixelChain, wall: FakeClock) -> FloatArray:
    """What all motors report, in rad."""
    wall.advance(0.002)
    return np.array([(read(motors, registers.PRESENT_POSITION, i) - 2048) * COUNT_RAD for i in IDS])


def test_a_ping_tells_model_and_firmware(motors: DynamixelChain) -> None:
    assert ask(motors, ID, b"\x01") == [(ID, 0, two(1020) + b"\x30")]
    assert ask(motors, 99, b"\x01") == []


def test_everyone_answers_a_ping_to_all(motors: DynamixelChain) -> None:
    assert {device_id for device_id, _, _ in ask(motors, 0xFE, b"\x01")} == set(IDS)


def test_positions_are_in_the_motors_own_angles(motors: DynamixelChain, wall: FakeClock) -> None:
    np.testing.assert_allclose(positions(motors, wall), as_device(SPEC.stance_rad), atol=COUNT_RAD)


def test_a_motor_with_torque_goes_to_its_goal_and_no_other_does(motors: DynamixelChain, wall: FakeClock) -> None:
    before = positions(motors, wall)
    assert write(motors, registers.TORQUE_ENABLE, 1) == 0
    assert write(motors, registers.GOAL_POSITION, 2048 + 300) == 0
    for _ in range(20):
        wall.advance(0.02)
        after = positions(motors, wall)
    assert after[0] == pytest.approx(300 * COUNT_RAD, abs=0.01)
    np.testing.assert_allclose(after[1:], before[1:], atol=COUNT_RAD)


def test_without_torque_a_goal_moves_nothing(motors: DynamixelChain, wall: FakeClock) -> None:
    before = positions(motors, wall)
    write(motors, registers.GOAL_POSITION, 2048 + 300)
    wall.advance(0.2)
    np.testing.assert_allclose(positions(motors, wall), before, atol=COUNT_RAD)


@pytest.mark.parametrize(
    ("register", "value", "error"),
    [
        (registers.TORQUE_ENABLE, 2, RANGE),
        (registers.OPERATING_MODE, 2, RANGE),
        (registers.POSITION_P_GAIN, 16384, RANGE),
        (registers.GOAL_POSITION, 4096, LIMIT),
        (registers.GOAL_PWM, 886, LIMIT),
        (registers.GOAL_CURRENT, -2000, LIMIT),
        (registers.PRESENT_POSITION, 0, ACCESS),
        (Register(200, 1), 0, ACCESS),
        (Register(registers.GOAL_POSITION.address, 2), 0, LENGTH),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_says_why(
    motors: DynamixelChain, register: Register, value: int, error: int
) -> None:
    address, size = register.address, register.size
    before = motors.motors[0].read(address, size)
    assert write(motors, register, value) == error
    assert motors.motors[0].read(address, size) == before


def test_eeprom_is_closed_while_torque_is_on(motors: DynamixelChain) -> None:
    write(motors, registers.TORQUE_ENABLE, 1)
    assert write(motors, registers.RETURN_DELAY_TIME, 0) == ACCESS
    write(motors, registers.TORQUE_ENABLE, 0)
    assert write(motors, registers.RETURN_DELAY_TIME, 0) == 0


def test_a_motor_without_current_sensor_has_no_current_modes(wall: FakeClock) -> None:
    assert write(chain(wall, "XL430-W250"), registers.OPERATING_MODE, 5) == RANGE


def test_reading_beyond_the_table_and_unknown_instructions_are_refused(motors: DynamixelChain) -> None:
    assert ask(motors, ID, b"\x02" + two(250) + two(20)) == [(ID, ACCESS, b"")]
    assert ask(motors, ID, b"\x02\x00") == [(ID, LENGTH, b"")]
    assert ask(motors, ID, b"\x77") == [(ID, INSTRUCTION, b"")]
    assert ask(motors, ID, b"\x06\xff") == [(ID, RESULT_FAIL, b"")]  # factory reset


def test_a_damaged_instruction_is_answered_with_error_3_and_not_done(motors: DynamixelChain) -> None:
    packet = bytearray(frame(ID, b"\x03\x40\x00\x01"))
    packet[-1] ^= 1
    (answer,) = FrameReader().feed(b"".join(motors.receive(bytes(packet))))
    assert answer.parameters[0] == CRC
    assert read(motors, registers.TORQUE_ENABLE) == 0


def test_the_return_level_says_who_answers_what(motors: DynamixelChain) -> None:
    ask(motors, ID, b"\x03" + two(68) + b"\x01")
    assert ask(motors, ID, b"\x03" + two(64) + b"\x01") == []
    assert read(motors, registers.TORQUE_ENABLE) == 1
    ask(motors, ID, b"\x03" + two(68) + b"\x00")
    assert ask(motors, ID, b"\x02" + two(64) + two(1)) == []
    assert len(ask(motors, ID, b"\x01")) == 1


def test_a_registered_write_waits_for_the_action(motors: DynamixelChain) -> None:
    assert ask(motors, ID, b"\x04" + two(64) + b"\x01") == [(ID, 0, b"")]
    assert read(motors, registers.TORQUE_ENABLE) == 0
    assert ask(motors, 0xFE, b"\x05") == []
    assert read(motors, registers.TORQUE_ENABLE) == 1


def test_bulk_read_and_write_name_registers_motor_by_motor(motors: DynamixelChain) -> None:
    ask(motors, 0xFE, b"\x93" + bytes((IDS[0],)) + two(64) + two(1) + b"\x01" + bytes((IDS[1],)) + two(80) + two(2) + two(77))
    asked = b"\x92" + bytes((IDS[1],)) + two(80) + two(2) + bytes((IDS[0],)) + two(64) + two(1)
    assert ask(motors, 0xFE, asked) == [(IDS[1], 0, two(77)), (IDS[0], 0, b"\x01")]


def test_a_sync_read_is_answered_by_all_but_the_dead(motors: DynamixelChain) -> None:
    motors.faults.dead.add(IDS[1])
    answers = ask(motors, 0xFE, b"\x82" + two(7) + two(1) + bytes(IDS))
    assert answers == [(i, 0, bytes((i,))) for i in IDS if i != IDS[1]]


def test_a_fast_sync_read_is_one_packet_with_a_running_checksum(motors: DynamixelChain) -> None:
    (packet,) = motors.receive(frame(0xFE, b"\x8a" + two(7) + two(1) + bytes(IDS)))
    assert packet[4:8] == b"\xfe" + two(1 + 5 * len(IDS)) + b"\x55"
    for at in range(8, len(packet), 5):
        error, device_id, data = packet[at : at + 3]
        assert (error, data) == (0, device_id)
        assert two(crc16(packet[: at + 3])) == packet[at + 3 : at + 5]
    motors.faults.dead.add(IDS[2])
    (broken,) = motors.receive(frame(0xFE, b"\x8a" + two(7) + two(1) + bytes(IDS)))
    assert broken == packet[: 8 + 5 * 2]


def test_the_watchdog_stops_a_motor_that_hears_nothing_and_closes_its_goals(motors: DynamixelChain, wall: FakeClock) -> None:
    write(motors, registers.BUS_WATCHDOG, 5)
    wall.advance(1.0)
    motors.unasked(wall.now())
    assert read(motors, registers.BUS_WATCHDOG) == 5  # it watches only while torque is on
    write(motors, registers.TORQUE_ENABLE, 1)
    write(motors, registers.GOAL_POSITION, 2048 + 600)
    assert motors.next_s() == pytest.approx(wall.now() + 0.1)
    wall.advance(0.02)
    stopped_at = positions(motors, wall)[0]
    wall.advance(0.11)
    motors.unasked(wall.now())
    wall.advance(0.5)
    now_at = positions(motors, wall)[0]
    assert stopped_at < now_at < 590 * COUNT_RAD
    assert read(motors, registers.BUS_WATCHDOG) == 0xFF
    assert write(motors, registers.GOAL_POSITION, 2048 + 600) == RANGE
    assert write(motors, registers.BUS_WATCHDOG, 5) == RANGE
    assert write(motors, registers.BUS_WATCHDOG, 0) == 0
    assert write(motors, registers.GOAL_POSITION, 2048 + 600) == 0


def test_hardware_errors_end_the_torque_until_the_reboot(motors: DynamixelChain, wall: FakeClock) -> None:
    write(motors, registers.TORQUE_ENABLE, 1)
    motors.faults.error_bits[ID] = 0x20
    wall.advance(0.002)
    ((_, error, data),) = ask(motors, ID, b"\x02" + two(70) + two(1))
    assert error == ALERT
    assert data == b"\x20"
    assert read(motors, registers.TORQUE_ENABLE) == 0
    motors.faults.error_bits.clear()
    wall.advance(0.002)
    assert write(motors, registers.TORQUE_ENABLE, 1) == ALERT | RESULT_FAIL
    assert ask(motors, ID, b"\x08") == [(ID, ALERT, b"")]
    assert write(motors, registers.TORQUE_ENABLE, 1) == 0


def test_heat_beyond_the_limit_shuts_one_motor_down_and_sag_is_told_by_all(motors: DynamixelChain, wall: FakeClock) -> None:
    motors.faults.overheat_c[ID] = 60.0
    motors.faults.sag_v = 3.0
    wall.advance(0.002)
    assert read(motors, registers.PRESENT_TEMPERATURE) == 90
    assert read(motors, registers.HARDWARE_ERROR_STATUS) == 0x04 | 0x01
    assert read(motors, registers.HARDWARE_ERROR_STATUS, IDS[1]) == 0x01
    assert read(motors, registers.PRESENT_INPUT_VOLTAGE, IDS[1]) == round(10 * (SUPPLY_V - 3.0))


def test_a_dead_motor_is_silent_and_limp(motors: DynamixelChain) -> None:
    for i in IDS:
        write(motors, registers.TORQUE_ENABLE, 1, i)
    motors.faults.dead.add(ID)
    assert ask(motors, ID, b"\x01") == []
    write(motors, registers.GOAL_POSITION, 2000, IDS[1])
    assert motors._driven[3][0] == 0.0
    assert motors._driven[3][1] > 0.0


def test_a_reversed_motor_with_homing_offset_reports_and_goes_the_other_way(motors: DynamixelChain, wall: FakeClock) -> None:
    before = positions(motors, wall)[0]
    write(motors, registers.DRIVE_MODE, 1)
    write(motors, registers.HOMING_OFFSET, -100)
    wall.advance(0.002)
    motors._measured = None
    assert positions(motors, wall)[0] == pytest.approx(-before - 100 * COUNT_RAD, abs=COUNT_RAD)
    write(motors, registers.TORQUE_ENABLE, 1)
    write(motors, registers.GOAL_POSITION, 2048 - 300)
    for _ in range(20):
        wall.advance(0.02)
        after = positions(motors, wall)[0]
    assert after == pytest.approx(-300 * COUNT_RAD, abs=0.01)


def test_motors_and_joints_must_match(motors: DynamixelChain) -> None:
    with pytest.raises(ValueError, match="joint_0"):
        DynamixelChain([], motors._plant, SUPPLY_V)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.binary(max_size=60)
        | st.builds(frame, st.sampled_from([*IDS, 0xFE]), st.binary(min_size=1, max_size=40))
        | st.builds(
            lambda device_id, code, address, rest: frame(device_id, bytes((code,)) + two(address) + rest),
            st.sampled_from([*IDS, 0xFE]),
            st.sampled_from([1, 2, 3, 4, 5, 6, 8, 0x82, 0x83, 0x8A, 0x92, 0x93]),
            st.integers(0, 300),
            st.binary(max_size=30),
        ),
        max_size=15,
    )
)
def test_no_bytes_whatever_make_a_chain_raise(pieces: list[bytes]) -> None:
    wall = FakeClock()
    motors = chain(wall)
    for piece in pieces:
        wall.advance(0.01)
        for packet in motors.receive(piece):
            assert len(packet) < 70_000
        motors.unasked(wall.now())
    assert np.isfinite(motors._driven).all() or not pieces or np.isnan(motors._driven).all()
