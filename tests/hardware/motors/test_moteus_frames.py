from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.emulators.moteus_servo import Measured, MoteusServo
from hardware.motors.moteus_frames import FAULTS, MoteusFrames

moteus = pytest.importorskip("moteus")

FRAMES = MoteusFrames(5)
SERVO = MoteusServo(5, {"servo.timeout_mode": 12.0})
SERVO.advance(0.0, Measured(1.5, -2.25, 0.37, 23.4, 41.2), 0)
STATUS = SERVO.receive(FRAMES.status_query, 0.0)


def test_a_command_fills_a_frame_of_32_bytes_and_has_all_that_matters_in_it() -> None:
    data = FRAMES.position((1.5, -0.25, 0.37, 0.5, 0.25, 3.0), 0.12)
    assert len(data) == 32
    told = moteus.parse_registers(data).command
    assert told[0x000] == 10
    assert (told[0x020], told[0x021]) == (1.5, -0.25)
    assert told[0x022] == pytest.approx(0.37, abs=0.01)
    assert (told[0x023], told[0x024]) == pytest.approx((0.5, 0.25), abs=1e-4)
    assert told[0x025] == 3.0
    assert told[0x027] == pytest.approx(0.12)
    assert told[0x028] < 0.0  # no ramps
    assert told[0x029] < 0.0
    assert told[0x02B] == 0.0  # no integral


def test_no_position_is_told_as_the_servo_wants_it() -> None:
    told = moteus.parse_registers(FRAMES.position((math.nan, 0.0, 0.0, 0.0, 0.2, 3.0), 0.1)).command
    assert math.isnan(told[0x020])


def test_damping_is_the_zero_velocity_mode_and_stop_is_stop() -> None:
    assert moteus.parse_registers(FRAMES.damp(0.25)).command == {0x000: 12, 0x024: 0.25}
    assert moteus.parse_registers(FRAMES.stop).command == {0x000: 0}


def test_an_answer_is_parsed() -> None:
    status = FRAMES.parse_status(STATUS)
    assert status is not None
    assert (status.mode, status.position_rev, status.velocity_rev_s, status.fault) == (0, 1.5, -2.25, 0)
    assert status.torque_nm == pytest.approx(0.37)
    assert status.voltage_v == pytest.approx(23.4, abs=0.11)
    assert status.temperature_c == pytest.approx(41.2, abs=0.11)
    assert FRAMES.parse_status(STATUS.ljust(32, b"\x50")) == status  # as CAN-FD fills it up


def test_identity_and_console_are_parsed() -> None:
    assert FRAMES.parse_identity(SERVO.receive(FRAMES.identity_query, 0.0)) == ("1.1.0", "4d4f544a-00005553-00000005")
    SERVO.receive(FRAMES.text("conf get servo.timeout_mode"), 0.0)
    assert FRAMES.parse_text(SERVO.receive(FRAMES.text_poll, 0.0)) == b"12.000000\r\n"
    assert FRAMES.parse_text(SERVO.receive(FRAMES.text_poll, 0.0)) == b""


@pytest.mark.parametrize(
    "reply",
    [
        b"", STATUS[:-1], STATUS + b"\x00", b"\x50" + STATUS, STATUS[:3] + b"\x2e" + STATUS[4:], b"\x31\x01\x01",
        bytes.fromhex("10ffffffff0f00"), STATUS[:5] + struct.pack("<f", math.nan) + STATUS[9:],
        STATUS[:9] + struct.pack("<f", math.inf) + STATUS[13:],
    ],
)  # fmt: skip
def test_what_is_no_answer_is_none(reply: bytes) -> None:
    assert FRAMES.parse_status(reply) is None


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=64), st.builds(lambda head, tail: STATUS[:head] + tail, st.integers(0, 26), st.binary())))
def test_any_reply_is_parsed_or_none_at_once(reply: bytes) -> None:
    status = FRAMES.parse_status(reply)
    assert status is None or math.isfinite(status.position_rev + status.velocity_rev_s + status.torque_nm)
    FRAMES.parse_identity(reply)
    text = FRAMES.parse_text(reply)
    assert text is None or len(text) <= 48


def test_every_fault_of_the_documentation_has_words() -> None:
    assert set(FAULTS) == set(range(32, 51))
