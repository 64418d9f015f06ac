"""ComposedRobot: a spec, a motor bus and an IMU make a robot. Signs, zeros and mounting are undone here and nowhere else."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from hardware.calibration import Calibration
from hardware.clock import Clock
from hardware.imu.device import Imu
from hardware.motors.bus import MotorBus, MotorIdentity, MotorReadings
from hardware.spec import RobotSpec
from hardware.types import FloatArray, ImuReading, JointCommand, RobotError, RobotFault, RobotState

UNTURNED_WXYZ = (1.0, 0.0, 0.0, 0.0)
_POSE_TOLERANCE_RAD = 0.1
_TRIES = 20  # readings, until every motor was heard in one of them


@dataclass(frozen=True)
class Identities:
    """What the devices said of themselves."""

    motors: tuple[MotorIdentity, ...]
    imu: str


class ComposedRobot:
    """A Robot of any motor bus and any IMU. Spec angle = sign * (device angle - offset); gains are the same on either side.

    `open` only reads: enough for `read`. `connect` opens, checks, and arms: from then on `write` moves.

    Args:
        mounting_wxyz: how the IMU is turned on the robot: unit quaternion from its frame to the base frame.
        calibration: the one that the spec has its signs, zeros and limits from: motors and pose must be those it knows.

    """

    def __init__(
        self, spec: RobotSpec, bus: MotorBus, imu: Imu, clock: Clock,
        mounting_wxyz: tuple[float, float, float, float] = UNTURNED_WXYZ, calibration: Calibration | None = None,
    ) -> None:  # fmt: skip
        if bus.joint_names != spec.joint_names:
            raise RobotError(f"{spec.name}: its motors are those of {', '.join(bus.joint_names)}, not of its joints in order")
        self._spec = spec
        self._bus = bus
        self._imu = imu
        self._clock = clock
        self._signs = np.array([float(joint.sign) for joint in spec.joints])
        self._offsets_rad = np.array([joint.offset_rad for joint in spec.joints])
        self._mounting = np.array(mounting_wxyz) / np.linalg.norm(mounting_wxyz)
        self._turned = tuple(mounting_wxyz) != UNTURNED_WXYZ
        self._calibration = calibration
        self._identities: Identities | None = None
        self._armed = False

    @property
    def spec(self) -> RobotSpec:
        return self._spec

    @property
    def bus(self) -> MotorBus:
        """For those who look at motors one by one."""
        return self._bus

    @property
    def imu(self) -> Imu:
        """The unit in its own frame, its mounting not undone."""
        return self._imu

    def open(self) -> Identities:
        """Every device heard, reading only: nothing moves; idempotent. Raises RobotError naming the device that is wrong."""
        if self._identities is None:
            with contextlib.ExitStack() as undo:
                undo.callback(self._bus.close)
                motors = self._bus.open()
                undo.callback(self._imu.close)
                self._identities = Identities(motors, self._imu.open())
                undo.pop_all()
        return self._identities

    def connect(self) -> None:
        """Opens, looks whether arming is safe, and arms: joints hold where they are. Raises RobotError saying why not."""
        if self._armed:
            return
        try:
            self._preflight(self.open())
            self._armed = True  # from here on there may be torque to be released
            self._bus.arm()
        except BaseException:
            self.close()
            raise

    def read(self) -> RobotState:
        if self._identities is None:
            raise RobotError(f"{self._spec.name} is not connected: call connect() first")
        return self._state(self._bus.read())

    def write(self, command: JointCommand) -> JointCommand:
        if not self._armed:
            raise RobotError(f"{self._spec.name} is not connected: call connect() first")
        return self._to_spec(self._bus.write(self._to_device(self._spec.within_limits(command))))

    def stop(self) -> None:
        """Raises RobotFault naming the joints that may not have heard it."""
        if self._armed and (deaf := self._bus.damp()):
            raise RobotFault(f"{self._spec.name}: {', '.join(deaf)} did not hear that the robot is to stop")

    def close(self) -> None:
        with contextlib.ExitStack() as every:  # each of them, whatever another raises; the last one first
            every.callback(self._bus.close)
            every.callback(self._imu.close)
            if self._armed:
                every.callback(self._bus.release)
                every.callback(self._bus.damp)
            self._identities, self._armed = None, False

    def _preflight(self, identities: Identities) -> None:
        """Raises RobotError with the first reason not to arm."""
        if self._calibration is not None and (wrong := self._calibration.motor_error(identities.motors)) is not None:
            raise self._refusal(wrong)
        heard = np.zeros(len(self._spec.joints), dtype=np.bool_)
        for _ in range(_TRIES):
            readings = self._bus.read()
            heard |= readings.heard
            if heard.all():
                break
        else:
            silent = self._spec.joint_names[int(np.argmin(heard))]
            raise self._refusal(f"the motor of {silent} answers too rarely: look at its cable")
        state = self._state(readings)
        for joint, error in (state.errors or {}).items():
            raise self._refusal(f"the motor of {joint} reports: {error}")
        if self._calibration is not None and (wrong := self._calibration.pose_error(state.positions_rad)) is not None:
            raise self._refusal(wrong)
        if (wrong := self._pose_error(state.positions_rad)) is not None:
            raise self._refusal(wrong)
        if not np.isfinite(state.imu.orientation_wxyz).all():
            raise self._refusal("the IMU's orientation is not a number: power it off and on")
        if (tilt_rad := state.imu.tilt_rad) > self._spec.max_tilt_rad:
            how = f"the IMU says it leans {math.degrees(tilt_rad):.0f} degrees"
            raise self._refusal(f"{how}: put the robot upright, or correct imu.mounting")

    def _pose_error(self, positions_rad: FloatArray) -> str | None:
        """Why a measured pose cannot be, given the joint limits: zeros or signs are wrong, or a joint is; None when it can."""
        lower, upper = self._spec.limits_rad
        inside = (positions_rad >= lower - _POSE_TOLERANCE_RAD) & (positions_rad <= upper + _POSE_TOLERANCE_RAD)
        if inside.all():
            return None
        k = int(np.argmin(inside))
        joint, angle = self._spec.joints[k], positions_rad[k]
        limits = f"{joint.lower_rad:.3f} to {joint.upper_rad:.3f}"
        return f"{joint.name} is at {angle:.3f} rad, its limits are {limits}: move it there by hand, or calibrate"

    def _refusal(self, why: str) -> RobotError:
        return RobotError(f"{self._spec.name} is not armed: {why}")

    def _state(self, readings: MotorReadings) -> RobotState:
        positions = self._signs * (readings.positions_rad - self._offsets_rad)
        velocities, torques = self._signs * readings.velocities_rad_s, self._signs * readings.torques_nm
        imu = self._imu.read()
        voltages = readings.voltages_v[np.isfinite(readings.voltages_v)]
        return RobotState(
            self._clock.now(), positions, velocities, torques, turned(imu, self._mounting) if self._turned else imu,
            float(voltages.min()) if len(voltages) else math.nan, readings.temperatures_c, MappingProxyType(readings.errors),
        )  # fmt: skip

    def _to_device(self, command: JointCommand) -> JointCommand:
        return replace(
            command,
            positions_rad=self._signs * command.positions_rad + self._offsets_rad,
            velocities_rad_s=self._signs * command.velocities_rad_s,
            torques_nm=self._signs * command.torques_nm,
        )

    def _to_spec(self, command: JointCommand) -> JointCommand:
        return replace(
            command,
            positions_rad=self._signs * (command.positions_rad - self._offsets_rad),
            velocities_rad_s=self._signs * command.velocities_rad_s,
            torques_nm=self._signs * command.torques_nm,
        )


def turned(reading: ImuReading, mounting_wxyz: FloatArray) -> ImuReading:
    """What a unit reads, as the base: q(base to world) = q(unit to world) * conjugate of q(unit to base)."""
    w, x, y, z = mounting_wxyz.tolist()
    a, b, c, d = reading.orientation_wxyz.tolist()
    orientation = np.array([
        a * w + b * x + c * y + d * z,
        -a * x + b * w - c * z + d * y,
        -a * y + b * z + c * w - d * x,
        -a * z - b * y + c * x + d * w,
    ])  # fmt: skip
    p, q, r = reading.angular_velocity_rad_s.tolist()
    # v + 2 w (u x v) + 2 u x (u x v), u the vector part
    s, t, u = y * r - z * q, z * p - x * r, x * q - y * p
    rates = np.array([
        p + 2.0 * (w * s + y * u - z * t),
        q + 2.0 * (w * t + z * s - x * u),
        r + 2.0 * (w * u + x * t - y * s),
    ])  # fmt: skip
    return replace(reading, orientation_wxyz=orientation, angular_velocity_rad_s=rates)
