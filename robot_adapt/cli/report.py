"""`robot-adapt report`: a run folder's numbers, pictures and page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="Run folder of a demo or an adaptation session.")]) -> None:
    """Write recovery.json, recovery.png and report.html from a run's trials, a session cut short included."""
    from robot_adapt.report.page import sentence, write_report
    from robot_adapt.run_folder import RunFolder

    folder = RunFolder(run)
    typer.echo(sentence(write_report(folder, lambda line: typer.echo(line, err=True))))
    typer.echo(str(folder.report_html))
