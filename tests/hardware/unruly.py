"""An unruly host and a broken robot: what a supervisor is tested with, and the trials in which it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hardware.clock import FakeClock
from hardware.events import EventLog
from hardware.limits import SafetyLimits
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, JointCommand, RobotError, RobotFault, RobotState
from tests.hardware.witness import LIMITS, SPEC, TOUCH_S, Faults, WitnessedRobot, is_sound

_N = len(SPEC.joints)


class Trial:
    """A supervised witness and what an unruly host does to both; `violations` must stay empty."""

    def __init__(self, limits: SafetyLimits = LIMITS, seed: int = 0) -> None:
        self.clock = FakeClock()
        self.events = EventLog()
        self.robot = WitnessedRobot(self.clock, limits, seed)
        self.supervisor = SafetySupervisor(self.robot, limits, self.clock, self.events)
        self.robot.is_stopped = lambda: self.supervisor.stopped_because is not None
        self.supervisor.connect()

    @property
    def violations(self) -> list[str]:
        return self.robot.violations

    def do(self, act: Callable[[], object]) -> bool:
        """Whether it went through; all that may come of it is a RobotError."""
        try:
            result = act()
        except RobotError as error:
            if len(str(error).splitlines()) != 1:
                self.violations.append(f"not a line: {error}")
            return False
        except Exception as error:  # noqa: BLE001  is what must not come
            self.violations.append(f"escaped: {error!r}")
            return False
        finally:
            if self.robot.is_stopped() and not self.robot.damped and self.robot.faults.stop_raises is None:
                self.violations.append("stopped, not damped")
        if isinstance(result, RobotState) and not is_sound(result):
            self.violations.append("a reading that is not sound")
        return True

    def rearm(self) -> bool:
        return self.do(self.supervisor.rearm)

    def reconnect(self) -> bool:
        """As an operator would: off, healed or not, and on again."""
        self.do(self.supervisor.close)
        return self.do(self.supervisor.connect)

    def tick(self, command: JointCommand | None = None, period_s: float = 0.02) -> JointCommand:
        """One of a loop that goes well: raises what read or write raise."""
        self.supervisor.read()
        sent = self.supervisor.write(SPEC.position_command(SPEC.stance_rad) if command is None else command)
        self.clock.advance(period_s - 2.0 * TOUCH_S)
        return sent


def with_value(name: str, index: int, value: float) -> Callable[[RobotState], RobotState]:
    """Damages one number of every reading."""

    def damage(state: RobotState) -> RobotState:
        row = getattr(state, name).copy()
        row[index] = value
        return replace(state, **{name: row})

    return damage


def _imu(**changes: FloatArray | float) -> Callable[[RobotState], RobotState]:
    return lambda state: replace(state, imu=replace(state.imu, **changes))  # type: ignore[arg-type]


def frozen() -> Faults:
    """From its next reading on the robot gives the same one."""
    first: list[RobotState] = []

    def damage(state: RobotState) -> RobotState:
        first.append(state)
        return first[0]

    return Faults(damage=damage)


FAULTS: dict[str, Callable[[], Faults]] = {
    "none": Faults,
    "nan position": lambda: Faults(damage=with_value("positions_rad", 3, math.nan)),
    "inf velocity": lambda: Faults(damage=with_value("velocities_rad_s", 11, math.inf)),
    "nan torque": lambda: Faults(damage=with_value("torques_nm", 0, math.nan)),
    "absurd position": lambda: Faults(damage=with_value("positions_rad", 5, 1e300)),
    "far position": lambda: Faults(damage=with_value("positions_rad", 5, 50.0)),
    "overspeed": lambda: Faults(damage=with_value("velocities_rad_s", 7, -25.0)),
    "fast": lambda: Faults(damage=with_value("velocities_rad_s", 7, 19.0)),
    "all fast": lambda: Faults(damage=lambda state: replace(state, velocities_rad_s=np.full(_N, -18.0))),
    "short": lambda: Faults(damage=lambda state: replace(state, positions_rad=state.positions_rad[:-1])),
    "nan orientation": lambda: Faults(damage=_imu(orientation_wxyz=np.full(4, math.nan))),
    "zero orientation": lambda: Faults(damage=_imu(orientation_wxyz=np.zeros(4))),
    "nan rates": lambda: Faults(damage=_imu(angular_velocity_rad_s=np.full(3, math.nan))),
    "stuck imu time": lambda: Faults(damage=_imu(time_s=1.0)),
    "nan imu time": lambda: Faults(damage=_imu(time_s=math.nan)),
    "frozen": frozen,
    "frozen imu": lambda: Faults(
        damage=_imu(orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]), angular_velocity_rad_s=np.zeros(3))
    ),
    "nan battery": lambda: Faults(battery_v=math.nan),
    "sag": lambda: Faults(battery_v=12.0),
    "low": lambda: Faults(battery_v=13.7),
    "hot": lambda: Faults(temperature_c=60.0),
    "too hot": lambda: Faults(temperature_c=80.0),
    "inf temperature": lambda: Faults(temperature_c=math.inf),
    "fallen": lambda: Faults(tilt_rad=1.2),
    "leaning": lambda: Faults(tilt_rad=0.6),
    "motor error": lambda: Faults(errors=("fl_hip",)),
    "pushed": lambda: Faults(pushed_rad=0.5),
    "thrown": lambda: Faults(pushed_rad=5.0),
    "jammed": lambda: Faults(jammed=True),
    "silent": lambda: Faults(read_raises=RobotFault("dog: fl_hip (id 1) has not answered for 0.2 s")),
    "read raises": lambda: Faults(read_raises=OSError(5, "Input/output error")),
    "write raises": lambda: Faults(write_raises=ZeroDivisionError("float division by zero")),
    "write faults": lambda: Faults(write_raises=RobotFault("dog: watchdog of fl_hip (id 1) has tripped")),
    "nothing works": lambda: Faults(
        read_raises=OSError(5, "gone"), write_raises=OSError(5, "gone"), stop_raises=OSError(5, "gone")
    ),
}
