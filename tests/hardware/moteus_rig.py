"""Three emulated moteus servos on a pseudo-terminal, with joints that follow their targets for physics."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from hardware.clock import MonotonicClock
from hardware.emulators.emulator import Emulator
from hardware.emulators.faults import LineFaults, MotorFaults
from hardware.emulators.line import Line
from hardware.emulators.moteus import MoteusChain
from hardware.emulators.plant import Plant
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.motors.moteus_bus import MoteusBus, MoteusConfig, MoteusMotor
from hardware.spec import JointSpec, RobotSpec
from hardware.types import FloatArray, JointCommand

NAMES = ("hip", "knee", "ankle")
SPEC = RobotSpec(
    "three joints",
    tuple(
        JointSpec(name, sign, offset, -2.0, 2.0, stance, 20.0, 0.5)
        for name, sign, offset, stance in zip(NAMES, (1, -1, 1), (0.0, 0.5, -0.3), (0.2, -0.4, 0.6), strict=True)
    ),
    max_tilt_rad=1.0,
)
# The last one counts the turns of its rotor: six for one of the joint.
MOTORS = tuple(
    MoteusMotor(name, device_id, 20.0, 0.5, servo_kp, servo_kd, 5.0, gear)
    for name, device_id, servo_kp, servo_kd, gear in zip(
        NAMES, (1, 7, 126), (200.0, 200.0, 6.0), (5.0, 5.0, 0.15), (1.0, 1.0, 6.0), strict=True
    )
)
SIGNS = np.array([joint.sign for joint in SPEC.joints], dtype=float)
ZEROS_RAD = np.array([joint.offset_rad for joint in SPEC.joints])
STANCE_RAD = SIGNS * SPEC.stance_rad + ZEROS_RAD
"""In the servos' angles."""
PATIENT_S = 1.0
"""How long a busy machine may take for what comes at once."""


@dataclass
class Rig:
    """A bus, and what is behind it."""

    bus: MoteusBus
    chain: MoteusChain
    path: str
    line: LineFaults
    motors: MotorFaults
    log: EventLog = field(default_factory=EventLog)

    def modes(self) -> list[int]:
        return [servo.mode for servo in self.chain.servos.values()]


def plant() -> Plant:
    clock = MonotonicClock()
    return Plant(SPEC, MockRobot(SPEC, clock), clock)


@contextlib.contextmanager
def rig(usb: bool = False, **config: float | bool) -> Iterator[Rig]:
    """By default replies have `PATIENT_S`, and no watchdog trips on a busy machine."""
    faults, motor_faults, log = LineFaults(), MotorFaults(), EventLog()
    chain = MoteusChain(plant(), MOTORS, motor_faults, usb)
    emulator = Emulator(chain, Line(None, faults))
    settings = MoteusConfig(emulator.path, MOTORS, reply_timeout_s=PATIENT_S, watchdog_s=1.27, silent_s=10.0)
    bus = MoteusBus(replace(settings, **config), log)  # type: ignore[arg-type]
    try:
        yield Rig(bus, chain, emulator.path, faults, motor_faults, log)
    finally:
        bus.close()
        emulator.close()


def command(positions_rad: FloatArray, kp: float = 20.0, kd: float = 0.5, torque_nm: float = 0.0) -> JointCommand:
    n = len(NAMES)
    return JointCommand(positions_rad, np.zeros(n), np.full(n, torque_nm), np.full(n, kp), np.full(n, kd))


def wait_until(true: Callable[[], bool], why: str) -> None:
    """Fails after some seconds."""
    until_s = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < until_s, why
        time.sleep(0.005)


def highest_kp(motor: MoteusMotor) -> float:
    """What the whole of the servo's kp is at the joint (N m/rad)."""
    return motor.servo_kp_nm_per_rev * motor.gear_ratio**2 / math.tau
