"""The verbs, and what every verb shares: one-line errors, exit status 2 for bad input, 130 for Ctrl-C."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from robot_adapt import __version__
from robot_adapt.cli.adapt import adapt
from robot_adapt.cli.aggregate import aggregate
from robot_adapt.cli.bench import bench
from robot_adapt.cli.calibrate import calibrate
from robot_adapt.cli.check import check
from robot_adapt.cli.demo import demo
from robot_adapt.cli.doctor import doctor
from robot_adapt.cli.emulate import emulate
from robot_adapt.cli.grow_repertoire import grow_repertoire
from robot_adapt.cli.map_elites import map_elites
from robot_adapt.cli.meta_train import meta_train
from robot_adapt.cli.monitor import monitor
from robot_adapt.cli.render import render
from robot_adapt.cli.report import report
from robot_adapt.cli.send import send

# typer carries its own click, or uses the installed one: this is the UsageError of either.
_UsageError: type[typer.BadParameter] = typer.BadParameter.__bases__[0]

Parameters = ParamSpec("Parameters")

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    help="Meta-train a legged robot in simulation, adapt it in about a minute of trials, show its recovery.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _reported(verb: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Turns what a person can mend into one line and an exit status; what is our fault keeps its traceback."""

    @functools.wraps(verb)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        from hardware.types import RobotError
        from robot_adapt.errors import UserError

        try:
            verb(*args, **kwargs)
        except (UserError, RobotError) as error:
            _end(f"robot-adapt: {error}", 2)
        except KeyboardInterrupt as interrupt:
            _end(f"robot-adapt: interrupted{interrupt}", 130)
        except BrokenPipeError:
            _end("", 141)
        except OSError as error:  # a full disk, a folder that may not be written
            _end(f"robot-adapt: {error.filename or 'input or output'}: {error.strerror}", 2)

    return run


def _end(line: str, status: int) -> None:
    if line:
        typer.echo(line, err=True)
    raise typer.Exit(status)


for _verb in (
    demo,
    meta_train,
    grow_repertoire,
    map_elites,
    bench,
    check,
    calibrate,
    monitor,
    emulate,
    adapt,
    aggregate,
    send,
    report,
    render,
    doctor,
):
    app.command()(_reported(_verb))


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version and exit.")
) -> None:
    if version:
        typer.echo(f"robot-adapt {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _interrupt(*_: object) -> None:
    """The first Ctrl-C ends the verb; a second one must not cut short the parking of a robot or the closing of a file."""
    for name in _ENDINGS:
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    """The entry point. SIGTERM and a lost terminal end a verb as Ctrl-C does: robots are stopped, files closed."""
    for name in _ENDINGS:
        if name != signal.SIGHUP or signal.getsignal(name) is not signal.SIG_IGN:  # ignored under nohup
            signal.signal(name, _interrupt)
    try:
        status = app(prog_name="robot-adapt", standalone_mode=False)
    except _UsageError as error:  # an unknown option, a value out of range: one line, as every other error
        typer.echo(f"robot-adapt: {error.format_message()}", err=True)
        status = error.exit_code
    sys.exit(status)
