from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.aggregator.store import SessionInfo, SqliteTrialStore
from robot_adapt.errors import UserError
from robot_adapt.policy import policy_file
from robot_adapt.report.page import read_trials, sentence, write_report
from robot_adapt.report.plots import draw_recovery
from robot_adapt.report.recovery import confidence_interval_95, recovery
from robot_adapt.run_folder import RunFolder
from robot_adapt.trial import Status
from robot_adapt.wire.convert import seal
from tests.builders import record, shipped_policy

SHA = "ab" * 32


def session(**returns: list[float | None]) -> list[TrialRecord]:
    trials: list[TrialRecord] = []
    for phase, values in returns.items():
        for value in values:
            status = Status.ABORTED if value is None else Status.COMPLETED
            trials.append(
                record(len(trials), phase=Phase(phase), value=value, status=status, hobble="" if phase == "healthy" else "<b>")
            )
    return trials


WHOLE = session(healthy=[1.0, 1.2], hobbled=[0.2, 0.4], adaptation=[5.0, None, 0.3], adapted=[0.6, 0.8, None])


def test_the_interval_is_student_s_t() -> None:
    low, high = confidence_interval_95([1.0, 2.0, 3.0, 4.0, 5.0]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((3.0 - 1.9634, 3.0 + 1.9634), abs=1e-3)
    assert confidence_interval_95([1.0]) is None
    low, high = confidence_interval_95(list(np.arange(101.0))) or (0.0, 0.0)
    assert (high - low) / 2 == pytest.approx(1.984 * 29.3 / np.sqrt(101), rel=1e-3)


def test_only_fresh_trials_count_and_aborted_ones_only_as_spent() -> None:
    numbers = recovery(WHOLE, SHA)
    assert numbers.healthy is not None
    assert numbers.adapted is not None
    assert numbers.healthy.mean == pytest.approx(1.1)
    assert numbers.adapted.mean == pytest.approx(0.7)
    assert numbers.healthy.trials == numbers.adapted.trials == 2
    assert numbers.recovered_share == pytest.approx((0.7 - 0.3) / (1.1 - 0.3))
    assert (numbers.adaptation_trials, numbers.robot_seconds, numbers.aborted) == (3, 9.0, 2)


def test_a_session_without_a_healthy_robot_has_no_share() -> None:
    numbers = recovery(session(hobbled=[0.1, 0.2], adaptation=[0.3]), SHA)
    assert (numbers.healthy, numbers.adapted, numbers.recovered_share) == (None, None, None)


def test_where_nothing_was_lost_there_is_no_share() -> None:
    assert recovery(session(healthy=[0.1, 0.1], hobbled=[0.2, 0.2], adapted=[0.3, 0.3]), SHA).recovered_share is None


def test_a_run_s_report_has_all_it_promises_and_escapes_what_people_wrote(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    store = SqliteTrialStore(run.database)
    store.register(SessionInfo("minitaur", "test", SHA))
    for trial in WHOLE:
        store.append(seal(trial))
    store.close()
    write_report(run)
    numbers = json.loads(run.recovery_json.read_text())
    assert numbers["hobbled"]["ci95"][0] < numbers["hobbled"]["mean"] == pytest.approx(0.3)
    expected = {"healthy", "hobbled", "adapted", "recovered_share", "adaptation_trials", "robot_seconds", "seed", "hobble"}
    assert expected | {"policy_sha256"} <= set(numbers)
    page = run.report_html.read_text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "http" not in page
    assert page.count("data:image/png;base64,") == 1
    assert page.count("<tr><td>") == 3 + len(WHOLE)


def test_events_are_told_trial_by_trial_and_in_the_whole_session(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    policy_file.save(shipped_policy(), run.policy)
    for number, events in enumerate([{"slew": 2, "bad packet": 1}, {}, {"slew": 40}]):
        Journal(run.journal).append(seal(record(number, events=events)))
    assert write_report(run).events == {"bad packet": 1, "slew": 42}
    page = run.report_html.read_text()
    assert "<td>bad packet 1, slew 2</td>" in page
    assert "<td>slew 40</td>" in page
    assert "in the whole session: bad packet 1, slew 42." in page.replace("\n  ", " ")


def test_missed_ticks_and_the_latest_one_are_told_trial_by_trial(tmp_path: Path) -> None:
    run = RunFolder.new(tmp_path / "run", "test")
    policy_file.save(shipped_policy(), run.policy)
    journal = Journal(run.journal)
    late = {"late_s": np.array([[0.0], [0.0123], [0.001]], dtype=np.float32)}
    journal.append(seal(record(0, missed_ticks=3, telemetry=late)))
    journal.append(seal(record(1)))
    write_report(run)
    page = run.report_html.read_text()
    assert "<td>3</td><td>12.3</td>" in page
    assert "<td>0</td><td></td>" in page


def test_what_was_tried_and_why_is_told_in_words_where_the_operator_gave_them(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    policy_file.save(shipped_policy(), run.policy)
    journal = Journal(run.journal)
    journal.append(seal(record(0)))
    write_report(run)
    assert "tried because" not in run.report_html.read_text()
    journal.append(seal(record(1, why="member 3 (a weak leg): expected 0.90 +- 0.20 m, not tried yet")))
    write_report(run)
    page = run.report_html.read_text()
    assert "<th>tried because</th>" in page
    assert '<td class="words">member 3 (a weak leg): expected 0.90 +- 0.20 m, not tried yet</td>' in page


def test_a_run_without_a_database_is_reported_from_its_journal(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    policy_file.save(shipped_policy(), run.policy)
    journal = Journal(run.journal)
    for trial in WHOLE[:3]:
        journal.append(seal(trial))
    numbers = write_report(run)
    assert numbers.policy_sha256 == policy_file.sha256(shipped_policy())
    assert numbers.hobbled is not None
    assert numbers.hobbled.ci95 is None


def test_folders_that_are_no_runs_and_sessions_without_trials_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run folder"):
        write_report(RunFolder(tmp_path))
    store = SqliteTrialStore(tmp_path / "trials.sqlite")
    store.register(SessionInfo("minitaur", "test", SHA))
    store.close()
    with pytest.raises(UserError, match="holds 0 sessions with trials"):
        write_report(RunFolder(tmp_path))
    with pytest.raises(UserError, match="no trials yet"):
        recovery([], SHA)


def test_the_sentence_says_what_happened() -> None:
    numbers = replace(recovery(WHOLE, SHA), hobble="0.5 kg on the left")
    assert sentence(numbers) == (
        "Hobbled by 0.5 kg on the left. Healthy: 1.10 m a trial. Hobbled: 0.30 m a trial. Adapted: 0.70 m a trial."
        " 3 trials (9 s) of adaptation won back 50% of what was lost."
    )


def test_the_sentence_claims_no_share_of_a_loss_that_is_noise_and_says_when_it_got_worse() -> None:
    tiny = session(healthy=[1.41, 1.42], hobbled=[1.40, 1.41], adaptation=[1.3], adapted=[1.39, 1.40])
    assert sentence(recovery(tiny, SHA)).endswith(
        "The hobble cost almost nothing; 1 trials (3 s) of adaptation changed the return by -0.01 m."
    )
    worse = session(healthy=[1.4, 1.4], hobbled=[0.7, 0.7], adaptation=[0.6], adapted=[0.5, 0.5])
    assert sentence(recovery(worse, SHA)).endswith("After 1 trials (3 s) of adaptation it walks worse, by 0.20 m.")


def test_a_damaged_trial_is_left_out_of_a_journal_s_report_and_said(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    policy_file.save(shipped_policy(), run.policy)
    journal, said = Journal(run.journal), list[str]()
    for trial in WHOLE[:4]:
        journal.append(seal(trial))
    (run.journal / "000003.trial").write_bytes(b"x")
    numbers = write_report(run, said.append)
    assert numbers.hobbled is not None
    assert numbers.hobbled.trials == 1
    assert len(said) == 1
    assert "000003.trial: damaged trial" in said[0]


def _run(folder: Path, written: int, stored: int) -> RunFolder:
    """A demo's run whose aggregator has got `stored` of its trials."""
    run = RunFolder(folder)
    policy_file.save(shipped_policy(), run.policy)
    journal, store = Journal(run.journal), SqliteTrialStore(run.database)
    store.register(SessionInfo("minitaur", "test", SHA))
    for trial in WHOLE[:written]:
        journal.append(seal(trial))
    for trial in WHOLE[:stored]:
        store.append(seal(trial))
    store.close()
    return run


@pytest.mark.parametrize("stored", [0, 4])
def test_where_an_aggregator_has_fallen_behind_the_journal_is_reported(tmp_path: Path, stored: int) -> None:
    trials, _ = read_trials(_run(tmp_path, written=len(WHOLE), stored=stored))
    assert len(trials) == len(WHOLE)


def test_a_damaged_database_is_said_and_the_journal_reported(tmp_path: Path) -> None:
    run, said = _run(tmp_path, written=len(WHOLE), stored=len(WHOLE)), list[str]()
    page = bytearray(run.database.read_bytes())
    page[4096:] = b"x" * (len(page) - 4096)
    run.database.write_bytes(page)
    trials, _ = read_trials(run, said.append)
    assert len(trials) == len(WHOLE)
    assert len(said) == 1
    assert said[0].startswith(f"{run.database}: ")
    run.policy.unlink()
    with pytest.raises(UserError, match=str(run.database)):
        read_trials(run)


def test_a_damaged_trial_of_a_database_is_left_out_and_said(tmp_path: Path) -> None:
    run, said = _run(tmp_path, written=0, stored=4), list[str]()
    with sqlite3.connect(run.database) as database:
        database.execute("UPDATE trials SET payload = x'00' WHERE number = 2")
    assert [trial.number for trial in read_trials(run, said.append)[0]] == [0, 1, 3]
    assert len(said) == 1
    assert said[0].startswith(f"{run.database}: trial 2: ")


def test_a_note_with_dollars_is_no_formula(tmp_path: Path) -> None:
    trials = session(healthy=[1.0, 1.0], adaptation=[0.5])
    draw_recovery(replace(recovery(trials, SHA), hobble=r"$\leg$ and a $ more"), trials, tmp_path / "recovery.png")
    assert (tmp_path / "recovery.png").stat().st_size > 1000
