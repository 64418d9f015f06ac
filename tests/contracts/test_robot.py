"""What every Robot does, over all of them."""

from __future__ import annotations

import functools
import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from hardware.clock import Clock, FakeClock
from hardware.composed import ComposedRobot
from hardware.events import EventLog
from hardware.limits import JointLimits, SafetyLimits
from hardware.mock import MockRobot
from hardware.robot import Robot
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, RobotError, RobotFault
from robot_adapt.backends import RobotConfig, SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, read_yaml, shipped, validate
from robot_adapt.emulation import Emulation
from robot_adapt.hardware_config import HardwareConfig, wired_robot
from tests.builders import SPEC, simulated_config

Made = tuple[Robot, Clock]


def _simulated(name: str) -> Made:
    rig, _ = simulated_rig(simulated_config(name))
    return rig.robot, rig.clock


def _mock() -> Made:
    clock = FakeClock()
    return MockRobot(SPEC, clock), clock


def _supervised_mock() -> Made:
    clock = FakeClock()
    joint = JointLimits(
        velocity_rad_s=15.0, slew_rad=0.3, torque_nm=3.5, kp_nm_per_rad=10.0, kd_nm_s_per_rad=1.0, overspeed_rad_s=30.0
    )
    limits = SafetyLimits(joints=(joint,) * len(SPEC.joints), power_w=500.0, sit_rad=tuple(SPEC.stance_rad))
    return SafetySupervisor(MockRobot(SPEC, clock), limits, clock, EventLog()), clock


class _PutBack:
    """A robot on emulated devices, whose physics stands at its start whenever it is connected, as a simulated one does."""

    def __init__(self, emulation: Emulation, robot: ComposedRobot, physics: bool) -> None:
        self._emulation = emulation
        self._physics = physics
        self._robot = robot
        self._connected = False
        self.spec = robot.spec
        self.read, self.write, self.stop = robot.read, robot.write, robot.stop

    def connect(self) -> None:
        if not self._connected:
            self._emulation.reset(0)
        self._robot.connect()
        if not self._connected:  # held where it is measured, on soft gains, it would sag further
            self._robot.write(self.spec.position_command(self.spec.stance_rad))
        while not (self._connected or self._physics or self._is_in_its_stance()):  # a mock is where the last test left it
            time.sleep(0.01)
        self._connected = True

    def _is_in_its_stance(self) -> bool:
        return bool(np.allclose(self._robot.read().positions_rad, self.spec.stance_rad, atol=0.01))

    def close(self) -> None:
        self._robot.close()
        self._connected = False


@functools.cache
def _devices(hardware: str, rig: str | None) -> Emulation:
    """Running from the first test that wants them to the last; patient, as this may be tested on a busy machine."""
    described = read_yaml(shipped("hardware", f"{hardware}.yaml"))
    described["motors"] |= {"silent_s": 5.0, "reply_timeout_s": 0.05, "watchdog_s": 1.2}
    described["imu"] |= {"stale_s": 5.0}
    config = validate(described, HardwareConfig, hardware)
    return Emulation(config, None if rig is None else simulated_config(rig), byte_time=False)


@pytest.fixture(scope="module", autouse=True)
def _closed_devices() -> Iterator[None]:
    yield
    for hardware, rig in EMULATED.values():
        _devices(hardware, rig).close()
    _devices.cache_clear()


def _emulated(hardware: str, rig: str | None) -> Made:
    emulation = _devices(hardware, rig)
    wired = wired_robot(emulation.reachable, None)
    return _PutBack(emulation, wired.robot, rig is not None), wired.clock


def _is_simulated_here(path: Path) -> bool:
    """Every rig of configs/rigs that is simulated is under contract; MuJoCo's where MuJoCo is installed."""
    config = load(path, RobotConfig).root
    if not isinstance(config, SimulatedRobotConfig):
        return False
    return config.engine != "mujoco" or importlib.util.find_spec("mujoco") is not None


RIGS = sorted((Path(__file__).parents[2] / "configs" / "rigs").glob("*.yaml"))
EMULATED: dict[str, tuple[str, str | None]] = {
    "dynamixel, mock": ("minitaur_dynamixel", None),
    "dynamixel, simulated": ("minitaur_dynamixel", "minitaur_training"),
    "moteus, mock": ("laikago_moteus", None),
    "moteus, simulated": ("laikago_moteus", "laikago_training"),
}
ROBOTS: dict[str, Callable[[], Made]] = {
    **{path.stem: functools.partial(_simulated, path.stem) for path in RIGS if _is_simulated_here(path)},
    **{name: functools.partial(_emulated, *which) for name, which in EMULATED.items()},
    "mock": _mock,
    "supervised mock": _supervised_mock,
}


RESOLUTION_RAD = 0.001  # of the coarsest device: a Dynamixel's 4096 counts a turn, rounded


def test_the_shipped_simulated_robots_are_under_contract() -> None:
    assert {"minitaur", "minitaur_training", "laikago"} <= set(ROBOTS)


@pytest.fixture(params=ROBOTS)
def unconnected(request: pytest.FixtureRequest) -> Iterator[Made]:
    made = ROBOTS[request.param]()
    yield made
    made[0].close()


@pytest.fixture
def connected(unconnected: Made) -> Made:
    unconnected[0].connect()
    return unconnected


def test_read_and_write_before_connect_are_refused(unconnected: Made) -> None:
    robot, _ = unconnected
    with pytest.raises(RobotError, match="not connected"):
        robot.read()
    with pytest.raises(RobotError, match="not connected"):
        robot.write(robot.spec.position_command(robot.spec.stance_rad))


def test_read_after_close_is_refused(connected: Made) -> None:
    robot, _ = connected
    robot.close()
    with pytest.raises(RobotError, match="not connected"):
        robot.read()


def test_connect_and_close_may_be_called_twice(connected: Made) -> None:
    robot, _ = connected
    before = robot.read().positions_rad
    robot.connect()
    np.testing.assert_allclose(robot.read().positions_rad, before, atol=0.1)
    robot.close()
    robot.close()


def test_a_reading_is_finite_and_in_spec_order(connected: Made) -> None:
    robot, _ = connected
    state = robot.read()
    for values in (state.positions_rad, state.velocities_rad_s, state.torques_nm):
        assert values.shape == (len(robot.spec.joints),)
        assert np.isfinite(values).all()
    assert np.linalg.norm(state.imu.orientation_wxyz) == pytest.approx(1.0)
    assert state.imu.angular_velocity_rad_s.shape == (3,)


def test_it_stands_upright_in_its_stance_after_connect(connected: Made) -> None:
    robot, _ = connected
    state = robot.read()
    np.testing.assert_allclose(state.positions_rad, robot.spec.stance_rad, atol=0.15)
    assert state.imu.tilt_rad < 0.1


@pytest.mark.parametrize("name", ROBOTS)
def test_each_joint_follows_its_own_target(name: str) -> None:
    robot, clock = ROBOTS[name]()
    try:
        joints = range(len(robot.spec.joints))
        for joint in joints[::7] if name in EMULATED else joints:  # in real time: some, of either sign
            robot.connect()
            standing = _after(robot, clock, robot.spec.stance_rad)
            lower, upper = robot.spec.limits_rad
            step = min(0.3, 0.8 * (upper - robot.spec.stance_rad)[joint], 0.8 * (robot.spec.stance_rad - lower)[joint])
            goal = robot.spec.stance_rad.copy()
            goal[joint] += step
            moved = _after(robot, clock, goal) - standing
            assert int(np.argmax(np.abs(moved))) == joint, robot.spec.joint_names[joint]
            assert 0.15 * step < moved[joint] < 1.6 * step  # the foot is on the ground and the gains are soft
            robot.close()
    finally:
        robot.close()


def _after(robot: Robot, clock: Clock, goal_rad: FloatArray) -> FloatArray:
    """Where the joints are after half a second of following a goal."""
    for _ in range(25):
        robot.read()
        robot.write(robot.spec.position_command(goal_rad))
        clock.sleep_until(clock.now() + 0.02)
    return robot.read().positions_rad


def test_write_returns_what_was_sent_clipped_to_the_limits(connected: Made) -> None:
    robot, clock = connected
    lower, upper = robot.spec.limits_rad
    for beyond, limit in ((upper + 1.0, upper), (lower - 1.0, lower)):
        for _ in range(100):  # a supervised robot gets there by and by
            sent = robot.write(robot.spec.position_command(beyond))
            assert ((sent.positions_rad >= lower - RESOLUTION_RAD) & (sent.positions_rad <= upper + RESOLUTION_RAD)).all()
            if np.allclose(sent.positions_rad, limit, rtol=0.0, atol=RESOLUTION_RAD):
                break
            clock.sleep_until(clock.now() + 0.02)
            robot.read()
        np.testing.assert_allclose(sent.positions_rad, limit, atol=RESOLUTION_RAD)


@pytest.mark.parametrize("field", [f.name for f in fields(SPEC.damping_command())])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_command_that_is_not_finite_is_refused_naming_the_joint(connected: Made, field: str, bad: float) -> None:
    robot, _ = connected
    command = robot.spec.position_command(robot.spec.stance_rad)
    values = getattr(command, field).copy()
    values[3] = bad
    with pytest.raises(RobotFault, match=robot.spec.joint_names[3]):
        robot.write(replace(command, **{field: values}))


def test_a_command_of_the_wrong_size_is_refused(connected: Made) -> None:
    robot, _ = connected
    command = robot.spec.position_command(robot.spec.stance_rad)
    with pytest.raises(RobotFault, match="shape"):
        robot.write(replace(command, positions_rad=np.zeros(3)))


def test_a_refused_command_moves_nothing(connected: Made) -> None:
    robot, clock = connected
    before = robot.read().positions_rad
    with pytest.raises(RobotFault):
        robot.write(robot.spec.position_command(np.full(len(robot.spec.joints), np.nan)))
    clock.sleep_until(clock.now() + 0.3)
    np.testing.assert_allclose(robot.read().positions_rad, before, atol=0.1)


def test_stop_is_allowed_at_any_time_and_twice(unconnected: Made) -> None:
    robot, clock = unconnected
    robot.stop()
    robot.connect()
    robot.stop()
    robot.stop()
    clock.sleep_until(clock.now() + 0.1)
    assert np.isfinite(robot.read().positions_rad).all()


def test_a_stopped_robot_no_longer_pulls_its_joints_to_a_target(connected: Made) -> None:
    robot, clock = connected
    robot.write(robot.spec.position_command(robot.spec.stance_rad + 0.6))
    robot.stop()
    before = robot.read().positions_rad
    after = []
    for _ in range(15):
        clock.sleep_until(clock.now() + 0.02)
        after.append(robot.read().positions_rad)
    assert (after[-1] - after[4]).mean() < 0.1  # without stiffness it stays or sinks, it does not rise
    # in real time the target pulls until the stop is there, which a busy machine delays; not stopped, each goes over 0.44
    assert (after[-1] - before).mean() < (0.1 if isinstance(clock, FakeClock) else 0.4)


def test_it_stands_the_same_after_it_was_closed_and_connected_again(connected: Made) -> None:
    robot, _ = connected
    before = robot.read()
    robot.close()
    robot.connect()
    np.testing.assert_allclose(robot.read().positions_rad, before.positions_rad, atol=0.1)


def test_it_moves_again_after_a_stop(connected: Made) -> None:
    robot, clock = connected
    robot.stop()
    clock.sleep_until(clock.now() + 0.02)
    goal = robot.spec.stance_rad + 0.2
    for _ in range(25):
        robot.write(robot.spec.position_command(goal))
        clock.sleep_until(clock.now() + 0.02)
        robot.read()
    assert np.abs(robot.read().positions_rad - goal).mean() < 0.14  # of 0.2; soft gains sag
