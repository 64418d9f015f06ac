"""SafetyLimits: what a robot may be told, and what may be wrong with it for how long. Plain values, part of a robot's YAML.

Position limits are not here: they are the robot's own, in its RobotSpec. Conventions and where they are from: 30 degrees end a
trial (RobotSpec.max_tilt_rad), 45 for 0.3 s are a fault (PX4, mjbots); a command older than 50 ms is stale (Unitree's users);
a position target moves at most 0.2 rad from the previous command (A1); warn at 50 degC (Walk in the Park).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class JointLimits:
    """Of one joint. All bound magnitudes and are positive; a gain's may be zero.

    Attributes:
        velocity_rad_s: how fast a position target may move, and the largest velocity target.
        slew_rad: how far a position target may be from that of the previous command, however long ago that was.
        torque_nm: of kp (q* - q) + kd (dq* - dq) + tau at the measured q and dq.
        kp_nm_per_rad, kd_nm_s_per_rad: the largest gains.
        overspeed_rad_s: a joint measured to be faster than this is out of control.

    """

    velocity_rad_s: float
    slew_rad: float
    torque_nm: float
    kp_nm_per_rad: float
    kd_nm_s_per_rad: float
    overspeed_rad_s: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and (value > 0.0 or (value == 0.0 and field.name.startswith("k")))):
                raise ValueError(f"{field.name} must be positive and finite, not {value}")


@dataclass(frozen=True)
class BatteryTiers:
    """Voltages, falling. They are held against the lowest that the filtered voltage has been: rest does not charge a battery.

    Attributes:
        warn_v: told once.
        finish_v: the running trial may end, the next one is refused.
        refuse_v: stopped at once, and not armed again.
        filter_s: time constant of the low-pass filter that lets short sags under load pass.

    """

    warn_v: float
    finish_v: float
    refuse_v: float
    filter_s: float = 1.0

    def __post_init__(self) -> None:
        if not self.warn_v >= self.finish_v >= self.refuse_v > 0.0:
            raise ValueError("battery voltages must fall from warn_v over finish_v to refuse_v, and be positive")
        if not self.filter_s > 0.0:
            raise ValueError(f"filter_s must be positive, not {self.filter_s}")


@dataclass(frozen=True)
class SafetyLimits:
    """Of one robot.

    Attributes:
        joints: in the order of the robot's spec.
        power_w: sum over joints of |torque * velocity|.
        tilt_rad, tilt_s: leaning further than this for so long is a fault; the trial is over before, at RobotSpec.max_tilt_rad.
        warn_c, stop_c: temperatures of motors.
        battery: None where nobody measures its voltage.
        stall_torque: share of the joint's torque_nm that counts as being at the limit.
        stall_error_rad, stall_s: a joint at its torque limit this far from where it was asked to be for so long is jammed.
        stale_command_s: so long without a write, while moving, is a host that hangs.
        stale_reading_s: so long without a new, sound reading of the joints or the IMU is a device that hangs.
        frozen_imu_s: so long with the same orientation and rates to the last bit; None for a unit that has no noise.
        frozen_joint_s, frozen_joint_rad: so long with the same reading of a joint to the last bit, while its target went so far
            to both sides of it.
        late_s: a write that comes later than this after the one before is late.
        late_a_second: more late writes than this within a second are too many.
        sit_rad: joint angles (n,) in which the robot lies and torque may go off; None: damping lets it down.
        sit_s: how long sitting down takes, or damping before torque goes off.

    """

    joints: tuple[JointLimits, ...]
    power_w: float
    tilt_rad: float = math.radians(45.0)
    tilt_s: float = 0.3
    warn_c: float = 50.0
    stop_c: float = 75.0
    battery: BatteryTiers | None = None
    stall_torque: float = 0.9
    stall_error_rad: float = 0.2
    stall_s: float = 0.5
    stale_command_s: float = 0.05
    stale_reading_s: float = 0.05
    frozen_imu_s: float | None = None
    frozen_joint_s: float = 0.5
    frozen_joint_rad: float = 0.1
    late_s: float = 0.03
    late_a_second: int = 5
    sit_rad: tuple[float, ...] | None = None
    sit_s: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "late_a_second" else 1e-6
            if isinstance(value, (int, float)) and not (math.isfinite(value) and value >= least):
                raise ValueError(f"{field.name} must be positive and finite, not {value}")
        if self.warn_c > self.stop_c:
            raise ValueError(f"warn_c {self.warn_c} is above stop_c {self.stop_c}")
