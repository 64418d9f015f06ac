"""A robot's devices as bytes on pseudo-terminals: what its hardware config describes, with physics behind it, in real time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.clock import Clock, FakeClock
from hardware.composed import turned
from hardware.emulators.emulator import Emulator
from hardware.emulators.faults import ImuFaults, LineFaults, MotorFaults
from hardware.emulators.line import Line
from hardware.emulators.plant import Plant
from hardware.mock import MOCK_V, MockRobot
from hardware.robot import Robot
from hardware.types import ImuReading, JointCommand, RobotState
from robot_adapt.backends import EmulatedRobotConfig, SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig
from sim.hobbles import Hobble

_POWER_OFF_S = 0.2  # emulators look at their faults at least every 0.05 s

if TYPE_CHECKING:
    from sim.simulated_robot import SimulatedRobot, Truth


def simulated_twin(config: HardwareConfig) -> SimulatedRobotConfig | None:
    """The simulated rig of the config's own robot: the shipped one of its name, else one of its model; None without a model."""
    if config.robot is None:
        return None
    with contextlib.suppress(UserError):
        rig = load(shipped("rigs", f"{config.robot.body.name}.yaml"), SimulatedRobotConfig)
        if rig.robot.body.spec.joint_names == config.robot.body.spec.joint_names:
            return rig
    return SimulatedRobotConfig(backend="simulated", robot=config.robot)


def emulation(config: EmulatedRobotConfig, on_truth: Callable[[Truth], None]) -> Emulation:
    """The devices of an emulated rig, with the faults that it begins with."""
    running = Emulation(config.hardware, config.physics or simulated_twin(config.hardware), config.seed, on_truth=on_truth)
    for line in (running.faults.motors_line, running.faults.imu_line):
        for fault, rate in config.faults:
            setattr(line, fault, rate)
    return running


class _Body:
    """Physics as the devices look at it: with the battery of their robot, and `looked` told of every look.

    Put at its start it is held in its stance, as by a hand, until its motors hold it: limp motors alone let it fall.
    """

    def __init__(self, robot: Robot, volts_ratio: float, looked: Callable[[], None]) -> None:
        self._robot = robot
        self._volts_ratio = volts_ratio
        self._looked = looked
        self.spec = robot.spec
        self.held = True
        self.connect, self.stop, self.close = robot.connect, robot.stop, robot.close

    def write(self, command: JointCommand) -> JointCommand:
        self.held = self.held and not command.kp_nm_per_rad.any()
        return command if self.held else self._robot.write(command)

    def read(self) -> RobotState:
        state = self._robot.read()
        self._looked()
        return replace(state, battery_v=state.battery_v * self._volts_ratio)


@dataclass(frozen=True)
class Faults:
    """What goes wrong with the devices; every field may be changed while they run."""

    motors_line: LineFaults
    imu_line: LineFaults
    motors: MotorFaults
    imu: ImuFaults


class Emulation:
    """The motors and the IMU of one robot, each on a line of its own, until closed.

    Args:
        config: what is emulated, with its own signs, zeros and mounting.
        physics: whose body moves; None is a mock: joints follow, nothing falls or walks.
        seed: of the faults.
        byte_time: bytes take as long as at the config's baud rates; else none.
        on_truth: told where the physics is at every look at it.

    Raises:
        UserError: the physics has another number of joints.

    """

    def __init__(
        self, config: HardwareConfig, physics: SimulatedRobotConfig | None, seed: int = 0, byte_time: bool = True,
        on_truth: Callable[[Truth], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.config = config
        self._rig = physics
        spec = config.wired_spec
        clock: Clock
        self._simulated: SimulatedRobot | None = None
        if physics is None:
            clock = FakeClock()
            self._body = _Body(MockRobot(spec, clock), config.motors.supply_v / MOCK_V, lambda: None)
        else:
            _, simulated = simulated_rig(physics)
            ratio = config.motors.supply_v / physics.robot.body.motor.nominal_v
            self._body = _Body(simulated, ratio, lambda: on_truth(simulated.truth()))
            clock = self._simulated = simulated
        try:
            self.plant = Plant(spec, self._body, clock)
        except ValueError as error:
            raise UserError(f"physics: {error}") from None
        self.faults = Faults(LineFaults(), LineFaults(), MotorFaults(), ImuFaults())
        motors, imu = config.motors, config.imu
        motors_line = Line(motors.wire_baud if byte_time else None, self.faults.motors_line, seed)
        imu_line = Line(imu.baud if byte_time else None, self.faults.imu_line, seed + 1)
        self.motors = Emulator(motors.emulated(self.plant, self.faults.motors), motors_line)
        self.imu = Emulator(imu.emulated(self._imu_reading, self.faults.imu), imu_line)

    @property
    def reachable(self) -> HardwareConfig:
        """The config with the ports that the devices are on now."""
        ports = {name: {"port": emulator.path} for name, emulator in (("motors", self.motors), ("imu", self.imu))}
        return self.config.model_copy(
            update={name: getattr(self.config, name).model_copy(update=port) for name, port in ports.items()}
        )

    @property
    def truth(self) -> Truth | None:
        """Where the physics is since its reset; None for a mock, which walks nowhere."""
        return None if self._simulated is None else self._simulated.truth()

    def reset(self, seed: int) -> None:
        """The physics stands at its start again; the devices notice nothing but that."""

        def put_back() -> None:
            self._body.held = True
            if self._simulated is not None:
                self._simulated.reset(np.random.default_rng(seed))

        self.plant.between(put_back)

    def hobble(self, hobble: Hobble) -> None:
        """From now on, and after every reset. Raises UserError for a mock, or where the body cannot have it."""
        if self._rig is None or (simulated := self._simulated) is None:
            raise UserError("mock physics cannot be hobbled")
        dynamics = self._rig.hobbled(hobble).dynamics

        def change() -> None:
            simulated.change(dynamics)
            simulated.dynamics = dynamics

        self.plant.between(change)

    def heal(self) -> None:
        """All faults are gone; motors that shut themselves down, or were without power, are as after power-up."""
        faults = self.faults
        shut_down = {*faults.motors.error_bits, *faults.motors.overheat_c}
        for line in (faults.motors_line, faults.imu_line):
            line.drop = line.corrupt_byte = line.merge = line.late = 0.0
            line.unplugged = False
        faults.motors.error_bits.clear()
        faults.motors.overheat_c.clear()
        faults.motors.sag_v = 0.0
        faults.motors.dead |= shut_down
        if shut_down:
            time.sleep(_POWER_OFF_S)
        faults.motors.dead.clear()
        faults.imu.frozen = faults.imu.nan = False

    def close(self) -> None:
        """Idempotent."""
        self.motors.close()
        self.imu.close()
        self.plant.close()

    def _imu_reading(self) -> ImuReading:
        """As the unit sees it, mounted as it is: turned by the inverse of what turns its readings into the base's."""
        w, x, y, z = self.config.imu.mounting_wxyz
        return turned(self.plant.state().imu, np.array((w, -x, -y, -z)))
