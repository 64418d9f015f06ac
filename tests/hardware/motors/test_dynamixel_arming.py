"""DynamixelBus from `open` to `arm`, against the emulated chain, bytes by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.emulators.dynamixel_motor import CURRENT_POSITION, PWM
from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel import DynamixelBus, DynamixelMode
from hardware.motors.dynamixel_units import units
from hardware.types import RobotError
from tests.hardware.motors.dynamixel_bench import (
    COUNT_RAD,
    HOME,
    IDS,
    KD,
    KP,
    MODES,
    SPEC,
    SUPPLY_V,
    armed,
    bench,
    config,
    instructions,
    pose,
)

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
