"""`robot-adapt send`: what a session could not send while it ran."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def send(
    run: Annotated[Path, typer.Argument(help="Run folder of a session.")],
    aggregator: Annotated[str, typer.Option(help="HOST:PORT of the aggregator.")] = "127.0.0.1:50051",
) -> None:
    """Send a session's journal to an aggregator; trials it has already are acknowledged again and change nothing."""
    from robot_adapt.adapt.journal import Journal
    from robot_adapt.adapt.uplink import send_trial
    from robot_adapt.aggregator.client import RemoteTrialStore
    from robot_adapt.aggregator.store import PolicyMismatchError, SessionInfo, StoreUnavailableError
    from robot_adapt.cli.address import check_address
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file
    from robot_adapt.run_folder import RunFolder

    check_address("--aggregator", aggregator)
    folder = RunFolder(run)
    if not folder.journal.is_dir():
        raise UserError(f"{run}: not a run folder: no {folder.journal.name}/")
    sha256 = policy_file.sha256(policy_file.load(folder.policy))
    journal = Journal(folder.journal)
    trials, _ = journal.readable()
    if not trials:
        raise UserError(f"{folder.journal}: no trials")
    store = RemoteTrialStore(aggregator)
    try:
        store.register(SessionInfo(trials[0].robot, trials[0].session, sha256))
        refusals = [refusal for number in journal.numbers() if (refusal := send_trial(journal, number, store))]
    except (StoreUnavailableError, PolicyMismatchError) as error:
        raise UserError(f"{error}") from None
    finally:
        store.close()
    if refusals:
        raise UserError(f"{len(refusals)} trials are not stored, the others are; the first: {refusals[0]}")
    typer.echo(f"{aggregator} has all {len(trials)} trials of session {trials[0].session} of {trials[0].robot}")
