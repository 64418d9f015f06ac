"""A person at a terminal, asked while something goes on. Questions go to standard error, as all that is no result."""

from __future__ import annotations

import os
import select
import sys
import termios
from collections.abc import Callable

import typer

_EVERY_S = 0.02


class Person:
    """Who answers at standard input."""

    @property
    def is_there(self) -> bool:
        """Is standard input a terminal? A pipe, a file or nothing is a No to every question about motion."""
        return sys.stdin is not None and sys.stdin.isatty()

    def say(self, line: str) -> None:
        """A line that is no result."""
        typer.echo(line, err=True)

    def ask(self, question: str, meanwhile: Callable[[], None] | None = None) -> str:
        """A line, stripped; `meanwhile` is called every 20 ms until it is there. The end of standard input is a Ctrl-C.

        What was typed before the question is no answer to it: an Enter that was meant for another would move a robot.
        """
        typer.echo(question, err=True, nl=False)
        if self.is_there:
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
        descriptor, line = sys.stdin.fileno(), b""
        # The descriptor itself: what Python has read ahead, select does not know of.
        while not line.endswith(b"\n"):
            while meanwhile is not None and not select.select([descriptor], [], [], _EVERY_S)[0]:
                meanwhile()
            if not (byte := os.read(descriptor, 1)):
                raise KeyboardInterrupt(": no answer, standard input has ended")
            line += byte
        return line.decode(errors="replace").strip()
