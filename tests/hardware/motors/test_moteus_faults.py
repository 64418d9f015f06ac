"""What the bus does when a line or a servo fails."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hardware.motors import moteus_line
from hardware.motors.moteus_frames import FAULT, POSITION
from hardware.types import RobotError, RobotFault
from tests.hardware.moteus_rig import PATIENT_S, STANCE_RAD, command, rig, wait_until

pytest.importorskip("moteus")


def test_one_lost_reply_repeats_the_row_and_is_noted() -> None:
    with rig(reply_timeout_s=0.02) as r:
        r.bus.open()
        before = r.bus.read()
        r.log.newest.clear()
        r.motors.dead.add(7)
        began_s = time.monotonic()
        readings = r.bus.read()
        assert time.monotonic() - began_s < PATIENT_S
        assert readings.heard.tolist() == [True, False, True]
        assert readings.positions_rad[1] == before.positions_rad[1]
        r.bus.read()
        assert [(e.reason, e.where, e.value) for e in r.log.newest] == [
            ("reply lost", "knee", 1.0),
            ("reply lost", "knee", 2.0),
        ]
        r.motors.dead.clear()
        assert r.bus.read().heard.all()


def test_a_servo_that_stays_silent_is_a_fault_naming_joint_and_id() -> None:
    with rig(reply_timeout_s=0.02, silent_s=0.2) as r:
        r.bus.open()
        r.motors.dead.add(7)

        def read_until_silent() -> None:
            for _ in range(1000):
                r.bus.read()

        with pytest.raises(RobotFault, match=r"knee: servo 7 .* silent"):
            read_until_silent()


def test_a_pause_between_readings_is_no_silence() -> None:
    with rig(reply_timeout_s=0.02, silent_s=0.1) as r:
        r.bus.open()
        r.bus.read()
        time.sleep(0.15)
        r.motors.dead.add(7)
        assert not r.bus.read().heard[1]


def test_damaged_lines_are_noted_and_end_nothing() -> None:
    with rig(reply_timeout_s=0.05) as r:
        r.bus.open()
        r.bus.arm()
        r.line.corrupt_byte = 0.02
        for _ in range(40):
            readings = r.bus.read()
            assert np.isfinite(readings.positions_rad).all()
            r.bus.write(command(STANCE_RAD))
        assert r.log.counts["bad packet"] > 0
        assert r.log.counts["reply lost"] > 0
        r.line.corrupt_byte = 0.0
        wait_until(lambda: bool(r.bus.read().heard.all()), "the line did not recover")


@pytest.mark.parametrize("fault", ["drop", "merge", "late"])
def test_dropped_merged_and_late_replies_end_nothing(fault: str) -> None:
    with rig(reply_timeout_s=0.03) as r:
        r.bus.open()
        r.bus.arm()
        r.line.late_s = 0.05
        setattr(r.line, fault, 0.3)
        for k in range(20):
            r.bus.read()
            r.bus.write(command(STANCE_RAD + 0.01 * k))
        setattr(r.line, fault, 0.0)
        wait_until(lambda: bool(np.abs(r.bus.read().positions_rad - STANCE_RAD - 0.19).max() < 0.02), "did not follow")


def test_replies_that_are_always_late_are_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteus_line, "_LATE_S", 5.0)  # a busy machine is later than a line
    with rig(silent_s=1.0) as r:
        r.bus.open()
        r.bus.arm()
        goal = r.bus.write(command(STANCE_RAD + 0.2)).positions_rad
        r.bus._line._reply_timeout_s = -1.0  # so impatient that each reply comes too late
        until_s = time.monotonic() + 1.5
        while time.monotonic() < until_s:
            readings = r.bus.read()
            time.sleep(0.01)
        assert r.log.counts["reply lost"] >= 3
        np.testing.assert_allclose(readings.positions_rad, goal, atol=0.01)


def test_what_no_joint_can_do_is_taken_for_damage() -> None:
    with rig() as r:
        r.bus.open()
        before = r.bus.read()
        plain = r.chain.servos[1].read
        wild = {0x001: np.float32(1e6).tobytes()}
        r.chain.servos[1].read = lambda register, kind: wild.get(register, plain(register, kind))  # type: ignore[method-assign]
        readings = r.bus.read()
        assert not readings.heard[0]
        assert readings.positions_rad[0] == before.positions_rad[0]
        assert r.log.counts["bad packet"] == 1


def test_a_fault_is_reported_in_words_while_the_others_go_on() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.motors.error_bits[7] = 33
        wait_until(lambda: r.chain.servos[7].mode == FAULT, "no fault")
        readings = r.bus.read()
        assert readings.errors == {"knee": "motor driver fault, most often too low a voltage"}
        r.bus.write(command(STANCE_RAD + 0.2))
        wait_until(lambda: bool(abs(r.bus.read().positions_rad[0] - STANCE_RAD[0] - 0.2) < 0.01), "the hip stood still")
        assert r.chain.servos[7].mode == FAULT


def test_heat_is_measured_and_then_a_fault() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.motors.overheat_c[126] = 30.0
        wait_until(lambda: r.bus.read().temperatures_c[2] == pytest.approx(60.0, abs=0.1), "no heat")
        assert r.bus.read().errors == {}
        r.motors.overheat_c[126] = 60.0
        wait_until(lambda: r.bus.read().errors == {"ankle": "over temperature"}, "no fault")


def test_a_sagging_supply_is_measured_and_then_a_fault() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.motors.sag_v = 3.5
        wait_until(lambda: bool(np.allclose(r.bus.read().voltages_v, 12.5, atol=0.1)), "no sag")
        r.motors.sag_v = 13.0
        wait_until(lambda: set(r.bus.read().errors.values()) == {"under voltage"}, "no fault")


def test_a_pulled_cable_is_a_fault_and_everything_else_stays_quiet() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.line.unplugged = True
        wait_until(lambda: r.chain.servos[1].mode != POSITION, "the watchdogs did not trip")
        with pytest.raises(RobotFault, match=r"adapter is gone"):
            r.bus.read()
        with pytest.raises(RobotFault, match=r"adapter is gone"):
            r.bus.write(command(STANCE_RAD))
        r.bus.damp()
        r.bus.release()
        r.bus.close()
        r.bus.close()


def test_after_the_cable_is_back_the_bus_opens_again() -> None:
    with rig() as r:
        r.bus.open()
        r.line.unplugged = True
        time.sleep(0.1)
        r.bus.close()
        with pytest.raises(RobotError, match="no such device"):
            r.bus.open()
        r.line.unplugged = False
        time.sleep(0.1)
        r.bus.open()
        assert r.bus.read().heard.all()
