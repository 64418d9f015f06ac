"""A run folder's report: recovery.json, recovery.png, report.html, from its trials database or, without one, its journal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

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
from robot_adapt.report.recovery import Recovery, recovery, stored_trials
from robot_adapt.run_folder import RunFolder

Complain = Callable[[str], None]
_WORTH_WINNING_BACK = 0.05  # of the healthy return; below it a share of the loss is noise


def read_trials(run: RunFolder, complain: Complain = lambda _: None) -> tuple[list[TrialRecord], str]:
    """The run's trials and its start policy's SHA-256; damaged ones are complained of. Raises UserError for no run."""
    if run.database.is_file():
        store = SqliteTrialStore(run.database)
        try:
            return stored_trials(store, str(run.database))
        finally:
            store.close()
    if run.journal.is_dir() and run.policy.is_file():
        trials, damaged = Journal(run.journal).readable()
        for file in damaged:
            complain(f"{file}: left out")
        return [trial.record for trial in trials], policy_file.sha256(policy_file.load(run.policy))
    raise UserError(f"{run.folder}: not a run folder: no {run.database.name}, no {run.journal.name}/ with a policy")


def write_report(run: RunFolder, complain: Complain = lambda _: None) -> Recovery:
    """Writes the three files; `walk.gif` is shown when it is there."""
    trials, policy_sha256 = read_trials(run, complain)
    numbers = replace(recovery(trials, policy_sha256), calibration=_calibration(run, complain))
    text = json.dumps(numbers.as_json(), indent=2, allow_nan=False)
    write_atomically(run.recovery_json, (text + "\n").encode())
    draw_recovery(numbers, trials, run.recovery_png)
    write_atomically(run.report_html, _page(numbers, trials, run).encode())
    return numbers


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
