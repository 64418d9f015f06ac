"""`robot-adapt check`: is this robot as its file says, and does it do what it is told? Reads first; moves after a typed yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from robot_adapt.cli.terminal import Person

if TYPE_CHECKING:
    from hardware.check import Finding
    from robot_adapt.hardware_config import HardwareConfig, WiredRobot

_READS = 300
_AMPLITUDE_RAD = 0.09  # 5 degrees
_MOTION_S = 2.0
_PERIOD_S = 0.02


def check(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file, or a name from configs/hardware/.")],
    readonly: Annotated[bool, typer.Option("--readonly", help="Only look: nothing is armed, nothing moves.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; no port is opened.")] = False,
) -> None:
    """Check a robot: devices, bus, IMU, calibration; then, after a typed yes, each joint by a small motion, and the stop.

    Exit status 0 when all is well, 1 when something is not. Without a terminal it only looks.
    """
    from hardware.check import Finding
    from hardware.real_time import real_time
    from hardware.types import RobotError
    from robot_adapt.cli.wired import load_wired
    from robot_adapt.hardware_config import wired_robot

    config, file = load_wired(robot)
    wired, person = wired_robot(config, file), Person()
    if dry_run:
        for line in _plan(config, wired):
            typer.echo(line)
        return
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        person.say(f"{'ok ' if finding.fine else 'NO '} {finding.what}: {finding.seen}")

    try:
        with real_time(person.say):  # as in a session, so that what is measured is what a session gets
            for finding in look(config, wired):
                tell(finding)
            if not readonly and _may_move(findings, person):
                for finding in move(wired, person):
                    tell(finding)
    except RobotError as error:
        findings.append(Finding("ended", str(error), "mend this, then check again"))
    finally:
        wired.supervisor.close()
        wired.robot.close()
    _show(findings)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def look(config: HardwareConfig, wired: WiredRobot) -> Iterator[Finding]:
    """What can be seen without arming."""
    from hardware import check
    from hardware.serial_port import slow_adapter

    robot, clock, spec = wired.robot, wired.clock, wired.robot.spec
    limits = config.safety.limits(spec, config.motor_torque_nm)
    found = robot.open()
    for port in (config.motors.port, config.imu.port):
        held = slow_adapter(port)
        yield check.Finding("adapter", port, "" if held is None else held)
    reading = check.read_often(robot.bus, clock, _READS)
    yield check.bus_finding(reading, len(found.motors), config.control_hz)
    yield from check.motor_findings(spec, found.motors, reading.last, limits)
    yield check.imu_finding(found.imu, robot.imu, clock)
    state = robot.read()
    yield check.upright_finding(state.imu)
    if wired.calibration is None:
        yield check.Finding("calibration", "none: signs and zeros are those of the robot's file")
    else:
        wrong = wired.calibration.motor_error(found.motors) or wired.calibration.pose_error(state.positions_rad)
        yield check.Finding("calibration", f"of {wired.calibration.date}", wrong or "")


def move(wired: WiredRobot, person: Person) -> Iterator[Finding]:
    """Arms the robot where it is, moves each joint a little, and tries the stop. Everything goes through the supervisor."""
    from hardware import check

    supervisor, clock, spec = wired.supervisor, wired.clock, wired.robot.spec
    supervisor.connect()
    hold_rad = supervisor.read().positions_rad

    def hold() -> None:
        supervisor.read()
        supervisor.write(spec.position_command(hold_rad))

    def motion(joint: int) -> Finding:
        shares = check.small_motion(supervisor, clock, joint, hold_rad, _AMPLITUDE_RAD, _MOTION_S, _PERIOD_S)
        return check.motion_finding(spec, joint, shares)

    person.ask("it holds itself. Lift it, so that no foot touches anything, then press Enter ", hold)
    for k, name in enumerate(spec.joint_names):
        person.say(f"{name} moves: 5 degrees in its positive direction, then back and 5 degrees the other way")
        finding = motion(k)
        if finding.fine and person.ask(f"did {name}, and only it, move that way? [yes/no] ", hold) not in ("yes", "y"):
            advice = f"its sign is wrong, or its id is another joint's: robot-adapt calibrate, or --joint {name}"
            finding = check.Finding(name, f"{finding.seen}, but not as it should", advice)
        yield finding

    def push(meanwhile: Callable[[], None]) -> None:
        person.ask(f"stopped. Push {spec.joint_names[0]} by 10 degrees or more, then press Enter ", meanwhile)

    stopped = check.stop_finding(supervisor, 0, push)
    yield stopped
    if not stopped.fine:
        supervisor.halt("its stop was not seen to work")  # nothing is armed again, nor moved on the way out
        person.say("the stop was not seen to work: nothing is armed again, torque goes off now; cut its power")
        return
    supervisor.rearm()
    hold_rad = supervisor.read().positions_rad
    again = motion(0)
    yield check.Finding("armed again", again.seen, again.advice)
    person.ask("put it back on its feet, then press Enter: it sits down and goes limp ", hold)


def _may_move(findings: list[Finding], person: Person) -> bool:
    if not all(finding.fine for finding in findings):
        person.say("not armed: mend what is wrong first")
        return False
    if not person.is_there:
        person.say("not armed: nobody is at a terminal to say yes")
        return False
    person.say(
        "The robot will hold itself, then move each joint by 5 degrees. Have its power switch at hand, keep fingers away."
    )
    if person.ask("Type yes to arm: ") != "yes":
        person.say("not armed")
        return False
    return True


def _plan(config: HardwareConfig, wired: WiredRobot) -> Iterator[str]:
    joints = wired.robot.spec.joint_names
    yield f"open {config.motors.port} ({config.motors.family}) and {config.imu.port} ({config.imu.family}), reading only"
    yield f"read the {len(joints)} motors {_READS} times: identity, voltage, temperature, position, errors, time, lost replies"
    yield "read the IMU for half a second: rate, upright"
    yield "then, after a typed yes: watchdog, limits, torque on, joints held where they are; have it lifted"
    for name in joints:
        yield f"move {name} by {_AMPLITUDE_RAD:.2f} rad both ways in {_MOTION_S:g} s, and ask what was seen"
    yield f"stop, try a command that should be refused, have {joints[0]} pushed; arm again, move {joints[0]} again"
    yield "have it put back, sit down, torque off, close the ports"


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "seen", "what to do"):
        table.add_column(column)
    for finding in findings:
        table.add_row("ok" if finding.fine else "NO", finding.what, finding.seen, finding.advice)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 250  # a line a finding, for logs
    console.print(table)
