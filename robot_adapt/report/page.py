"""A run folder's report: recovery.json, recovery.png, report.html, from its trials database or its journal."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from robot_adapt.adapt.config import SessionPlan
from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import TrialRecord
from robot_adapt.aggregator.store import SqliteTrialStore
from robot_adapt.array_file import write_atomically
from robot_adapt.config import load_json
from robot_adapt.errors import UserError
from robot_adapt.policy import policy_file
from robot_adapt.report.plots import MEASURED, draw_recovery
from robot_adapt.report.recovery import Recovery, recovery
from robot_adapt.run_folder import RunFolder
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial

Complain = Callable[[str], None]
_WORTH_WINNING_BACK = 0.05  # of the healthy return; below it a share of the loss is noise


def read_trials(run: RunFolder, complain: Complain = lambda _: None) -> tuple[list[TrialRecord], str]:
    """The run's trials and its start policy's SHA-256; damaged ones are complained of. Raises UserError for no run.

    Of its database, or of its journal where that has more: an aggregator may have fallen behind.
    """
    readings = []
    if run.database.is_file():
        readings.append(_stored(run.database))
    if run.journal.is_dir() and run.policy.is_file():
        trials, damage = Journal(run.journal).readable()
        readings.append(Reading([trial.record for trial in trials], policy_file.sha256(policy_file.load(run.policy)), damage))
    if not readings:
        raise UserError(f"{run.folder}: not a run folder: no {run.database.name}, no {run.journal.name}/ with a policy")
    damage = [line for reading in readings for line in reading.damage]
    fullest = max(readings, key=lambda reading: len(reading.trials))
    if damage and not fullest.trials:
        raise UserError(damage[0])
    for line in damage:
        complain(f"{line}: left out")
    return fullest.trials, fullest.policy_sha256


class Reading(NamedTuple):
    """Trials, their start policy's SHA-256, and a sentence for each that is damaged."""

    trials: list[TrialRecord]
    policy_sha256: str
    damage: list[str]


def _stored(database: Path) -> Reading:
    try:
        store = SqliteTrialStore(database)
        try:
            sealed, policy_sha256 = _only_session(store, str(database))
        finally:
            store.close()
    except UserError as error:
        return Reading([], "", [str(error)])
    except sqlite3.DatabaseError as error:
        return Reading([], "", [f"{database}: {error}"])
    trials, damage = [], []
    for one in sealed:
        try:
            trials.append(one.record)
        except InvalidTrialError as error:
            damage.append(f"{database}: trial {one.number}: {error}")
    return Reading(trials, policy_sha256, damage)


def write_report(run: RunFolder, complain: Complain = lambda _: None) -> Recovery:
    """Writes the three files; `walk.gif` is shown when it is there."""
    trials, policy_sha256 = read_trials(run, complain)
    numbers = replace(recovery(trials, policy_sha256), calibration=_calibration(run, complain))
    text = json.dumps(numbers.as_json(), indent=2, allow_nan=False)
    write_atomically(run.recovery_json, (text + "\n").encode())
    draw_recovery(numbers, trials, run.recovery_png)
    write_atomically(run.report_html, _page(numbers, trials, run).encode())
    return numbers


def _only_session(store: SqliteTrialStore, where: str) -> tuple[list[SealedTrial], str]:
    """The trials of a store's only session, and its policy's SHA-256. Raises UserError when there is not exactly one."""
    sessions = [info for info in store.sessions() if info.trials]
    if len(sessions) != 1:
        raise UserError(f"{where}: holds {len(sessions)} sessions with trials, a report is of one")
    (info,) = sessions
    return store.trials(info.robot, info.session), info.policy_sha256


def _calibration(run: RunFolder, complain: Complain) -> str:
    """The one that the session was started with, in words; a demo has neither that nor a plan."""
    if not run.session.is_file():
        return ""
    try:
        stamp = load_json(run.session, SessionPlan).calibration
    except UserError as error:  # damaged, or by another version: its trials can be reported still
        complain(f"{error}: its calibration is left out")
        return ""
    return "" if stamp is None else f"{stamp.file} of {stamp.date}, SHA-256 {stamp.sha256}"


def sentence(numbers: Recovery) -> str:
    """What happened, for people."""
    parts = [f"Hobbled by {numbers.hobble}." if numbers.hobble else "The robot as it is."]
    for name in ("healthy", "hobbled", "adapted"):
        measured = getattr(numbers, name)
        if measured is not None:
            said = "before" if name == "hobbled" and not numbers.hobble else name
            parts.append(f"{said.capitalize()}: {measured.mean:.2f} m a trial.")
    if numbers.healthy is not None and numbers.hobbled is not None and numbers.adapted is not None:
        effort = f"{numbers.adaptation_trials} trials ({numbers.robot_seconds:.0f} s) of adaptation"
        lost_m, won_m = numbers.healthy.mean - numbers.hobbled.mean, numbers.adapted.mean - numbers.hobbled.mean
        if lost_m < _WORTH_WINNING_BACK * abs(numbers.healthy.mean):
            parts.append(f"The hobble cost almost nothing; {effort} changed the return by {won_m:+.2f} m.")
        elif won_m < 0.0:
            parts.append(f"After {effort} it walks worse, by {-won_m:.2f} m.")
        else:
            parts.append(f"{effort} won back {won_m / lost_m:.0%} of what was lost.")
    return " ".join(parts)


def _page(numbers: Recovery, trials: Sequence[TrialRecord], run: RunFolder) -> str:
    environment = Environment(
        loader=PackageLoader("robot_adapt.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    measured = [(p.value, m) for p in MEASURED if (m := getattr(numbers, p.value)) is not None]
    return environment.get_template("page.html.j2").render(
        n=numbers,
        lead=sentence(numbers),
        measured=measured,
        trials=trials,
        explained=any(trial.why for trial in trials),
        words=_in_words,
        late_ms=_late_ms,
        picture=_base64(run.recovery_png),
        walk=_base64(run.walk_gif) if run.walk_gif.is_file() else "",
    )


def _in_words(events: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(events.items()))


def _late_ms(trial: TrialRecord) -> str:
    """How late the latest of a trial's ticks began; nothing for a trial that kept no such times."""
    late_s = trial.telemetry.get("late_s")
    return "" if late_s is None or not late_s.size else f"{1e3 * float(late_s.max()):.1f}"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
