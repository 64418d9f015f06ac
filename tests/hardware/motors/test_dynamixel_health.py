"""What a DynamixelBus finds out about its motors beside their motion: health, and their watchdogs."""

from __future__ import annotations

import numpy as np

from hardware.motors import dynamixel_models as registers
from tests.hardware.motors.dynamixel_bench import (
    HOME,
    IDS,
    SPEC,
    SUPPLY_V,
    armed,
    instructions,
)

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
