"""DynamixelBus against the emulated chain, bytes by hand; ports and threads are in test_dynamixel_serial.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from hardware.emulators.dynamixel_frames import crc16
from hardware.emulators.dynamixel_motor import CURRENT_POSITION, PWM
from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel import DynamixelBus, DynamixelMode
from hardware.motors.dynamixel_models import MODELS
from hardware.motors.dynamixel_units import RATINGS, units
from hardware.types import RobotError, RobotFault
from tests.hardware.motors.dynamixel_bench import (
    IDS,
    KD,
    KP,
    SPEC,
    SUPPLY_V,
    Bench,
    Flywheels,
    armed,
    as_device,
    bench,
    config,
    pose,
)

HOME = as_device(SPEC.stance_rad)
COUNT_RAD = 2.0 * np.pi / 4096
MODES: tuple[DynamixelMode, ...] = ("position", "current_position", "pwm")


def instructions(made: Bench) -> list[int]:
    return [packet[7] for packet in made.port.sent]


def drop(*device_ids: int) -> Callable[[list[bytes]], Iterable[bytes]]:
    """Loses the status packets of some."""

    def tamper(packets: list[bytes]) -> Iterable[bytes]:
        return [packet for packet in packets if packet[4] not in device_ids]

    return tamper


# Units


def test_every_model_with_figures_is_in_the_sdks_table() -> None:
    assert set(RATINGS) <= set(MODELS)
    assert {model for model in MODELS if model not in RATINGS} == {"XW540-H260"}
    for model, rating in RATINGS.items():
        assert (rating.current_unit_a is not None) == MODELS[model].has_current, model


def test_a_gain_register_is_worth_what_duty_cycle_and_stall_torque_make_of_it() -> None:
    unit = units("XM430-W350", 12.0, "position")
    # 128 of P and 885 counts of error are a whole duty cycle: the stall torque.
    assert unit.kp_nm_per_rad * 128 * 885 * COUNT_RAD == pytest.approx(4.1)
    assert units("XM430-W350", 6.0, "position").kp_nm_per_rad == pytest.approx(unit.kp_nm_per_rad / 2)
    # ... and where the output is a current, that of the torque constant: nearly the same for this model.
    assert units("XM430-W350", 12.0, "current_position").kp_nm_per_rad == pytest.approx(unit.kp_nm_per_rad, rel=0.1)
    assert units("XM430-W350", 12.0, "current_position").effort_nm == pytest.approx(2.69e-3 * 4.1 / 2.3)


def test_an_unknown_model_and_a_mode_it_lacks_are_refused() -> None:
    with pytest.raises(RobotError, match="XL430-W250"):
        bench(model="XL430-W250", mode="current_position")
    with pytest.raises(RobotError, match="'AX-12'"):
        units("AX-12", 12.0, "position")
    twice = config()
    with pytest.raises(RobotError, match="same Dynamixel id"):
        DynamixelBus(replace(twice, motors=(twice.motors[0], twice.motors[0])), bench().log)


# Opening


def test_opening_tells_who_is_there_and_moves_nothing() -> None:
    made = bench()
    tables = [bytes(motor._table) for motor in made.chain.motors]
    identities = made.bus.open()
    assert [(i.joint, i.device_id, i.model, i.firmware) for i in identities] == [
        (joint.name, device_id, "XM430-W350", "48") for joint, device_id in zip(SPEC.joints, IDS, strict=True)
    ]
    assert {0x03, 0x83, 0x93, 0x04, 0x08}.isdisjoint(instructions(made))
    written = slice(0, 122)  # what is beyond is measured
    assert [bytes(motor._table[written]) for motor in made.chain.motors] == [table[written] for table in tables]
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME, atol=COUNT_RAD)


def test_a_silent_motor_is_named_with_those_that_answer() -> None:
    made = bench()
    made.faults.dead.add(IDS[2])
    with pytest.raises(RobotError, match=r"joint_2: Dynamixel 3 on hand does not answer at 1000000 baud.*11, 7, 20 do"):
        made.bus.open()


def test_a_bus_without_supply_is_told_from_one_motor() -> None:
    made = bench()
    made.faults.dead.update(IDS)
    with pytest.raises(RobotError, match=r"joint_0.*supply"):
        made.bus.open()


def test_motors_at_another_baud_rate_are_found_by_pings_alone() -> None:
    made = bench()
    made.port.chain_baud = 57_600
    with pytest.raises(RobotError, match="joint_0: Dynamixel 11 on hand answers at 57600 baud, not 1000000"):
        made.bus.open()
    assert set(instructions(made)) <= {0x01, 0x02}


def test_another_model_is_refused_by_name() -> None:
    made = bench()
    other = DynamixelBus(config(model="XM430-W210"), made.log, made.wall, made.port.open)
    with pytest.raises(RobotError, match="joint_0: Dynamixel 11 on hand is XM430-W350, not XM430-W210"):
        other.open()


def test_firmware_without_watchdog_is_refused() -> None:
    with pytest.raises(RobotError, match="firmware 37"):
        bench(firmware=37).bus.open()


def test_everything_before_open_and_after_close_is_refused() -> None:
    made = bench()
    for act in (made.bus.read, made.bus.arm, lambda: made.bus.write(pose(HOME))):
        with pytest.raises(RobotError, match="not open"):
            act()
    made.bus.damp()
    made.bus.release()
    made.bus.close()
    made.bus.open()
    with pytest.raises(RobotError, match="not armed"):
        made.bus.write(pose(HOME))


# Arming


@pytest.mark.parametrize("mode", MODES)
def test_an_armed_motor_holds_its_pose_in_its_mode_under_a_watchdog(mode: DynamixelMode) -> None:
    made = armed(mode=mode)
    for motor in made.chain.motors:
        assert motor[registers.OPERATING_MODE] == {"position": 3, "current_position": CURRENT_POSITION, "pwm": PWM}[mode]
        assert motor[registers.RETURN_DELAY_TIME] == 0
        assert motor[registers.BUS_WATCHDOG] == 5
        assert motor[registers.TORQUE_ENABLE] == 1
        if mode == "pwm":
            assert motor[registers.GOAL_PWM] == 0
        else:
            assert motor[registers.GOAL_POSITION] == motor[registers.PRESENT_POSITION]
            unit = units("XM430-W350", SUPPLY_V, mode)
            assert motor[registers.POSITION_P_GAIN] == round(KP / unit.kp_nm_per_rad)
            assert motor[registers.POSITION_D_GAIN] == round(KD / unit.kd_nm_s_per_rad)
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME, atol=COUNT_RAD)


def test_the_watchdog_is_armed_before_torque_and_torque_comes_last() -> None:
    made = bench()
    made.bus.open()
    made.port.sent.clear()
    made.bus.arm()
    writes = [int.from_bytes(packet[8:10], "little") for packet in made.port.sent if packet[7] in (0x03, 0x83)]
    assert writes[-1] == registers.TORQUE_ENABLE.address
    assert registers.TORQUE_ENABLE.address not in writes[:-1]
    watchdog = [i for i, address in enumerate(writes) if address == registers.BUS_WATCHDOG.address]
    assert watchdog
    assert writes.index(registers.GOAL_POSITION.address) > watchdog[-1]


def test_torque_goes_off_for_eeprom_that_must_be_written() -> None:
    made = armed()
    made.bus.close()
    pwm = DynamixelBus(config(mode="pwm"), made.log, made.wall, made.port.open)
    pwm.open()
    made.port.sent.clear()
    pwm.arm()
    ours = [packet for packet in made.port.sent if packet[4] == IDS[0] and packet[7] == 0x03]
    assert int.from_bytes(ours[0][8:10], "little") == registers.TORQUE_ENABLE.address
    assert ours[0][10] == 0
    assert made.chain.motors[0][registers.OPERATING_MODE] == PWM
    assert made.chain.motors[0][registers.TORQUE_ENABLE] == 1


def test_eeprom_that_is_right_is_not_written_and_torque_stays_on() -> None:
    made = armed()
    made.bus.close()
    made.bus.open()
    made.port.sent.clear()
    made.bus.arm()
    writes = [int.from_bytes(packet[8:10], "little") for packet in made.port.sent if packet[7] == 0x03]
    assert not [address for address in writes if address <= registers.TORQUE_ENABLE.address]


def test_limits_are_kept_by_the_motor_itself() -> None:
    made = bench()
    limited = config()
    bounds = (HOME[0] - 0.2, HOME[0] + 0.1)
    motors = (replace(limited.motors[0], limits_rad=bounds), *limited.motors[1:])
    bus = DynamixelBus(replace(limited, motors=motors), made.log, made.wall, made.port.open)
    bus.open()
    bus.arm()
    assert made.chain.motors[0][registers.MAX_POSITION_LIMIT] == round(bounds[1] / COUNT_RAD) + 2048
    sent = bus.write(pose(HOME + 0.5))
    assert sent.positions_rad[0] == pytest.approx(bounds[1], abs=COUNT_RAD)
    assert made.chain.motors[0][registers.GOAL_POSITION] == round(bounds[1] / COUNT_RAD) + 2048
    far = replace(limited.motors[0], limits_rad=(HOME[0] + 0.3, HOME[0] + 0.6))
    bus = DynamixelBus(replace(limited, motors=(far, *limited.motors[1:])), made.log, made.wall, made.port.open)
    bus.open()
    with pytest.raises(RobotError, match=r"joint_0: Dynamixel 11 stands at .* beyond its limit"):
        bus.arm()


def test_a_motor_that_has_shut_down_is_not_armed() -> None:
    made = bench()
    made.faults.error_bits[IDS[1]] = 0x20
    made.bus.open()
    assert made.bus.read().errors == {"joint_1": "overload"}
    with pytest.raises(RobotError, match="joint_1: Dynamixel 7 has shut down: overload"):
        made.bus.arm()
    assert not any(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)


# Reading and writing


@pytest.mark.parametrize("firmware", [40, 48])
def test_joints_go_where_they_are_sent(firmware: int) -> None:
    made = armed(firmware=firmware)
    goal = HOME + np.array([0.3, -0.2, 0.1, 0.0])
    for _ in range(40):
        sent = made.tick(goal)
    np.testing.assert_allclose(sent.positions_rad, goal, atol=COUNT_RAD)
    readings = made.bus.read()
    np.testing.assert_allclose(readings.positions_rad, goal, atol=2 * COUNT_RAD)
    assert readings.heard.all()
    assert (0x8A if firmware >= 45 else 0x82) in instructions(made)[-4:]
    assert not made.log.counts


@pytest.mark.parametrize("mode", MODES)
def test_a_wheel_is_driven_by_the_torque_that_was_asked_for(mode: DynamixelMode) -> None:
    wheels = Flywheels()
    made = armed(mode=mode, flywheels=wheels)
    for _ in range(150):
        made.tick(HOME + 0.3)
    np.testing.assert_allclose(as_device(wheels.positions_rad), HOME + 0.3, atol=0.05)


def test_host_side_pd_also_takes_torques_and_velocities() -> None:
    wheels = Flywheels()
    made = armed(mode="pwm", flywheels=wheels, torque_limit_nm=1.0)
    zeros = np.zeros(4)
    made.tick()
    for torque, duty in ((0.5, round(0.5 / 4.1 * 885)), (3.0, int(1.0 / 4.1 * 885))):
        command = replace(pose(HOME, 0.0, 0.0), torques_nm=np.full(4, torque))
        assert made.bus.write(command) == command
        assert [motor[registers.GOAL_PWM] for motor in made.chain.motors] == [duty] * 4
    made.bus.write(replace(pose(HOME, 0.0, 0.1), velocities_rad_s=zeros + 1.0))
    assert made.chain.motors[0][registers.GOAL_PWM] > 0


def test_a_torque_limit_is_a_current_limit() -> None:
    wheels = Flywheels()
    made = armed(mode="current_position", flywheels=wheels, torque_limit_nm=0.5)
    wanted = int(0.5 / units("XM430-W350", SUPPLY_V, "current_position").effort_nm)
    assert [motor[registers.GOAL_CURRENT] for motor in made.chain.motors] == [wanted] * 4
    made.tick(HOME + 0.8)
    made.tick(HOME + 0.8)
    assert np.abs(made.bus.read().torques_nm).max() < 0.55


def test_velocities_and_torques_are_the_motors_own() -> None:
    wheels = Flywheels()
    made = armed(flywheels=wheels)
    wheels.push_nm[:] = -np.array([1.0, -1.0, 1.0, -1.0]) * 0.4  # in spec angles: each motor is pushed back
    for _ in range(150):
        made.tick(HOME)
    readings = made.bus.read()
    np.testing.assert_allclose(readings.torques_nm, 0.4, atol=0.05)
    np.testing.assert_allclose(readings.positions_rad - HOME, -0.4 / KP, atol=0.01)


def test_gains_are_written_when_they_change_only() -> None:
    made = armed()
    for _ in range(3):
        made.tick()

    def gains_written(kp: float) -> int:
        made.port.sent.clear()
        for _ in range(10):
            made.wall.advance(0.01)
            made.bus.write(pose(HOME, kp))
        return sum(packet[7:10] == b"\x83\x50\x00" for packet in made.port.sent)

    assert gains_written(KP) == 0
    assert gains_written(2 * KP) == 3
    assert gains_written(2 * KP) == 0


def test_gains_that_a_motor_did_not_hear_are_noticed_and_sent_again() -> None:
    made = armed(health_period_s=0.04)
    made.port.deaf = True
    for _ in range(3):
        made.bus.write(pose(HOME, 2 * KP))
    made.port.deaf = False
    for _ in range(10):
        made.wall.advance(0.01)
        made.bus.read()
        sent = made.bus.write(pose(HOME, 2 * KP))
    assert made.log.counts["gains lost"] >= 1
    unit = units("XM430-W350", SUPPLY_V, "position")
    assert {motor[registers.POSITION_P_GAIN] for motor in made.chain.motors} == {round(2 * KP / unit.kp_nm_per_rad)}
    np.testing.assert_allclose(sent.kp_nm_per_rad, 2 * KP, rtol=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_command_that_is_no_number_is_refused_and_not_sent(bad: float) -> None:
    made = armed()
    made.port.sent.clear()
    with pytest.raises(RobotFault, match="joint_2"):
        made.bus.write(pose(np.array([0.0, 0.0, bad, 0.0])))
    assert made.port.sent == []


# Replies lost and damaged


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


# Health


def test_voltage_and_temperature_of_every_motor_are_known_within_a_period() -> None:
    made = armed(health_period_s=0.2)
    made.faults.sag_v = 1.5
    made.faults.overheat_c[IDS[3]] = 25.0
    for _ in range(25):
        made.tick()
    readings = made.bus.read()
    np.testing.assert_allclose(readings.voltages_v, SUPPLY_V - 1.5)
    np.testing.assert_allclose(readings.temperatures_c, [30.0, 30.0, 30.0, 55.0])
    assert readings.errors == {}


def test_most_ticks_ask_for_the_present_only() -> None:
    made = armed(health_period_s=1.0)
    for _ in range(10):
        made.tick()
    made.port.sent.clear()
    for _ in range(100):
        made.tick(period_s=0.008)
    assert instructions(made).count(0x8A) == 100
    assert 2 <= instructions(made).count(0x02) <= 6


def test_an_alert_is_put_into_words_at_once_and_forgotten_with_it() -> None:
    made = armed(health_period_s=100.0)
    for _ in range(8):
        made.tick()
    made.faults.error_bits[IDS[1]] = 0x24
    made.tick()
    assert made.bus.read().errors == {"joint_1": "overheating, overload; torque is off"}
    made.faults.error_bits.clear()
    made.chain.motors[1].reboot()
    made.tick()
    made.tick()
    assert made.bus.read().errors == {"joint_1": "torque is off"}


def test_low_voltage_is_an_error_of_every_motor() -> None:
    made = armed()
    made.faults.sag_v = 4.0
    for _ in range(8):
        made.tick()
    assert made.bus.read().errors == dict.fromkeys(SPEC.joint_names, "input voltage out of limits")


# The motors' watchdog


def test_a_pause_of_the_host_trips_the_watchdogs_and_the_next_write_wakes_them_without_an_event() -> None:
    made = armed()
    made.tick()
    made.wall.advance(5.0)
    made.chain.unasked(made.wall.now())
    assert all(motor[registers.BUS_WATCHDOG] == 0xFF for motor in made.chain.motors)
    for _ in range(30):
        made.tick(HOME + 0.2)
    assert all(motor[registers.BUS_WATCHDOG] == 5 for motor in made.chain.motors)
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME + 0.2, atol=0.01)
    assert not made.log.counts


def test_a_watchdog_that_trips_in_motion_is_an_event_and_is_woken() -> None:
    made = armed(silent_s=1.0, health_period_s=100.0)
    for _ in range(10):
        made.tick()
    made.port.deaf = True  # the cable to the motors hangs loose
    for _ in range(15):
        made.tick(HOME)
        made.chain.unasked(made.wall.now())
    made.port.deaf = False
    for _ in range(40):
        made.tick(HOME + 0.2)
    assert made.log.counts["watchdog tripped"] == 1
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME + 0.2, atol=0.01)


def test_motors_whose_watchdog_has_tripped_are_armed_again() -> None:
    made = armed()
    made.wall.advance(1.0)
    made.chain.unasked(made.wall.now())
    made.bus.arm()
    assert all(motor[registers.BUS_WATCHDOG] == 5 for motor in made.chain.motors)
    assert all(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)


# Stopping


def test_damping_takes_the_stiffness_and_the_next_write_gives_it_back() -> None:
    made = armed()
    made.tick(HOME + 0.3)
    made.bus.damp()
    made.bus.damp()
    unit = units("XM430-W350", SUPPLY_V, "position")
    for motor in made.chain.motors:
        assert motor[registers.POSITION_P_GAIN] == 0
        assert motor[registers.POSITION_D_GAIN] == round(KD / unit.kd_nm_s_per_rad)
        assert motor[registers.TORQUE_ENABLE] == 1
    stopped = made.bus.read().positions_rad
    made.wall.advance(0.05)
    made.bus.read()
    np.testing.assert_allclose(made.bus.read().positions_rad, stopped, atol=2 * COUNT_RAD)
    for _ in range(40):
        made.tick(HOME + 0.3)
    np.testing.assert_allclose(made.bus.read().positions_rad, HOME + 0.3, atol=0.01)


def test_damping_by_current_gives_way_slowly() -> None:
    wheels = Flywheels()
    made = armed(mode="current_position", flywheels=wheels)
    made.bus.damp()
    limit_nm = 0.1 * 4.1
    wheels.push_nm[0] = limit_nm + 0.2
    for _ in range(40):
        made.wall.advance(0.01)
        readings = made.bus.read()
    assert readings.positions_rad[0] - HOME[0] > 0.3
    assert abs(readings.torques_nm[0]) < limit_nm + (KD + KP * 0.01) * abs(readings.velocities_rad_s[0]) + 0.05
    np.testing.assert_allclose(readings.positions_rad[1:], HOME[1:], atol=0.01)


def test_damping_by_duty_cycle_is_none() -> None:
    made = armed(mode="pwm", flywheels=Flywheels())
    made.tick(HOME + 0.5)
    assert made.chain.motors[0][registers.GOAL_PWM] != 0
    made.bus.damp()
    assert [motor[registers.GOAL_PWM] for motor in made.chain.motors] == [0] * 4


def test_release_lets_go_and_neither_it_nor_damping_raises_on_a_dead_bus() -> None:
    made = armed()
    made.bus.release()
    assert not any(motor[registers.TORQUE_ENABLE] for motor in made.chain.motors)
    assert made.bus.read().errors == {}
    made.bus.arm()
    made.faults.dead.update(IDS)
    made.bus.damp()
    made.bus.release()
    made.bus.close()
    made.bus.close()


def test_a_ctrl_c_in_the_middle_of_a_packet_does_not_block_the_stop() -> None:
    made = armed()
    made.tick(HOME + 0.3)
    made.port.is_using = True
    made.bus.damp()
    assert made.chain.motors[0][registers.POSITION_P_GAIN] == 0
