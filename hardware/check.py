"""What is looked at before a robot is trusted: reading only, then one joint at a time. Measurements, without a terminal.

A wrong sign or a swapped id cannot be seen in readings alone, as they go through the same wiring as the commands: that a joint
moved is measured here, which one and where to is for a person to see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.clock import Clock
from hardware.imu.device import Imu
from hardware.limits import SafetyLimits
from hardware.motors.bus import MotorBus, MotorIdentity, MotorReadings
from hardware.robot import Robot
from hardware.safety import SafetySupervisor
from hardware.spec import RobotSpec
from hardware.types import FloatArray, ImuReading, RobotFault

_UPRIGHT_RAD = math.radians(15.0)
_OUTSIDE_RAD = 0.1
_LOST_SHARE = 0.01
# A joint should show this much of a motion that it was asked for; with a foot on the ground it may not.
_FOLLOWED = 0.3
_RAMP_S = 0.5
_GAVE_WAY_RAD = 0.1


@dataclass(frozen=True)
class Finding:
    """One row of a check: what was looked at, what was seen, and what to do; no advice when all is well."""

    what: str
    seen: str
    advice: str = ""

    @property
    def fine(self) -> bool:
        return not self.advice


@dataclass(frozen=True)
class Reading:
    """Some hundred reads of a bus: how long each took (s), how many replies were lost, and the last one."""

    durations_s: FloatArray
    lost: int
    last: MotorReadings

    def percentile_s(self, percent: float) -> float:
        return float(np.percentile(self.durations_s, percent))


def read_often(bus: MotorBus, clock: Clock, reads: int) -> Reading:
    """Reads as fast as the bus answers. Raises RobotFault when it no longer does."""
    durations, lost = [], 0
    for _ in range(reads):
        begin_s = clock.now()
        last = bus.read()
        durations.append(clock.now() - begin_s)
        lost += int((~last.heard).sum())
    return Reading(np.array(durations), lost, last)


def bus_finding(reading: Reading, motors: int, control_hz: float) -> Finding:
    """Is the bus fast and sound enough for a control rate?"""
    p50_s, p99_s = reading.percentile_s(50.0), reading.percentile_s(99.0)
    replies = motors * len(reading.durations_s)
    times = f"{1e3 * p50_s:.2f} ms (p99 {1e3 * p99_s:.2f} ms), at most {1.0 / max(p50_s, 1e-6):.0f} Hz"
    seen = f"{len(reading.durations_s)} reads: {times}, {reading.lost} of {replies} replies lost"
    advice = ""
    if reading.lost > _LOST_SHARE * replies:
        advice = "look at cables, connectors and termination; is this computer busy?"
    elif 2.0 * p99_s > 1.0 / control_hz:
        advice = f"too slow for {control_hz:g} Hz: raise the baud rate, or lower return delay and adapter latency"
    return Finding("bus", seen, advice)


def motor_findings(
    spec: RobotSpec, motors: Sequence[MotorIdentity], last: MotorReadings, limits: SafetyLimits
) -> list[Finding]:
    """A row a motor: identity, voltage, temperature, position, errors."""
    rows = []
    for k, (joint, motor) in enumerate(zip(spec.joints, motors, strict=True)):
        who = f"id {motor.device_id}, {motor.model}, firmware {motor.firmware}"
        angle_rad = joint.sign * (last.positions_rad[k] - joint.offset_rad)
        hot_c, volts = last.temperatures_c[k], last.voltages_v[k]
        seen, advice = f"{who}: {volts:.1f} V, {hot_c:.0f} degC, {angle_rad:+.2f} rad", ""
        if (error := last.errors.get(joint.name)) is not None:
            seen, advice = f"{seen}, {error}", "clear the hardware error: find its cause, then switch power off and on"
        elif limits.battery is not None and volts <= limits.battery.finish_v:
            advice = f"charge the battery: no trial begins at {limits.battery.finish_v:g} V or less"
        elif hot_c >= limits.warn_c:
            advice = f"let it cool down to below {limits.warn_c:.0f} degC"
        elif not joint.lower_rad - _OUTSIDE_RAD <= angle_rad <= joint.upper_rad + _OUTSIDE_RAD:
            advice = f"outside {joint.lower_rad:.2f} to {joint.upper_rad:.2f} rad: move it there by hand, or calibrate"
        rows.append(Finding(joint.name, seen, advice))
    return rows


def imu_finding(identity: str, imu: Imu, clock: Clock, duration_s: float = 0.5) -> Finding:
    """Is it alive, and how often does it tell something new? The rate of a unit that gives no times is that of changes."""
    begin_s, fresh, newest = clock.now(), 0, imu.read()
    while (now_s := clock.now()) < begin_s + duration_s:
        reading = imu.read()
        fresh += _differs(reading, newest)
        newest = reading
        clock.sleep_until(now_s + 0.0005)
    seen = f"{identity}: {fresh / duration_s:.0f} Hz" + (", rates derived" if newest.rates_derived else "")
    if not np.isfinite([*newest.orientation_wxyz, *newest.angular_velocity_rad_s]).all():
        return Finding("IMU", f"{seen}, not a number", "switch it off and on; if that does not help it is broken")
    return Finding("IMU", seen, "" if fresh else "it says the same for ever: switch it off and on")


def upright_finding(reading: ImuReading) -> Finding:
    """Is the robot upright, by an IMU whose mounting is undone?"""
    roll, pitch = math.degrees(reading.roll_rad), math.degrees(reading.pitch_rad)
    upright = reading.tilt_rad <= _UPRIGHT_RAD
    advice = "" if upright else "put the robot level; if it is, correct imu.mounting_wxyz"
    return Finding("upright", f"roll {roll:+.0f}, pitch {pitch:+.0f} degrees", advice)


def small_motion(
    robot: Robot, clock: Clock, joint: int, hold_rad: FloatArray, amplitude_rad: float, duration_s: float, period_s: float
) -> FloatArray:
    """Moves one joint up, down and back, slowly, while all others hold. Returns how much of the motion each one showed (n,).

    1 is all of it, negative is the other way. The motion is shifted and shrunk to be inside the joint's limits.
    """
    lower, upper = (limits[joint] for limits in robot.spec.limits_rad)
    amplitude_rad = min(amplitude_rad, 0.4 * (upper - lower))
    shift_rad = float(np.clip(hold_rad[joint], lower + amplitude_rad, upper - amplitude_rad)) - hold_rad[joint]
    begin_s, rows, seen = clock.now(), [], []
    for tick in range(round(duration_s / period_s) + 1):
        time_s = tick * period_s
        wave, ramp = math.sin(2.0 * math.pi * time_s / duration_s), min(time_s, duration_s - time_s, _RAMP_S) / _RAMP_S
        seen.append(robot.read().positions_rad)
        rows.append((wave, ramp, 1.0))
        goal = hold_rad.copy()
        goal[joint] += amplitude_rad * wave + shift_rad * ramp
        robot.write(robot.spec.position_command(goal))
        clock.sleep_until(begin_s + time_s + period_s)
    # What follows the wave, apart from a shift and from what sags under load.
    shares = np.linalg.lstsq(np.array(rows), np.array(seen), rcond=None)[0][0] / amplitude_rad
    return np.asarray(shares)


def motion_finding(spec: RobotSpec, joint: int, shares: FloatArray) -> Finding:
    """Did the readings show that this joint, and none before it, moved as asked?"""
    most = int(np.argmax(np.abs(shares)))
    seen = f"moved {100.0 * shares[joint]:.0f} % of what was asked"
    advice = ""
    if most != joint and abs(shares[most]) > _FOLLOWED:
        seen, advice = (
            f"{spec.joint_names[most]} moved instead",
            "two ids are swapped, or two cables: calibrate finds out which",
        )
    elif shares[joint] < -_FOLLOWED:
        advice = "it moved the other way: its motor counts against its encoder"
    elif shares[joint] < _FOLLOWED:
        advice = "is it jammed, or a foot on the ground? Lift the robot"
    return Finding(spec.joint_names[joint], seen, advice)


def stop_finding(supervisor: SafetySupervisor, joint: int, push: Callable[[Callable[[], None]], None]) -> Finding:
    """Is a stopped robot deaf to commands, and does it give way to a hand? Leaves it stopped.

    `push` has a person push the joint, and calls what it is given again and again meanwhile.
    """
    supervisor.halt("the check of the stop")
    name, seen = supervisor.spec.joint_names[joint], [float(supervisor.look().positions_rad[joint])]
    try:
        supervisor.write(supervisor.spec.position_command(supervisor.spec.stance_rad))
    except RobotFault:
        pass  # as it should be
    else:
        return Finding("stop", "a stopped robot took a command", "do not use this robot: stop does not stop")
    push(lambda: seen.append(float(supervisor.look().positions_rad[joint])))
    gave_rad = max(seen) - min(seen)
    advice = "" if gave_rad >= _GAVE_WAY_RAD else "if it was pushed, it is stiff: do not use this robot; if not, check again"
    return Finding("stop", f"commands refused, {name} gave way by {gave_rad:.2f} rad", advice)


def _differs(one: ImuReading, other: ImuReading) -> bool:
    if one.time_s is not None:
        return one.time_s != other.time_s
    return not np.array_equal(one.orientation_wxyz, other.orientation_wxyz)
