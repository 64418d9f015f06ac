"""Verbs run as a person runs them, each a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(*arguments: str | Path, stdin: str = "", blocked: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a verb; `blocked` is a module that cannot be imported."""
    code = f"import sys; sys.modules[{blocked!r}] = None; from robot_adapt.cli.main import main; main()"
    command = [sys.executable, "-c", code] if blocked else [sys.executable, "-m", "robot_adapt"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False, input=stdin, cwd=cwd, timeout=120
    )


def refused(*arguments: str | Path) -> str:
    """The one line that a person reads, exit status 2."""
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("robot-adapt: ")
    return lines[0].removeprefix("robot-adapt: ")


@contextlib.contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A verb that is spoken to while it runs; it is killed where the test that asked for it ends or fails."""
    command = [sys.executable, "-u", "-m", "robot_adapt", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The next line."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_for(condition: Path, pattern: str, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90.0
    while len(list(condition.glob(pattern))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
