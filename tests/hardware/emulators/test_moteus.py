"""The emulated servos, by hand: bytes in, lines out, time passing as it is told to."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.clock import FakeClock
from hardware.emulators.faults import MotorFaults
from hardware.emulators.moteus import MoteusChain
from hardware.emulators.moteus_servo import FAULT, POSITION, STOPPED, TIMEOUT, ZERO_VELOCITY, MoteusServo
from hardware.motors.fdcanusb import LONGEST_LINE, CanFrame, FdcanusbReader, crc8, send_line, with_checksum
from hardware.types import JointCommand, RobotFault
from tests.hardware.moteus_rig import MOTORS, SPEC, STANCE_RAD, plant


class ByHand:
    """A chain fed with frames, in a time of its own."""

    def __init__(self, usb: bool = False, checksum: bool = False) -> None:
        self.clock = FakeClock()
        self.faults = MotorFaults()
        self.chain = MoteusChain(plant(), MOTORS, self.faults, usb, self.clock)
        self._checksum = checksum
        self._reader = FdcanusbReader()

    def say(self, text: bytes) -> list[bytes]:
        return list(self.chain.receive(text))

    def frame(self, data: str, device_id: int = 1, wants_reply: bool = True) -> str | None:
        """The reply's bytes in hexadecimal; None for none."""
        identifier = (0x8300 if wants_reply else 0) | device_id
        lines = b"".join(self.say(send_line(CanFrame(identifier, bytes.fromhex(data)), self._checksum)))
        frames = self._reader.receive(lines)
        assert all(frame.identifier == device_id << 8 | 3 for frame in frames)
        return frames[0].data.hex() if frames else None

    def pass_s(self, duration_s: float) -> None:
        self.clock.advance(duration_s)
        list(self.chain.unasked(self.clock.now()))

    def started(self) -> ByHand:
        """In position mode, with the watchdog the servo has by itself."""
        self.frame("01000a0d20000000c0")  # position NaN would be 0000c07f; -2.0 here
        self.pass_s(0.03)
        return self


def test_the_example_of_the_protocols_documentation_is_answered_in_its_format() -> None:
    hand = ByHand()
    assert hand.say(b"can send 8001 01000a07206000200150ff140400130d\n")[0] == b"OK\r\n"
    reply = hand.frame("140400130d")
    assert reply is not None
    assert reply.startswith("240400")
    assert reply[22:26] == "230d"
    assert len(reply) == 32


def test_reading_in_the_frame_of_a_command_tells_what_was_before_it() -> None:
    hand = ByHand()
    assert hand.frame("01000a1100") == "210000"
    hand.pass_s(0.03)
    assert hand.frame("1100") == "21000a"


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        ("1071ff01", "31ff0101"),  # reads 0x0ff
        ("11001171", "210000" + "317101"),
        ("1171" + "1100", "317101"),  # a read that fails ends the frame
        ("010d05", "300d02"),  # the voltage cannot be written
        ("017105", "307101"),
        ("1182021100", "31820201"),  # an identity in int8
        ("198202", "29820205000000"),
        ("5050501100", "210000"),
        ("77" + "1100", ""),
        ("4001", ""),
        ("1080", ""),
        ("10ffffffff7f00", None),
    ],
)
def test_what_cannot_be_done_is_answered_as_the_firmware_does(frame: str, reply: str | None) -> None:
    hand = ByHand()
    answered = hand.frame(frame)
    if reply is not None:
        assert (answered or "") == reply


def test_a_register_is_read_in_each_resolution() -> None:
    hand = ByHand()
    assert hand.frame("110d") == "210d20"  # 16 V: 0.5 V a bit
    assert hand.frame("150d") == "250da000"  # 0.1 V
    assert hand.frame("190d") == "290d803e0000"  # 1 mV
    assert hand.frame("1d0d") == "2d0d" + np.float32(16.0).tobytes().hex()


def test_a_watchdog_trips_on_its_own_and_only_a_stop_ends_it() -> None:
    hand = ByHand().started()
    servo = hand.chain.servos[1]
    assert servo.mode == POSITION
    assert hand.chain.next_s() == pytest.approx(0.03 + 0.1)
    hand.pass_s(0.05)
    assert servo.mode == POSITION
    hand.pass_s(0.06)
    assert servo.mode == TIMEOUT
    drive = servo.drive(hand.clock.now())
    assert (drive.kp_share, drive.kd_share) == (0.0, 1.0)
    hand.frame("01000a")
    assert servo.mode == TIMEOUT
    hand.frame("010000")
    assert servo.mode == STOPPED
    hand.started()
    assert servo.mode == POSITION


def test_a_command_of_its_own_sets_the_watchdog_and_nan_switches_it_off() -> None:
    hand = ByHand().started()
    hand.frame("01000a" + "0127" + "05")  # int8: 0.05 s
    hand.pass_s(0.06)
    assert hand.chain.servos[1].mode == TIMEOUT
    hand.frame("010000")
    hand.frame("01000a" + "0127" + "80")
    hand.pass_s(0.03)
    hand.pass_s(100.0)
    assert hand.chain.servos[1].mode == POSITION


def test_zero_velocity_damps_and_never_ends_by_itself() -> None:
    hand = ByHand().started()
    hand.frame("01000c" + "0d24" + np.float32(0.25).tobytes().hex())
    hand.pass_s(100.0)
    servo = hand.chain.servos[1]
    assert servo.mode == ZERO_VELOCITY
    assert (servo.drive(0.0).kp_share, servo.drive(0.0).kd_share) == (0.0, 0.25)


def test_a_fault_is_latched_until_a_stop() -> None:
    hand = ByHand().started()
    hand.faults.error_bits[1] = 33
    hand.pass_s(0.01)
    assert hand.frame("110012" + "0e") == "210001220e1e21"
    hand.faults.error_bits.clear()
    hand.frame("01000a")
    assert hand.chain.servos[1].mode == FAULT
    hand.frame("010000")
    assert hand.frame("1100110f") == "210000210f00"


def test_a_target_moves_with_the_commanded_velocity() -> None:
    hand = ByHand().started()
    hand.frame("01000a" + "0e20" + np.array([0.5, 2.0], dtype=np.float32).tobytes().hex())
    assert hand.chain.servos[1].drive(hand.clock.now() + 0.05).position_rev == pytest.approx(0.6)


def test_no_position_means_where_it_is() -> None:
    hand = ByHand().started()
    hand.frame("01000a" + "0520" + "0080")
    drive = hand.chain.servos[1].drive(hand.clock.now())
    assert drive.position_rev == pytest.approx(STANCE_RAD[0] / math.tau, abs=1e-3)


def test_the_highest_torque_is_taken_off_what_the_plant_is_told() -> None:
    hand = ByHand()
    told: list[JointCommand] = []
    hand.chain._plant.command = told.append  # type: ignore[method-assign, assignment]
    far = np.float32(5.0).tobytes().hex()
    most = np.float32(1.5).tobytes().hex()
    for _ in range(2):
        hand.frame("01000a" + "0d20" + far + "0d25" + most)
        hand.pass_s(0.03)
    command = told[-1]
    torque = command.kp_nm_per_rad[0] * (command.positions_rad[0] - SPEC.stance_rad[0]) + command.torques_nm[0]
    assert torque == pytest.approx(1.5, abs=0.01)


def test_replies_have_checksums_once_a_line_had_one_and_lines_without_are_refused_from_then_on() -> None:
    hand = ByHand()
    query = b"can send 8301 1100 BF"
    assert hand.say(query + b"\n") == [b"OK\r\n", b"rcv 00000103 210000\r\n"]
    assert hand.say(with_checksum(query) + b"\r\n") == [
        b"OK *%02X\r\n" % crc8(b"OK "),
        b"rcv 00000103 210000 *%02X\r\n" % crc8(b"rcv 00000103 210000 "),
    ]
    assert hand.say(query + b"\n")[0].startswith(b"ERR checksum *")
    assert hand.say(query + b" *00\n")[0].startswith(b"ERR checksum *")


def test_a_usb_adapter_refuses_checksums() -> None:
    hand = ByHand(usb=True)
    assert hand.say(with_checksum(b"can send 8301 1100 BF") + b"\n") == [b"ERR unknown flag\r\n"]
    assert hand.say(b"can send 8301 1100 BF\n")[1].startswith(b"rcv 00000103 210000 E B F")


@pytest.mark.parametrize(
    "line", [b"hello", b"can send", b"can send 8301", b"can send xyz 00", b"can send 8301 0", b"*", b"* *00"]
)
def test_other_lines_are_answered_with_an_error(line: bytes) -> None:
    assert ByHand().say(line + b"\n")[0].startswith(b"ERR ")


def test_frames_for_nobody_or_without_a_wish_for_a_reply_are_acknowledged_only() -> None:
    hand = ByHand()
    assert hand.say(b"can send 8302 1100\n") == [b"OK\r\n"]
    assert hand.say(b"can send 01 1100\n") == [b"OK\r\n"]
    hand.faults.dead.add(1)
    assert hand.say(b"can send 8301 1100\n") == [b"OK\r\n"]


def test_physics_that_broke_down_does_not_break_the_servos() -> None:
    hand = ByHand().started()

    def broken() -> None:
        raise RobotFault("fell apart")

    hand.chain._plant.state = broken  # type: ignore[method-assign, assignment]
    hand.chain._plant.command = lambda _: broken()  # type: ignore[method-assign, assignment]
    assert hand.frame("1100") == "21000a"
    hand.frame("01000a0e20" + np.array([0.5, 2.0], dtype=np.float32).tobytes().hex())


def test_a_joint_without_a_motor_is_refused() -> None:
    with pytest.raises(ValueError, match="ankle"):
        MoteusChain(plant(), MOTORS[:2])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_a_servo_takes_any_frame(frame: bytes) -> None:
    servo = MoteusServo(1, {})
    began_s = time.monotonic()
    assert len(servo.receive(frame, 0.0)) <= 64
    servo.advance(1.0, servo.measured, 0)
    servo.drive(1.0)
    assert time.monotonic() - began_s < 5.0
    assert len(servo._said) + len(servo._typed) <= 512


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=80), st.binary(max_size=64).map(lambda d: b"can send 8001 %s BF\n" % d.hex().encode()))
    )
)
def test_any_bytes_leave_it_answering(chunks: list[bytes]) -> None:
    hand = ByHand()
    for chunk in chunks:
        for line in hand.say(chunk):
            assert line.endswith(b"\r\n")
        hand.pass_s(0.01)
    assert len(hand.chain._lines._rest) <= LONGEST_LINE
    hand.say(b"\n")
    answered = hand.say(with_checksum(b"can send 8007 1100") + b"\n")
    assert any(line.startswith(b"rcv 00000700 2100") for line in answered)
