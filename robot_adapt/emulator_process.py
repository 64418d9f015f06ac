"""Emulators in a process of their own: their physics must not keep the control loop from its deadlines."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from hardware.types import RobotError
from robot_adapt.adapt.return_source import Progress
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig

if TYPE_CHECKING:
    from robot_adapt.backends import EmulatedRobotConfig

_START_S = 60.0
_ANSWER_S = 10.0
_PRIORITY = 10  # of real-time ones; a control loop has 50


class EmulatorProcess:
    """The devices of an emulated robot, running from `start` to `close`; they end with this process, however it ends."""

    def __init__(self, config: EmulatedRobotConfig) -> None:
        context = multiprocessing.get_context("spawn")
        self._truth = context.RawArray(ctypes.c_double, 3)
        self._pipe, there = context.Pipe()
        values = config.model_dump_json()
        self._process = context.Process(target=_serve, args=(values, there, self._truth), name="emulators", daemon=True)
        self._process.start()
        there.close()
        try:
            self.reachable = HardwareConfig.model_validate_json(self._answer(_START_S))
        except BaseException:
            self.close()
            raise

    @property
    def progress(self) -> Progress:
        """Where the robot is, as of the last look at the physics (at every IMU packet): costs nothing, asks nobody."""
        return Progress(*self._truth)

    def command(self, line: str) -> str:
        """See robot_adapt.emulation_commands. Raises UserError for a line that means nothing."""
        return self._answer(_ANSWER_S, line)

    def close(self) -> None:
        """Idempotent."""
        self._pipe.close()
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _answer(self, timeout_s: float, line: str | None = None) -> str:
        try:
            if line is not None:
                self._pipe.send(line)
            if not self._pipe.poll(timeout_s):
                raise RobotError(f"the emulators did not answer for {timeout_s:.0f} s")
            good, text = self._pipe.recv()
        except (EOFError, OSError):
            raise RobotError("the emulators have ended: see what they said above") from None
        if not good:
            raise UserError(text)
        return str(text)


def _serve(values: str, pipe: Connection, truth: ctypes.Array[ctypes.c_double]) -> None:
    """The process: lines in, (good, text) out, until the pipe is closed."""
    # Ctrl-C goes to every process of the terminal: the host parks its robot, which must still be there.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # devices have computers of their own: where allowed, they do not wait for this one
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    from robot_adapt.backends import EmulatedRobotConfig
    from robot_adapt.emulation import emulation
    from robot_adapt.emulation_commands import Commands
    from sim.simulated_robot import Truth

    def note(at: Truth) -> None:
        truth[:] = [at.x_m, at.y_m, at.energy_j]

    try:
        running = emulation(EmulatedRobotConfig.model_validate_json(values), note)
    except (UserError, RobotError) as error:
        pipe.send((False, str(error)))
        return
    commands = Commands(running)
    pipe.send((True, running.reachable.model_dump_json()))
    try:
        while True:
            try:
                pipe.send((True, commands.run(pipe.recv())))
            except UserError as error:
                pipe.send((False, str(error)))
    except (EOFError, OSError):
        pass
    finally:
        running.close()
