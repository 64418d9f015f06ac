from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from hardware.calibration import Calibration, JointCalibration
from hardware.clock import FakeClock
from hardware.composed import ComposedRobot, turned
from hardware.motors.bus import MotorIdentity, MotorReadings
from hardware.spec import JointSpec, RobotSpec
from hardware.types import ImuReading, JointCommand, RobotError, RobotFault

SPEC = RobotSpec(
    "pair",
    (
        JointSpec("left", -1, 0.5, -1.0, 1.0, 0.2, 8.0, 0.1),
        JointSpec("right", 1, -0.25, -1.0, 2.0, 0.4, 8.0, 0.1),
    ),
    0.5,
)


@dataclass
class Bus:
    """Motors that are where they were told to be, and note what was done to them."""

    device_rad: list[float] = field(default_factory=lambda: [0.3, 0.15])  # the stance
    errors: dict[str, str] = field(default_factory=dict)
    deaf_for: int = 0
    volts: list[float] = field(default_factory=lambda: [12.0, 11.5])
    arming_fails: bool = False
    deaf: tuple[str, ...] = ()
    did: list[str] = field(default_factory=list)
    written: JointCommand | None = None

    joint_names = SPEC.joint_names

    def open(self) -> tuple[MotorIdentity, ...]:
        self.did.append("open")
        return tuple(MotorIdentity(name, k, "toy", "1") for k, name in enumerate(self.joint_names))

    def arm(self) -> None:
        self.did.append("arm")
        if self.arming_fails:
            raise RobotFault("left (id 0) went silent")

    def read(self) -> MotorReadings:
        heard = np.array([True, self.deaf_for <= 0])
        self.deaf_for -= 1
        return MotorReadings(
            np.array(self.device_rad), np.array([1.0, 2.0]), np.array([0.1, 0.2]), heard, np.array(self.volts),
            np.array([30.0, 31.0]), self.errors,
        )  # fmt: skip

    def write(self, command: JointCommand) -> JointCommand:
        self.did.append("write")
        self.written = command
        return command

    def damp(self) -> tuple[str, ...]:
        self.did.append("damp")
        return self.deaf

    def release(self) -> None:
        self.did.append("release")

    def close(self) -> None:
        self.did.append("close")


class Imu:
    """A unit that reads the same for ever."""

    def __init__(self, reading: ImuReading, broken: bool = False) -> None:
        self.reading = reading
        self.broken = broken
        self.closed = False

    def open(self) -> str:
        if self.broken:
            raise RobotError("/dev/imu: silent")
        return "toy 1"

    def read(self) -> ImuReading:
        return self.reading

    def close(self) -> None:
        self.closed = True


LEVEL = ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.3]))


def robot_of(bus: Bus, imu: Imu | None = None) -> ComposedRobot:
    return ComposedRobot(SPEC, bus, imu or Imu(LEVEL), FakeClock())


def test_states_are_in_the_specs_angles() -> None:
    robot = robot_of(Bus(device_rad=[0.5 - 0.7, -0.25 + 0.9]))
    robot.connect()
    state = robot.read()
    np.testing.assert_allclose(state.positions_rad, [0.7, 0.9])
    np.testing.assert_allclose(state.velocities_rad_s, [-1.0, 2.0])
    np.testing.assert_allclose(state.torques_nm, [-0.1, 0.2])
    assert state.battery_v == 11.5


def test_commands_arrive_in_the_devices_angles_and_come_back_in_the_specs() -> None:
    bus = Bus()
    robot = robot_of(bus)
    robot.connect()
    command = JointCommand(*(np.array(row) for row in ([0.7, 9.0], [1.0, 1.0], [0.5, 0.5], [8.0, 8.0], [0.1, 0.1])))
    sent = robot.write(command)
    assert bus.written is not None
    np.testing.assert_allclose(bus.written.positions_rad, [0.5 - 0.7, -0.25 + 2.0])  # the second one clipped
    np.testing.assert_allclose(bus.written.velocities_rad_s, [-1.0, 1.0])
    np.testing.assert_allclose(bus.written.torques_nm, [-0.5, 0.5])
    np.testing.assert_allclose(bus.written.kp_nm_per_rad, [8.0, 8.0])
    np.testing.assert_allclose(sent.positions_rad, [0.7, 2.0])
    np.testing.assert_allclose(sent.velocities_rad_s, [1.0, 1.0])


def test_open_reads_and_arms_nothing() -> None:
    bus = Bus(device_rad=[9.0, 9.0])
    robot = robot_of(bus)
    identities = robot.open()
    assert [motor.joint for motor in identities.motors] == ["left", "right"]
    assert identities.imu == "toy 1"
    robot.read()
    robot.stop()
    with pytest.raises(RobotError, match="not connected"):
        robot.write(SPEC.position_command(SPEC.stance_rad))
    robot.close()
    assert bus.did == ["open", "close"]


@pytest.mark.parametrize(
    ("bus", "imu", "why"),
    [
        (Bus(device_rad=[-0.7, 0.15]), Imu(LEVEL), "left is at 1.200 rad, its limits are -1.000 to 1.000"),
        (Bus(device_rad=[0.3, math.nan]), Imu(LEVEL), "right is at nan rad"),
        (Bus(errors={"right": "overheated"}), Imu(LEVEL), "the motor of right reports: overheated"),
        (Bus(deaf_for=100), Imu(LEVEL), "the motor of right answers too rarely"),
        (Bus(), Imu(replace(LEVEL, orientation_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))), "leans 180 degrees"),
        (Bus(), Imu(replace(LEVEL, orientation_wxyz=np.full(4, math.nan))), "orientation is not a number"),
    ],
)
def test_what_is_wrong_beforehand_is_told_in_a_line_and_nothing_is_armed(bus: Bus, imu: Imu, why: str) -> None:
    with pytest.raises(RobotError, match="not armed") as caught:
        robot_of(bus, imu).connect()
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert bus.did == ["open", "close"]
    assert imu.closed


def test_a_single_lost_reply_does_not_keep_it_from_arming() -> None:
    bus = Bus(deaf_for=2)
    robot_of(bus).connect()
    assert bus.did == ["open", "arm"]


def test_a_silent_imu_closes_the_motors_port_too() -> None:
    bus = Bus()
    with pytest.raises(RobotError, match="/dev/imu: silent"):
        robot_of(bus, Imu(LEVEL, broken=True)).open()
    assert bus.did == ["open", "close"]


def test_arming_that_fails_half_way_releases_what_was_armed() -> None:
    bus = Bus(arming_fails=True)
    with pytest.raises(RobotFault, match="went silent"):
        robot_of(bus).connect()
    assert bus.did == ["open", "arm", "damp", "release", "close"]


def test_a_stop_that_a_joint_did_not_hear_is_a_fault() -> None:
    bus = Bus(deaf=("left",))
    robot = robot_of(bus)
    robot.connect()
    with pytest.raises(RobotFault, match="left did not hear that the robot is to stop"):
        robot.stop()
    robot.close()
    assert bus.did == ["open", "arm", "damp", "damp", "release", "close"]


def test_close_damps_then_releases_then_closes_also_when_one_of_them_raises() -> None:
    class Broken(Bus):
        def damp(self) -> tuple[str, ...]:
            super().damp()
            raise OSError("cable pulled")

    bus, imu = Broken(), Imu(LEVEL)
    robot = robot_of(bus, imu)
    robot.connect()
    with pytest.raises(OSError, match="cable"):
        robot.close()
    assert bus.did == ["open", "arm", "damp", "release", "close"]
    assert imu.closed
    robot.close()
    assert bus.did[-1] == "close"
    assert bus.did.count("release") == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"reference_rad": 0.6}, "left measures 0.200 rad, calibrated 0.600 rad"),
        ({"device_id": 7}, "left was calibrated with id 7, toy, now it is id 0, toy"),
    ],
)
def test_a_calibrated_robot_is_armed_with_its_own_motors_in_its_reference_pose_only(change: dict[str, float], why: str) -> None:
    joints = [
        JointCalibration(joint.name, k, "toy", joint.sign, joint.offset_rad, -1.0, 1.0, joint.stance_rad)
        for k, joint in enumerate(SPEC.joints)
    ]
    joints[0] = replace(joints[0], **change)  # type: ignore[arg-type]
    calibration = Calibration("pair", "2026-01-01", "standing", tuple(joints))
    robot = ComposedRobot(calibration.applied(SPEC), Bus(), Imu(LEVEL), FakeClock(), calibration=calibration)
    if why:
        with pytest.raises(RobotError, match=f"not armed: {why}"):
            robot.connect()
    else:
        robot.connect()


def test_motors_in_another_order_are_refused() -> None:
    bus = Bus()
    bus.joint_names = ("right", "left")
    with pytest.raises(RobotError, match="not of its joints in order"):
        robot_of(bus)


def test_voltages_nobody_knows_yet_are_left_out() -> None:
    robot = robot_of(Bus(volts=[math.nan, 11.0]))
    robot.open()
    assert robot.read().battery_v == 11.0


@pytest.mark.parametrize(
    ("mounting", "unit_orientation", "unit_rates"),
    [
        # The unit's x points to the robot's left: a robot that is level and yawed 0 has a unit yawed by 90 degrees.
        ((math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)), (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)), (2.0, -1.0, 3.0)),
        # Upside down, turned about x.
        ((0.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (1.0, -2.0, -3.0)),
    ],
)
def test_a_turned_imu_reads_as_the_base(
    mounting: tuple[float, ...], unit_orientation: tuple[float, ...], unit_rates: tuple[float, ...]
) -> None:
    """The base is level and turns at (1, 2, 3) rad/s."""
    seen = turned(ImuReading(np.array(unit_orientation), np.array(unit_rates)), np.array(mounting))
    np.testing.assert_allclose(np.abs(seen.orientation_wxyz), [1.0, 0.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(seen.angular_velocity_rad_s, [1.0, 2.0, 3.0], atol=1e-12)


def test_a_turned_imu_sees_the_roll_of_the_base_as_a_roll() -> None:
    """The unit's x points to the left; the base rolls by 0.3 rad, which to the unit is a pitch down by -0.3."""
    half = 0.15
    base = np.array([math.cos(half), math.sin(half), 0.0, 0.0])
    mounting = np.array([math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)])
    unit = np.array([
        base[0] * mounting[0], base[1] * mounting[0], -base[1] * mounting[3], base[0] * mounting[3],
    ])  # fmt: skip
    seen = turned(ImuReading(unit, np.zeros(3)), mounting)
    assert seen.roll_rad == pytest.approx(0.3)
    assert seen.pitch_rad == pytest.approx(0.0, abs=1e-12)
