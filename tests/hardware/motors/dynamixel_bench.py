"""A Dynamixel bus without port, thread or wait: the driver's bytes go into the emulated chain by hand, on a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from hardware.clock import FakeClock
from hardware.emulators.dynamixel import ChainMotor, DynamixelChain
from hardware.emulators.faults import MotorFaults
from hardware.emulators.plant import Plant
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.motors.dynamixel import DynamixelBus, DynamixelConfig, DynamixelMode, DynamixelMotor
from hardware.spec import JointSpec, RobotSpec
from hardware.types import FloatArray, ImuReading, JointCommand, RobotState

SUPPLY_V = 12.0
KP, KD = 5.0, 0.1
IDS = (11, 7, 3, 20)
SPEC = RobotSpec(
    "rig",
    tuple(
        JointSpec(f"joint_{i}", sign, offset, -1.0, 1.0, stance, KP, KD)
        for i, (sign, offset, stance) in enumerate([(1, 0.0, 0.1), (-1, 0.3, -0.2), (1, -0.4, 0.3), (-1, 0.0, 0.0)])
    ),
    0.6,
)
SIGNS = np.array([float(joint.sign) for joint in SPEC.joints])
OFFSETS_RAD = np.array([joint.offset_rad for joint in SPEC.joints])


def as_device(spec_rad: FloatArray) -> FloatArray:
    """Angles of the spec as its motors have them."""
    angles: FloatArray = SIGNS * spec_rad + OFFSETS_RAD
    return angles


HOME = as_device(SPEC.stance_rad)
COUNT_RAD = 2.0 * np.pi / 4096
MODES: tuple[DynamixelMode, ...] = ("position", "current_position", "pwm")


class Flywheels:
    """A Robot whose joints turn under the torque they are given, as a MockRobot's do not; its own clock."""

    spec = SPEC
    _INERTIA_KG_M2 = 0.02
    _STEP_S = 5e-4

    def __init__(self) -> None:
        self._now_s = 0.0
        self.positions_rad = SPEC.stance_rad.copy()
        self.velocities_rad_s = np.zeros(len(IDS))
        self.push_nm = np.zeros(len(IDS))
        self._torques_nm: FloatArray = np.zeros(len(IDS))
        self._command = pose(self.positions_rad, 0.0, 0.0)

    def connect(self) -> None:
        pass

    def now(self) -> float:
        return self._now_s

    def sleep_until(self, deadline_s: float) -> None:
        q, dq, tau, kp, kd = self._command.rows
        while self._now_s < deadline_s:
            self._torques_nm = kp * (q - self.positions_rad) + kd * (dq - self.velocities_rad_s) + tau
            self.velocities_rad_s += (self._torques_nm + self.push_nm) / self._INERTIA_KG_M2 * self._STEP_S
            self.positions_rad += self.velocities_rad_s * self._STEP_S
            self._now_s += self._STEP_S

    def read(self) -> RobotState:
        level = ImuReading(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
        return RobotState(
            self._now_s, self.positions_rad.copy(), self.velocities_rad_s.copy(), self._torques_nm.copy(), level, 16.0
        )

    def write(self, command: JointCommand) -> JointCommand:
        self._command = command
        return command

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def chain(wall: FakeClock, model: str = "XM430-W350", firmware: int = 48, flywheels: Flywheels | None = None) -> DynamixelChain:
    motors = [ChainMotor(joint.name, i, model) for joint, i in zip(SPEC.joints, IDS, strict=True)]
    if flywheels is None:
        clock = FakeClock()
        plant = Plant(SPEC, MockRobot(SPEC, clock), clock, wall=wall)
    else:
        plant = Plant(SPEC, flywheels, flywheels, wall=wall)
    return DynamixelChain(motors, plant, SUPPLY_V, MotorFaults(), wall, firmware=firmware)


def config(**changes: object) -> DynamixelConfig:
    model = str(changes.pop("model", "XM430-W350"))
    torque_limit_nm = changes.pop("torque_limit_nm", None)
    motors = tuple(
        DynamixelMotor(joint.name, i, model, KP, KD, torque_limit_nm)  # type: ignore[arg-type]
        for joint, i in zip(SPEC.joints, IDS, strict=True)
    )
    return replace(DynamixelConfig("hand", motors, SUPPLY_V), **changes)  # type: ignore[arg-type]


class HandPort:
    """What DynamixelLink needs of a port. `tamper` is given the packets answered, and says what arrives of them."""

    def __init__(self, chain: DynamixelChain, wall: FakeClock, baud: int = 1_000_000) -> None:
        self.is_using = False
        self.chain = chain
        self.wall = wall
        self.chain_baud = baud
        self.baud = baud
        self.sent: list[bytes] = []
        self.deaf = False
        self.tamper: Callable[[list[bytes]], Iterable[bytes]] = lambda packets: packets
        self._received = bytearray()

    def open(self, path: str, baud: int, reply_timeout_s: float) -> HandPort:
        self.baud = baud
        return self

    def set_baud(self, baud: int) -> None:
        self.baud = baud

    def close(self) -> None:
        self._received.clear()

    def clearPort(self) -> None:  # noqa: N802
        self._received.clear()

    def writePort(self, packet: Iterable[int]) -> int:  # noqa: N802
        data = bytes(packet)
        self.sent.append(data)
        self.wall.advance(1e-3)
        if self.deaf or self.baud != self.chain_baud:
            return len(data)
        self._received += b"".join(self.tamper(list(self.chain.receive(data))))
        return len(data)

    def readPort(self, length: int) -> bytes:  # noqa: N802
        taken = bytes(self._received[: max(length, 0)])
        del self._received[: max(length, 0)]
        return taken

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        pass

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        pass

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return not self._received

    def getBaudRate(self) -> int:  # noqa: N802
        return self.baud


@dataclass
class Bench:
    """Everything on the table."""

    wall: FakeClock
    chain: DynamixelChain
    port: HandPort
    log: EventLog
    bus: DynamixelBus

    @property
    def faults(self) -> MotorFaults:
        return self.chain.faults

    def tick(self, positions_rad: FloatArray | None = None, period_s: float = 0.01) -> JointCommand:
        """Read and write once; by default the pose that is held."""
        self.wall.advance(period_s)
        readings = self.bus.read()
        return self.bus.write(pose(readings.positions_rad if positions_rad is None else positions_rad))

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick()


def pose(positions_rad: FloatArray, kp: float = KP, kd: float = KD) -> JointCommand:
    n = len(positions_rad)
    return JointCommand(positions_rad, np.zeros(n), np.zeros(n), np.full(n, kp), np.full(n, kd))


def bench(firmware: int = 48, flywheels: Flywheels | None = None, **changes: object) -> Bench:
    wall = FakeClock()
    made = config(**changes)
    emulated = chain(wall, made.motors[0].model, firmware, flywheels)
    port, log = HandPort(emulated, wall), EventLog()
    return Bench(wall, emulated, port, log, DynamixelBus(made, log, wall, port.open))


def armed(**changes: object) -> Bench:
    made = bench(**changes)  # type: ignore[arg-type]
    made.bus.open()
    made.bus.arm()
    return made


def instructions(made: Bench) -> list[int]:
    return [packet[7] for packet in made.port.sent]


def drop(*device_ids: int) -> Callable[[list[bytes]], Iterable[bytes]]:
    """Loses the status packets of some."""

    def tamper(packets: list[bytes]) -> Iterable[bytes]:
        return [packet for packet in packets if packet[4] not in device_ids]

    return tamper
