"""WitnessedRobot: breaks on command, and checks by itself all that reaches it.

The checks are written anew, from the words of SafetyLimits: nothing of the supervisor's arithmetic is used.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.clock import FakeClock
from hardware.limits import BatteryTiers, JointLimits, SafetyLimits
from hardware.spec import JointSpec, RobotSpec
from hardware.types import FloatArray, ImuReading, JointCommand, RobotError, RobotState

SPEC = RobotSpec(
    "dog",
    tuple(
        JointSpec(f"{leg}_{joint}", 1, 0.0, lower, upper, stance, 20.0, 0.5)
        for leg in ("fl", "fr", "bl", "br")
        for joint, lower, upper, stance in (("hip", -0.8, 0.8, 0.0), ("thigh", -1.0, 2.5, 0.8), ("shank", -2.6, -0.7, -1.5))
    ),
    max_tilt_rad=math.radians(30.0),
)
LIMITS = SafetyLimits(
    joints=tuple(
        JointLimits(
            velocity_rad_s=8.0 + 0.1 * k, slew_rad=0.2, torque_nm=4.0 + 0.1 * k,
            kp_nm_per_rad=40.0, kd_nm_s_per_rad=2.0, overspeed_rad_s=20.0,
        )
        for k in range(len(SPEC.joints))
    ),
    power_w=60.0,
    battery=BatteryTiers(14.0, 13.5, 13.0),
    stale_command_s=0.1,
    frozen_imu_s=0.2,
    sit_rad=tuple(joint.stance_rad + 0.3 for joint in SPEC.joints),
)  # fmt: skip
_N = len(SPEC.joints)
TOUCH_S = 0.0004  # what a read or a write takes
_ROUNDING = 1e-9


@dataclass
class Faults:
    """What ails the robot from now on; the first three are functions of the good reading, the others of the devices."""

    damage: Callable[[RobotState], RobotState] = lambda state: state
    pushed_rad: float = 0.0  # joints are turned by hand, each at the next reading
    jammed: bool = False
    read_raises: Exception | None = None
    write_raises: Exception | None = None
    stop_raises: Exception | None = None
    tilt_rad: float = 0.0
    temperature_c: float = 30.0
    battery_v: float = 16.0
    errors: tuple[str, ...] = ()


class WitnessedRobot:
    """Joints that close on their targets at a finite speed; `violations` is what should not have reached it, in words."""

    def __init__(self, clock: FakeClock, limits: SafetyLimits = LIMITS, seed: int = 0) -> None:
        self.faults = Faults()
        self.violations: list[str] = []
        self.log: deque[str] = deque(maxlen=1000)
        self.written: deque[JointCommand] = deque(maxlen=1000)
        self.checked = 0
        self.is_stopped: Callable[[], bool] = lambda: False  # what its supervisor says
        self._clock = clock
        self._limits = limits
        self._random = np.random.default_rng(seed)
        self._connected = False
        self._positions: FloatArray
        self._velocities: FloatArray

    @property
    def spec(self) -> RobotSpec:
        return SPEC

    @property
    def damped(self) -> bool:
        return self._command is None

    def connect(self) -> None:
        if not self._connected:
            self._positions = SPEC.stance_rad.copy()
            self._velocities = np.zeros(_N)
            self._command: JointCommand | None = None
            self._moved_at_s = self._clock.now()
            self._target: tuple[FloatArray, float] | None = None
            self._sound: tuple[RobotState, float] | None = None
            self._connected = True

    def read(self) -> RobotState:
        if not self._connected:
            raise RobotError(f"{SPEC.name} is not connected: call connect() first")
        self._clock.advance(TOUCH_S)
        if self.faults.read_raises is not None:
            raise self.faults.read_raises
        self._move()
        sound = self._reading()
        state = self.faults.damage(sound)
        if is_sound(state):
            self._sound = (state, self._clock.now())
        return state

    def write(self, command: JointCommand) -> JointCommand:
        if not self._connected:
            raise RobotError(f"{SPEC.name} is not connected: call connect() first")
        if self.is_stopped():
            self.violations.append("a command while stopped")
        self._check(command)
        self._target = (command.positions_rad.copy(), self._clock.now())
        self._clock.advance(TOUCH_S)
        if self.faults.write_raises is not None:
            raise self.faults.write_raises
        self._move()
        self._command = command
        self.log.append("write")
        self.written.append(command)
        return command

    def stop(self) -> None:
        self.log.append("stop")
        self._target = None
        if self.faults.stop_raises is not None:
            raise self.faults.stop_raises
        self._command = None

    def close(self) -> None:
        self.log.append("close")
        self._connected = False

    def _move(self) -> None:
        now_s, faults = self._clock.now(), self.faults
        period_s, self._moved_at_s = now_s - self._moved_at_s, now_s
        before = self._positions
        if self._command is not None and not faults.jammed and period_s > 0.0:
            share = np.minimum(1.0, period_s / 0.03) * (self._command.kp_nm_per_rad > 0.0)
            self._positions = before + np.clip(
                share * (self._command.positions_rad - before), -10.0 * period_s, 10.0 * period_s
            )
        self._velocities = (self._positions - before) / period_s if period_s > 0.0 else np.zeros(_N)
        if faults.pushed_rad:
            self._positions = self._positions + self._random.uniform(-faults.pushed_rad, faults.pushed_rad, _N)

    def _reading(self) -> RobotState:
        faults = self.faults
        torques: FloatArray = np.zeros(_N)
        if self._command is not None:
            torques = self._command.kp_nm_per_rad * (self._command.positions_rad - self._positions)
        half = 0.5 * faults.tilt_rad + 1e-6 * self._random.random()
        imu = ImuReading(np.array([math.cos(half), math.sin(half), 0.0, 0.0]), 0.01 * self._random.standard_normal(3))
        errors = dict.fromkeys(faults.errors, "overload")
        temperatures = np.full(_N, faults.temperature_c)
        temperatures[0] = math.nan
        return RobotState(
            self._clock.now(), self._positions.copy(), self._velocities, torques, imu, faults.battery_v, temperatures, errors
        )

    def _check(self, command: JointCommand) -> None:
        rows, self.checked = command.rows, self.checked + 1
        if any(row.shape != (_N,) or row.dtype != np.float64 or not np.isfinite(row).all() for row in rows):
            self.violations.append("a command that is not finite, of another size or type")
            return
        if self._sound is None:
            self.violations.append("a command before any sound reading")
            return
        (state, read_at_s), limits = self._sound, self._limits.joints
        before, before_s = self._target or (np.clip(state.positions_rad, *SPEC.limits_rad), read_at_s)
        elapsed_s, power_w = self._clock.now() - before_s, 0.0
        columns = zip(*(row.tolist() for row in (*rows, before, state.positions_rad, state.velocities_rad_s)), strict=True)
        for joint, limit, (q, dq, tau, kp, kd, previous, at, speed) in zip(SPEC.joints, limits, columns, strict=True):
            torque = kp * (q - at) + kd * (dq - speed) + tau
            power_w += abs(torque * speed)
            for what, value, bound in (
                ("position", max(joint.lower_rad - q, q - joint.upper_rad), 0.0),
                ("slew", abs(q - previous), min(limit.slew_rad, limit.velocity_rad_s * elapsed_s)),
                ("velocity", abs(dq), limit.velocity_rad_s),
                ("feed-forward", abs(tau), limit.torque_nm),
                ("kp", kp if kp >= 0.0 else math.inf, limit.kp_nm_per_rad),
                ("kd", kd if kd >= 0.0 else math.inf, limit.kd_nm_s_per_rad),
                ("torque", abs(torque), limit.torque_nm),
            ):
                if not value <= bound + _ROUNDING:
                    self.violations.append(f"{what} of {joint.name}: {value}, limit {bound}")
        if not power_w <= self._limits.power_w + _ROUNDING:
            self.violations.append(f"power: {power_w}")


def is_sound(state: RobotState) -> bool:
    """Is it a reading of this robot at all?"""
    rows = (state.positions_rad, state.velocities_rad_s, state.torques_nm)
    if any(row.shape != (_N,) or not (np.abs(row) < 1e4).all() for row in rows):
        return False
    imu, temperatures_c = state.imu, state.temperatures_c
    if imu.orientation_wxyz.shape != (4,) or not abs(float(np.linalg.norm(imu.orientation_wxyz)) - 1.0) < 0.04:
        return False
    if imu.angular_velocity_rad_s.shape != (3,) or not (np.abs(imu.angular_velocity_rad_s) < 1e4).all():
        return False
    if temperatures_c is not None and temperatures_c.shape != (_N,):
        return False
    return math.isfinite(state.time_s) and (imu.time_s is None or math.isfinite(imu.time_s))
