"""`robot-adapt monitor`: a live table of a robot's joints, IMU, rates and events. Reads only; a lost device is shown."""

from __future__ import annotations

import contextlib
import math
import os
import select
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hardware.types import RobotState
    from robot_adapt.hardware_config import WiredRobot

_SHOWN_EVERY_S = 0.2
_AGAIN_AFTER_S = 1.0
_TICKS = 500  # that rates are taken over
_EVENTS = 5


def monitor(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file, or a name from configs/hardware/.")],
    once: Annotated[bool, typer.Option("--once", help="Print one table after a second of reading, then end.")] = False,
) -> None:
    """Show a robot's joints, IMU, rates and events, live. Reads only: nothing moves. q or Ctrl-C ends it."""
    from rich.console import Console
    from rich.live import Live

    from robot_adapt.cli.wired import load_wired
    from robot_adapt.hardware_config import wired_robot

    described, file = load_wired(robot)
    wired = wired_robot(described, file)
    watch = Watch(wired, 1.0 / described.control_hz)
    console = Console(highlight=False)
    try:
        if once:
            begin_s = wired.clock.now()
            watch.run(lambda: wired.clock.now() > begin_s + 1.0)
            console.print(watch.table())
            if watch.lost:
                raise typer.Exit(1)
            return
        with _keys() as key, Live(console=console, auto_refresh=False, screen=console.is_terminal) as live, _quietly():
            shown_s = -math.inf

            def ended() -> bool:
                nonlocal shown_s
                if wired.clock.now() >= shown_s + _SHOWN_EVERY_S:
                    shown_s = wired.clock.now()
                    live.update(watch.table(), refresh=True)
                return key() in ("q", "Q")

            watch.run(ended)
    finally:
        wired.robot.close()


class Watch:
    """Reads a robot at a rate, opening it again when a device was lost, and knows how the reading went.

    Attributes:
        lost: what no longer answers, in words; empty while all do.

    """

    def __init__(self, wired: WiredRobot, period_s: float) -> None:
        self.lost = "not opened yet"
        self._wired = wired
        self._period_s = period_s
        self._state: RobotState | None = None
        self._read_s: deque[float] = deque(maxlen=_TICKS)
        self._late_s: deque[float] = deque(maxlen=_TICKS)
        self._open_at_s = -math.inf
        self._devices = ""

    def run(self, ended: Callable[[], bool]) -> None:
        """Reads on absolute deadlines until `ended`, which is asked once a tick."""
        clock = self._wired.clock
        begin_s, tick = clock.now(), 0
        while not ended():
            self.tick()
            tick = max(tick, math.floor((clock.now() - begin_s) / self._period_s)) + 1
            deadline_s = begin_s + tick * self._period_s
            clock.sleep_until(deadline_s)
            self._late_s.append(clock.now() - deadline_s)

    def tick(self) -> None:
        """One reading, or, now and then, another try to reach what was lost."""
        from hardware.types import RobotError

        robot, now_s = self._wired.robot, self._wired.clock.now()
        if self.lost and now_s < self._open_at_s:
            return
        try:
            if self.lost:
                found = robot.open()
                models = sorted({motor.model for motor in found.motors})
                self._devices = f"{len(found.motors)} x {', '.join(models)}; {found.imu}"
            self._state = robot.read()
            self._read_s.append(self._wired.clock.now())
            self.lost = ""
        except RobotError as error:
            self.lost = str(error)
            self._open_at_s = now_s + _AGAIN_AFTER_S
            self._read_s.clear()
            robot.close()

    def table(self) -> RenderableType:
        """All that is known now."""
        from rich.console import Group
        from rich.text import Text

        lines: list[RenderableType] = [
            Text(f"{self._wired.robot.spec.name}: {self._devices or 'no devices yet'}", style="bold")
        ]
        if self.lost:
            lines.append(Text(f"LOST: {self.lost}", style="bold red"))
        if self._state is not None:
            lines += [self._joints(self._state), Text(self._body(self._state))]
        counts = ", ".join(f"{reason} {count}" for reason, count in sorted(self._wired.log.counts.items()))
        lines.append(Text(f"events: {counts or 'none'}"))
        lines += [Text(f"  {event}") for event in list(self._wired.log.newest)[: -_EVENTS - 1 : -1]]
        return Group(*lines)

    def _joints(self, state: RobotState) -> RenderableType:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        table.add_column("joint")
        for unit in ("rad", "between", "", "rad/s", "N m", "degC"):
            table.add_column(unit, justify="right")
        table.add_column("error", style="red")
        errors, hot = state.errors or {}, state.temperatures_c
        for k, joint in enumerate(self._wired.robot.spec.joints):
            angle = float(state.positions_rad[k])
            inside = joint.lower_rad <= angle <= joint.upper_rad
            table.add_row(
                joint.name,
                f"{angle:+.3f}",
                f"{joint.lower_rad:+.2f} {joint.upper_rad:+.2f}",
                _place(angle, joint.lower_rad, joint.upper_rad),
                f"{state.velocities_rad_s[k]:+.2f}",
                f"{state.torques_nm[k]:+.2f}",
                "" if hot is None else f"{hot[k]:.0f}",
                errors.get(joint.name, ""),
                style=None if inside else "yellow",
            )
        return table

    def _body(self, state: RobotState) -> str:
        imu = state.imu
        roll, pitch = math.degrees(imu.roll_rad), math.degrees(imu.pitch_rad)
        rates = " ".join(f"{rate:+.2f}" for rate in imu.angular_velocity_rad_s)
        age = "" if imu.time_s is None else f", {1e3 * (state.time_s - imu.time_s):.0f} ms old"
        body = f"battery {state.battery_v:.1f} V; roll {roll:+.1f}, pitch {pitch:+.1f} degrees, {rates} rad/s{age}"
        if len(self._read_s) > 1:
            hz = (len(self._read_s) - 1) / (self._read_s[-1] - self._read_s[0])
            late = sorted(self._late_s)
            late_ms = 1e3 * late[int(0.99 * (len(late) - 1))] if late else 0.0
            body += f"; {hz:.0f} Hz of {1.0 / self._period_s:.0f}, p99 {late_ms:.1f} ms late"
        return body


def _place(angle: float, lower: float, upper: float, width: int = 12) -> str:
    """Where an angle is between its limits, as a picture."""
    share = (angle - lower) / (upper - lower) if math.isfinite(angle) else 0.0
    at = round(max(0.0, min(1.0, share)) * (width - 1))
    return "".join("|" if k == at else "." for k in range(width))


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """Keys as they are pressed, without Enter; none where there is no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield lambda: ""
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield lambda: os.read(descriptor, 1).decode(errors="replace") if select.select([descriptor], [], [], 0.0)[0] else ""
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Ctrl-C is the ordinary end of a monitor."""
    with contextlib.suppress(KeyboardInterrupt):
        yield
