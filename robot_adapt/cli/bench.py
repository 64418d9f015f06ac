"""`robot-adapt bench`: benchmarks of whole methods, from a config to a table, a picture and words."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Annotated

import typer


class Benchmark(enum.Enum):
    """What there is."""

    RECOVERY = "recovery"


def bench(
    benchmark: Annotated[Benchmark, typer.Argument(help="What is measured.")],
    config: Annotated[str, typer.Option(help="YAML file, or a name from configs/bench/.")] = "minitaur",
    out: Annotated[Path | None, typer.Option(help="Folder of table and pictures; default runs/recovery-CONFIG.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="In place of the config's.")] = None,
    policy: Annotated[str | None, typer.Option(help="File or shipped name, in place of the config's start.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this method, oracle or healthy only; may be given again.")] = None,
    rig: Annotated[list[str] | None, typer.Option(help="Run on this rig only; may be given again.")] = None,
    quick: Annotated[bool, typer.Option(help="Everything once in under a minute; the numbers mean nothing.")] = False,
    draw: Annotated[bool, typer.Option(help="Run nothing: draw what is in the table.")] = False,
    processes: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this one.")] = os.cpu_count() or 1,
) -> None:
    """Hobble a robot in many ways, let every method adapt, and say what share of the loss each wins back.

    Run again, it goes on; what a changed config does not touch is not run again. A method whose policy or map is not made yet,
    or whose extra is not installed, is left out and named.
    """
    from robot_adapt.bench import figures, recovery
    from robot_adapt.bench.config import RecoveryBenchConfig
    from robot_adapt.bench.methods import absent
    from robot_adapt.bench.shares import returns
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.cli.run_folder import run_folder
    from robot_adapt.config import load, shipped_or_file
    from robot_adapt.errors import UserError, named_by
    from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor

    file = shipped_or_file("bench", config)
    settings = load(file, RecoveryBenchConfig)
    if rig:
        if unknown := set(rig) - set(settings.rigs):
            raise UserError(f"--rig {', '.join(sorted(unknown))}: there are {', '.join(settings.rigs)}")
        settings = settings.model_copy(update={"rigs": {name: settings.rigs[name] for name in rig}})
    if seeds is not None:
        settings = settings.model_copy(update={"seeds": seeds})
    if policy is not None:
        settings = settings.starting_from(policy)
    if quick:
        settings = settings.quick()
    folder = out if out is not None else Path("runs") / f"{benchmark.value}-{Path(config).stem}{'-quick' if quick else ''}"
    path = folder / "recovery.csv"
    wanted = only or [recovery.HEALTHY, recovery.ORACLE, *settings.methods]
    with named_by(str(file)):
        left_out = absent(settings, [label for label in settings.methods if label in wanted])
    if not (labels := [label for label in wanted if label not in left_out]):
        raise UserError("; ".join(left_out.values()))
    for reason in left_out.values():
        typer.echo(f"left out: {reason}", err=True)
    with named_by(str(file)):
        planned = recovery.plan(settings, labels)
    to_run = [] if draw else recovery.missing(planned, recovery.read(planned, path))
    if to_run:
        executor = LocalProcessesExecutor(processes) if processes else InProcessExecutor()
        with run_folder(folder), ProgressReport() as progress:
            progress.stage("bouts", len(planned), len(planned) - len(to_run))
            try:
                recovery.carry_out(to_run, path, executor, progress.advance)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(f"; what is done is in {path}: the same command goes on") from None
            finally:
                executor.close()
    methods = [name for name in settings.methods if name in labels]
    start = next(filter(settings.begins_from_start, methods), None)
    if start is None:  # oracles and healthy robots alone, or methods that begin elsewhere: there is nothing to compare with yet
        typer.echo(str(path))
        return
    rows = recovery.read(planned, path)
    of = {name: returns(rows, name, methods, start) for name in settings.rigs}
    figures.draw(of, methods, folder / "recovery.png")
    text = []
    for name, one in of.items():
        text += [*figures.words(name, one, methods), "", figures.table(one, methods, settings.trial_s), ""]
    (folder / "recovery.md").write_text("\n".join(text), encoding="utf-8")
    typer.echo("\n".join(text))
    typer.echo(str(folder))
