from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from hardware.events import EventLog
from hardware.motors.moteus_bus import MoteusBus, MoteusConfig
from hardware.motors.moteus_frames import POSITION, STOPPED, TIMEOUT, ZERO_VELOCITY
from hardware.types import FloatArray, RobotError, RobotFault
from tests.hardware.moteus_rig import MOTORS, NAMES, STANCE_RAD, command, highest_kp, rig, wait_until

pytest.importorskip("moteus")


@pytest.mark.parametrize("usb", [False, True], ids=["uart", "usb"])
def test_open_tells_who_is_there_and_moves_nothing(usb: bool) -> None:
    with rig(usb) as r:
        identities = r.bus.open()
        assert [(i.joint, i.device_id) for i in identities] == list(zip(NAMES, (1, 7, 126), strict=True))
        assert {i.firmware for i in identities} == {"1.1.0"}
        assert len({i.model for i in identities}) == 3  # serial numbers
        assert r.modes() == [STOPPED] * 3


@pytest.mark.parametrize("usb", [False, True], ids=["uart", "usb"])
def test_readings_are_in_the_servos_angles_and_si_units(usb: bool) -> None:
    with rig(usb) as r:
        r.bus.open()
        readings = r.bus.read()
        np.testing.assert_allclose(readings.positions_rad, STANCE_RAD, atol=1e-5)
        np.testing.assert_allclose(readings.velocities_rad_s, 0.0, atol=1e-5)
        np.testing.assert_allclose(readings.voltages_v, 16.0, atol=0.1)
        np.testing.assert_allclose(readings.temperatures_c, 30.0, atol=0.1)
        assert readings.heard.all()
        assert readings.errors == {}


def test_arming_holds_the_measured_pose() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        assert r.modes() == [POSITION] * 3
        np.testing.assert_allclose(r.bus.read().positions_rad, STANCE_RAD, atol=1e-3)
        for servo, motor in zip(r.chain.servos.values(), MOTORS, strict=True):
            drive = servo.drive(time.monotonic())
            assert drive.max_torque_nm * motor.gear_ratio == pytest.approx(5.0, abs=0.07)
            assert drive.kp_share * motor.servo_kp_nm_per_rev * motor.gear_ratio**2 / (2 * np.pi) == pytest.approx(
                20.0, abs=0.01
            )


def test_each_joint_follows_its_own_target() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        goal = STANCE_RAD + np.array([0.3, -0.2, 0.4])
        r.bus.write(command(goal))
        wait_until(lambda: bool(np.abs(r.bus.read().positions_rad - goal).max() < 0.01), "the joints did not follow")


def test_write_tells_what_the_servos_were_told() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        asked = command(STANCE_RAD + 0.1, kp=17.3, kd=0.31, torque_nm=1.234)
        sent = r.bus.write(asked)
        np.testing.assert_allclose(sent.positions_rad, asked.positions_rad, atol=1e-6)
        np.testing.assert_allclose(sent.kp_nm_per_rad, 17.3, atol=2e-3)
        np.testing.assert_allclose(sent.kd_nm_s_per_rad, 0.31, atol=1e-4)
        np.testing.assert_allclose(sent.torques_nm, [1.23, 1.23, 1.2], atol=1e-9)  # 0.01 N m at the servo's output
        r.bus.read()  # the frames before have been done
        for k, (servo, motor) in enumerate(zip(r.chain.servos.values(), MOTORS, strict=True)):
            drive = servo.drive(time.monotonic())
            assert drive.torque_nm * motor.gear_ratio == pytest.approx(sent.torques_nm[k], abs=1e-6)
            assert drive.kp_share * highest_kp(motor) == pytest.approx(sent.kp_nm_per_rad[k], rel=1e-9)


def test_gains_over_the_servos_and_torques_over_the_motors_are_cut() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        sent = r.bus.write(command(STANCE_RAD, kp=1e3, kd=1e3, torque_nm=-50.0))
        np.testing.assert_allclose(sent.kp_nm_per_rad, [highest_kp(motor) for motor in MOTORS])
        np.testing.assert_allclose(sent.torques_nm, -5.0, atol=0.06)


@pytest.mark.parametrize("bad", [np.full(3, np.nan), np.array([0.0, np.inf, 0.0]), np.zeros(2)], ids=["nan", "inf", "size"])
def test_an_unfit_command_is_refused_and_moves_nothing(bad: FloatArray) -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        with pytest.raises(RobotFault, match="refused"):
            r.bus.write(replace(command(STANCE_RAD), positions_rad=bad))
        np.testing.assert_allclose(r.bus.read().positions_rad, STANCE_RAD, atol=1e-3)


def test_without_stiffness_no_position_is_told() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.bus.write(command(STANCE_RAD + 0.5, kp=0.0))
        r.bus.read()
        drive = r.chain.servos[1].drive(time.monotonic())
        assert drive.kp_share == 0.0
        assert drive.position_rev == pytest.approx(STANCE_RAD[0] / (2 * np.pi), abs=1e-4)


def test_damping_has_no_stiffness_and_no_end_until_the_next_write() -> None:
    with rig(watchdog_s=0.1) as r:
        r.bus.open()
        r.bus.arm()
        r.bus.damp()
        time.sleep(0.3)
        r.bus.read()
        assert r.modes() == [ZERO_VELOCITY] * 3
        drive = r.chain.servos[7].drive(time.monotonic())
        assert drive.kp_share == 0.0
        assert drive.kd_share == pytest.approx(0.5 * 2 * np.pi / 5.0, abs=1e-4)
        r.bus.write(command(STANCE_RAD))
        r.bus.read()
        assert POSITION in r.modes()
        assert r.log.counts["watchdog tripped"] == 0


def test_damping_leaves_servos_that_were_never_armed_as_they_are() -> None:
    with rig() as r:
        r.bus.damp()
        r.bus.open()
        r.bus.damp()
        r.bus.read()
        assert r.modes() == [STOPPED] * 3


def test_release_takes_the_torque_off_even_if_it_is_said_in_vain_at_first() -> None:
    with rig(reply_timeout_s=0.05) as r:
        r.bus.open()
        r.bus.arm()
        r.line.drop = 0.7
        r.bus.release()
        assert r.modes() == [STOPPED] * 3
        r.line.drop = 0.0
        with pytest.raises(RobotError, match="arm"):
            r.bus.write(command(STANCE_RAD))


def test_a_pause_trips_the_watchdogs_and_the_next_write_goes_on() -> None:
    with rig(watchdog_s=0.1) as r:
        r.bus.open()
        r.bus.arm()
        wait_until(lambda: r.modes() == [TIMEOUT] * 3, "no watchdog tripped")
        r.bus.write(command(STANCE_RAD + 0.2))
        wait_until(lambda: bool(r.bus.read().heard.all()) and TIMEOUT not in r.modes(), "still tripped")
        assert r.log.counts["watchdog tripped"] == 0


def test_a_watchdog_that_trips_between_writes_is_an_event_and_mended() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.chain.servos[7].mode = TIMEOUT
        r.bus.read()
        r.bus.write(command(STANCE_RAD))
        assert [(e.reason, e.where, e.limit) for e in r.log.newest] == [("watchdog tripped", "knee", 1.27)]
        assert r.log.newest[0].value < 1.27
        wait_until(lambda: bool(r.bus.read()) and r.modes() == [POSITION] * 3, "not mended")


def test_a_servo_that_stopped_by_itself_is_not_started_again() -> None:
    with rig() as r:
        r.bus.open()
        r.bus.arm()
        r.bus.read()
        r.chain.servos[126].lose_power()
        assert "ankle" in r.bus.read().errors
        with pytest.raises(RobotFault, match=r"ankle: servo 126 .* stopped by itself"):
            r.bus.write(command(STANCE_RAD))
        assert r.chain.servos[126].mode == STOPPED
        r.bus.arm()
        r.bus.write(command(STANCE_RAD))


def test_a_servo_in_fault_is_refused_naming_the_fault() -> None:
    with rig() as r:
        r.motors.error_bits[7] = 35
        with pytest.raises(RobotError, match=r"knee: servo 7 .* encoder fault"):
            r.bus.open()
        r.motors.error_bits.clear()
        with pytest.raises(RobotError, match="encoder fault"):
            r.bus.open()  # latched


def test_a_fault_between_open_and_arm_is_refused() -> None:
    with rig() as r:
        r.bus.open()
        r.motors.error_bits[1] = 35
        with pytest.raises(RobotError, match="hip"):
            r.bus.arm()
        assert r.modes()[1:] == [STOPPED] * 2


def test_a_servo_that_fails_as_it_starts_is_refused_naming_the_fault() -> None:
    with rig() as r:
        r.motors.overheat_c[7] = 100.0  # no fault while it is stopped
        r.bus.open()
        with pytest.raises(RobotError, match=r"knee: .* over temperature"):
            r.bus.arm()


def test_a_missing_servo_is_refused_naming_joint_and_id() -> None:
    with rig(reply_timeout_s=0.01) as r:
        r.motors.dead.add(126)
        with pytest.raises(RobotError, match=r"ankle: servo 126 .* does not answer"):
            r.bus.open()


@pytest.mark.parametrize(
    ("key", "value"), [("servo.pid_position.kp", 4.0), ("servo.pid_position.kd", 4.0), ("servo.timeout_mode", 0.0)]
)
def test_a_servo_set_up_otherwise_is_refused(key: str, value: float) -> None:
    with rig() as r:
        r.chain.servos[7].console[key] = value
        with pytest.raises(RobotError, match=f"knee: servo 7 .*{key} {value:g}"):
            r.bus.open()


def test_a_refused_bus_has_let_go_of_the_port() -> None:
    with rig() as r:
        r.motors.error_bits[7] = 35
        for _ in range(2):
            with pytest.raises(RobotError, match="encoder"):
                r.bus.open()


def test_a_port_in_use_is_refused() -> None:
    with rig() as r:
        r.bus.open()
        other = MoteusBus(MoteusConfig(r.path, MOTORS), EventLog())
        with pytest.raises(RobotError, match="in use"):
            other.open()


def test_a_port_where_nobody_understands_is_refused() -> None:
    with rig(reply_timeout_s=0.001) as r:
        r.line.drop = 1.0
        with pytest.raises(RobotError, match="no CAN-FD adapter"):
            r.bus.open()


def test_use_before_open_is_refused() -> None:
    bus = MoteusBus(MoteusConfig("/dev/null", MOTORS), EventLog())
    with pytest.raises(RobotError, match="open"):
        bus.read()
    with pytest.raises(RobotError, match="armed"):
        bus.write(command(STANCE_RAD))
    bus.release()
    bus.close()


def test_without_the_makers_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moteus", None)
    with pytest.raises(RobotError, match=r"robot-adapt\[moteus\]"):
        MoteusBus(MoteusConfig("/dev/null", MOTORS), EventLog()).open()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"device_id": 7}, "7 is given to two"),
        ({"device_id": 127}, "1 to 126"),
        ({"joint": "knee"}, "knee is given to two"),
        ({"servo_kp_nm_per_rev": 0.0}, "over 0"),
        ({"gear_ratio": float("nan")}, "over 0"),
    ],
)
def test_an_impossible_config_is_refused(change: dict[str, float | str], words: str) -> None:
    with pytest.raises(RobotError, match=words):
        MoteusConfig("/dev/null", (replace(MOTORS[0], **change), *MOTORS[1:]))  # type: ignore[arg-type]


def test_a_watchdog_that_servos_cannot_have_is_refused() -> None:
    with pytest.raises(RobotError, match="watchdog_s"):
        MoteusConfig("/dev/null", MOTORS, watchdog_s=2.0)
