"""What can be told to running emulators, a line each: by a person at `emulate`, or by the program that started them."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from hardware.types import RobotError
from robot_adapt.backends import load_hobble
from robot_adapt.emulation import Emulation
from robot_adapt.errors import UserError

HELP = """\
dead ID            the motor no longer answers
error ID BITS      the motor reports these hardware error bits (Dynamixel) or this fault (moteus)
overheat ID C      the motor is hotter by so many degrees
sag V              all voltages are lower by so much
freeze | nan       the IMU says the same for ever, or what is no number
drop RATE          share of packets that are lost, on both lines; likewise merge RATE, late RATE
corrupt RATE       share of bytes in which a bit is turned
unplug motors|imu  the cable is out; plug motors|imu puts it back
heal               all faults are gone, and motors that shut themselves down were off and on
reset [SEED]       the physics stands at its start again
hobble NAME        the robot is hobbled from now on: a name from configs/hobbles/, or a YAML file
where              how far it walked since the reset: what a tape measure says"""


class Commands:
    """Runs one line after another; raises UserError, in a line, for one that means nothing."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._ids = {wired.id for wired in emulation.config.motors.joints.values()}
        self._verbs: dict[str, Callable[[list[str]], str]] = {
            "help": lambda _: HELP,
            "dead": self._dead,
            "error": self._error,
            "overheat": self._overheat,
            "sag": self._sag,
            "freeze": lambda _: self._imu("frozen"),
            "nan": lambda _: self._imu("nan"),
            "drop": lambda words: self._rate("drop", words),
            "corrupt": lambda words: self._rate("corrupt_byte", words),
            "merge": lambda words: self._rate("merge", words),
            "late": lambda words: self._rate("late", words),
            "unplug": lambda words: self._cable(words, out=True),
            "plug": lambda words: self._cable(words, out=False),
            "heal": self._heal,
            "reset": self._reset,
            "hobble": self._hobble,
            "where": self._where,
        }

    def run(self, line: str) -> str:
        """What was done, in words."""
        try:
            verb, *words = shlex.split(line)
            return self._verbs[verb](words)
        except KeyError:
            raise UserError(f"{verb}: there is no such command; help lists them") from None
        except (ValueError, IndexError):
            usage = next((text for text in HELP.splitlines() if line.split()[:1] == text.split()[:1]), "help lists commands")
            raise UserError(f"{line.strip()!r} is not understood: {usage}") from None
        except RobotError as error:
            raise UserError(str(error)) from None

    def _dead(self, words: list[str]) -> str:
        motor = self._motor(words)
        self._emulation.faults.motors.dead.add(motor)
        return f"motor {motor} is dead"

    def _error(self, words: list[str]) -> str:
        motor, bits = self._motor(words), int(words[1], 0)
        self._emulation.faults.motors.error_bits[motor] = bits
        return f"motor {motor} reports {bits:#04x}"

    def _overheat(self, words: list[str]) -> str:
        motor, celsius = self._motor(words), float(words[1])
        self._emulation.faults.motors.overheat_c[motor] = celsius
        return f"motor {motor} is {celsius:g} degC hotter"

    def _sag(self, words: list[str]) -> str:
        self._emulation.faults.motors.sag_v = float(words[0])
        return f"voltages are {float(words[0]):g} V lower"

    def _imu(self, fault: str) -> str:
        setattr(self._emulation.faults.imu, fault, True)
        return f"the IMU is {fault}"

    def _rate(self, fault: str, words: list[str]) -> str:
        rate = float(words[0])
        if not 0.0 <= rate <= 1.0:
            raise UserError(f"{words[0]}: should be a share, from 0 to 1")
        for line in (self._emulation.faults.motors_line, self._emulation.faults.imu_line):
            setattr(line, fault, rate)
        return f"{fault} {rate:g}"

    def _cable(self, words: list[str], out: bool) -> str:
        faults = self._emulation.faults
        lines = {"motors": faults.motors_line, "imu": faults.imu_line}
        if words[0] not in lines:
            raise UserError(f"{words[0]}: there are the lines motors and imu")
        lines[words[0]].unplugged = out
        return f"the cable of {words[0]} is {'out' if out else 'in'}"

    def _heal(self, words: list[str]) -> str:
        self._emulation.heal()
        return "all is well"

    def _reset(self, words: list[str]) -> str:
        self._emulation.reset(int(words[0]) if words else 0)
        return "it stands at its start"

    def _hobble(self, words: list[str]) -> str:
        robot = self._emulation.config.robot
        if robot is None:
            raise UserError("this robot has no model: it cannot be hobbled")
        hobble = load_hobble(words[0], robot.body)
        self._emulation.hobble(hobble)
        return f"hobbled by {hobble}"

    def _where(self, words: list[str]) -> str:
        truth = self._emulation.truth
        if truth is None:
            raise UserError("mock physics walks nowhere")
        return f"{truth.x_m:.3f} m forward, {truth.y_m:.3f} m to the left"

    def _motor(self, words: list[str]) -> int:
        motor = int(words[0])
        if motor not in self._ids:
            raise UserError(f"{motor}: there is no such motor, only {', '.join(map(str, sorted(self._ids)))}")
        return motor
