"""ReadingWatch: what a robot's readings say about its health, and for how long. Looks at states; stops nothing itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.limits import BatteryTiers, SafetyLimits
from hardware.spec import RobotSpec
from hardware.still_joints import StillJoints
from hardware.types import FloatArray, RobotState

Report = Callable[[str, str, float, float], None]
"""Is told reason, joint or device, value and limit of what may pass."""

_ABSURD = 1e4  # rad, rad/s, N m: no robot has such


@dataclass(frozen=True)
class Danger:
    """A reason to stop: the fields of its Event, and in words for people."""

    reason: str
    where: str
    value: float
    limit: float
    words: str


class Persistence:
    """For how long a condition has held without a break."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    def held_s(self, condition: bool, now_s: float) -> float:
        if not condition:
            self._since_s = None
            return 0.0
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s


class Unchanged:
    """For how long a value has been the same."""

    def __init__(self) -> None:
        self._value: object = None
        self._since_s = 0.0

    def for_s(self, value: object, now_s: float) -> float:
        if value != self._value:
            self._value, self._since_s = value, now_s
        return now_s - self._since_s


class Battery:
    """The lowest that the filtered voltage has been since it was first heard.

    Args:
        lowest_v: what it had been down to before; forgotten when it is first heard at `warn_v` or more: charged meanwhile.

    """

    def __init__(self, tiers: BatteryTiers, lowest_v: float = math.inf) -> None:
        self._tiers = tiers
        self._filtered_v, self.lowest_v = math.inf, lowest_v
        self._at_s = 0.0

    def look(self, volts: float, now_s: float) -> None:
        """A voltage that is no number is one that nobody measured this time."""
        if not math.isfinite(volts):
            return
        if math.isinf(self._filtered_v):
            self._filtered_v = volts
            if volts >= self._tiers.warn_v:
                self.lowest_v = math.inf
        share = 1.0 - math.exp(-max(now_s - self._at_s, 0.0) / self._tiers.filter_s)
        self._filtered_v += share * (volts - self._filtered_v)
        self._at_s = now_s
        self.lowest_v = min(self.lowest_v, self._filtered_v)


class ReadingWatch:
    """Looks at every reading of a robot, from `connect` to `close`.

    Its dangers: "motor error" (no value), "overspeed" (rad/s), "overheat" (degC), "battery empty" (V), "tilt" (rad), "stale
    reading", "stale imu", "frozen imu", "frozen joint" (s), "stall" (rad from the target). It tells once of "hot" (degC) and
    "battery low" (V), and of a "still joint" (s; see still_joints.py) until it moves. Of the watch before it knows the battery.
    """

    def __init__(self, spec: RobotSpec, limits: SafetyLimits, report: Report, before: ReadingWatch | None = None) -> None:
        self._spec = spec
        self._limits = limits
        self._report = report
        self._overspeed_rad_s = np.array([joint.overspeed_rad_s for joint in limits.joints])
        torque_nm = np.array([joint.torque_nm for joint in limits.joints])
        self._stall_nm = limits.stall_torque * torque_nm
        self._still = StillJoints(torque_nm, limits.frozen_joint_s, limits.frozen_joint_rad, self._tell_still)
        self._battery = None
        if limits.battery is not None:
            known = None if before is None else before._battery
            self._battery = Battery(limits.battery, math.inf if known is None else known.lowest_v)
        self._tilted = Persistence()
        self._reading, self._imu_reading, self._motion = Unchanged(), Unchanged(), Unchanged()
        self._stalled_since_s: dict[int, float] = {}
        self._told: set[tuple[str, str]] = set()

    def is_sound(self, state: RobotState) -> bool:
        """Has the reading the right shapes, and numbers that a robot can have?"""
        n, imu = len(self._spec.joints), state.imu
        rates = imu.angular_velocity_rad_s
        rows = [(state.positions_rad, n), (state.velocities_rad_s, n), (state.torques_nm, n), (rates, 3)]
        if any(values.shape != (size,) for values, size in rows) or imu.orientation_wxyz.shape != (4,):
            return False
        if state.temperatures_c is not None and state.temperatures_c.shape != (n,):
            return False
        largest = float(np.abs(np.concatenate([values for values, _ in rows])).max())
        norm = float(imu.orientation_wxyz @ imu.orientation_wxyz)
        times = (state.time_s, 0.0 if imu.time_s is None else imu.time_s)
        return largest < _ABSURD and 0.9 < norm < 1.1 and all(map(math.isfinite, times))

    def danger(self, state: RobotState, now_s: float, asked_rad: FloatArray | None) -> Danger | None:
        """The first reason to stop that a sound reading gives.

        Args:
            state: sound.
            now_s: when it was read.
            asked_rad: where the joints were last asked to be (n,); None while nobody moves them.

        """
        tilt_rad, limits = state.imu.tilt_rad, self._limits
        tilted_s = self._tilted.held_s(tilt_rad > limits.tilt_rad, now_s)
        return (
            self._at_one_look(state, now_s)
            or (self._lean(tilt_rad, limits.tilt_rad) if tilted_s >= limits.tilt_s else None)
            or self._stale(state, now_s)
            or self._stall(state, now_s, asked_rad)
            or self._frozen(state, now_s, asked_rad)
        )

    def obstacle(self, state: RobotState, now_s: float) -> Danger | None:
        """Why a robot in this sound state must not be armed."""
        return self._at_one_look(state, now_s) or self._lean(state.imu.tilt_rad, self._spec.max_tilt_rad)

    def no_new_trial(self) -> Danger | None:
        """Why the trial that runs is the last."""
        return None if self._limits.battery is None else self._at_most(self._limits.battery.finish_v)

    def _at_one_look(self, state: RobotState, now_s: float) -> Danger | None:
        if state.errors:
            joint, words = next(iter(state.errors.items()))
            return Danger("motor error", joint, math.nan, math.nan, f"the motor of {joint} reports: {words}")
        speeds = np.abs(state.velocities_rad_s)
        if (fast := speeds > self._overspeed_rad_s).any():
            joint, speed, limit = self._first(fast, speeds, self._overspeed_rad_s)
            return Danger("overspeed", joint, speed, limit, f"{joint} turns at {speed:.1f} rad/s, {limit:.1f} are allowed")
        return self._heat(state.temperatures_c) or self._charge(state.battery_v, now_s)

    def _heat(self, temperatures_c: FloatArray | None) -> Danger | None:
        limits = self._limits
        if temperatures_c is None or not np.fmax.reduce(temperatures_c) >= limits.warn_c:  # NaN: not heard of yet
            return None
        hottest = int(np.nanargmax(temperatures_c))
        joint, hot_c = self._spec.joint_names[hottest], float(temperatures_c[hottest])
        if hot_c >= limits.stop_c:
            words = f"the motor of {joint} has {hot_c:.0f} degC, {limits.stop_c:.0f} are too many: let it cool"
            return Danger("overheat", joint, hot_c, limits.stop_c, words)
        self._tell_once("hot", joint, hot_c, limits.warn_c)
        return None

    def _charge(self, volts: float, now_s: float) -> Danger | None:
        if self._battery is None or self._limits.battery is None:
            return None
        self._battery.look(volts, now_s)
        if self._battery.lowest_v <= self._limits.battery.warn_v:
            self._tell_once("battery low", self._spec.name, self._battery.lowest_v, self._limits.battery.warn_v)
        return self._at_most(self._limits.battery.refuse_v)

    def _at_most(self, limit_v: float) -> Danger | None:
        if self._battery is None or self._battery.lowest_v > limit_v:
            return None
        volts = self._battery.lowest_v
        words = f"the battery was down to {volts:.1f} V, {limit_v:.1f} are too few: charge it and connect again"
        return Danger("battery empty", self._spec.name, volts, limit_v, words)

    def _lean(self, tilt_rad: float, limit_rad: float) -> Danger | None:
        if tilt_rad <= limit_rad:
            return None
        words = f"it leans {math.degrees(tilt_rad):.0f} degrees, {math.degrees(limit_rad):.0f} are allowed: put it upright"
        return Danger("tilt", "imu", tilt_rad, limit_rad, words)

    def _stale(self, state: RobotState, now_s: float) -> Danger | None:
        limits, imu, name = self._limits, state.imu, self._spec.name
        imu_time_s = state.time_s if imu.time_s is None else imu.time_s
        motion = imu.orientation_wxyz.tobytes() + imu.angular_velocity_rad_s.tobytes()
        for reason, where, same_s, limit_s in (
            ("stale reading", name, self._reading.for_s(state.time_s, now_s), limits.stale_reading_s),
            ("stale imu", "imu", self._imu_reading.for_s(imu_time_s, now_s), limits.stale_reading_s),
            ("frozen imu", "imu", self._motion.for_s(motion, now_s), limits.frozen_imu_s),
        ):
            if limit_s is not None and same_s > limit_s:
                return Danger(reason, where, same_s, limit_s, f"{where} has said the same for {same_s:.2f} s: is it connected?")
        return None

    def _stall(self, state: RobotState, now_s: float, asked_rad: FloatArray | None) -> Danger | None:
        before, self._stalled_since_s = self._stalled_since_s, {}
        if asked_rad is None or not (strained := np.abs(state.torques_nm) >= self._stall_nm).any():
            return None
        errors, limits = np.abs(asked_rad - state.positions_rad), self._limits
        for k in np.flatnonzero(strained & (errors > limits.stall_error_rad)).tolist():
            since_s = self._stalled_since_s[k] = before.get(k, now_s)
            if now_s - since_s >= limits.stall_s:
                joint = self._spec.joint_names[k]
                words = f"{joint} pushes with all it may and stays {errors[k]:.2f} rad from its target: is it jammed?"
                return Danger("stall", joint, float(errors[k]), limits.stall_error_rad, words)
        return None

    def _frozen(self, state: RobotState, now_s: float, asked_rad: FloatArray | None) -> Danger | None:
        if (found := self._still.frozen(state, now_s, asked_rad)) is None:
            return None
        joint, same_s = self._spec.joint_names[found[0]], found[1]
        words = f"the motor of {joint} has said the same for {same_s:.2f} s, wherever it was sent: its replies are old ones"
        return Danger("frozen joint", joint, same_s, self._limits.frozen_joint_s, words)

    def _tell_still(self, joint: int, same_s: float) -> None:
        self._report("still joint", self._spec.joint_names[joint], same_s, self._limits.frozen_joint_s)

    def _first(self, where: NDArray[np.bool_], values: FloatArray, limits: FloatArray) -> tuple[str, float, float]:
        joint = int(np.argmax(where))
        return self._spec.joint_names[joint], float(values[joint]), float(limits[joint])

    def _tell_once(self, reason: str, where: str, value: float, limit: float) -> None:
        if (reason, where) not in self._told:
            self._told.add((reason, where))
            self._report(reason, where, value, limit)
