from __future__ import annotations

from pathlib import Path

import pytest

from robot_adapt.adapt.journal import Journal
from robot_adapt.errors import UserError
from tests.builders import sealed


def test_trials_come_back_by_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for number in (1, 0, 10, 2):
        journal.append(sealed(number))
    assert [trial.number for trial in Journal(tmp_path / "journal").trials()] == [0, 1, 2, 10]
    assert journal.trials()[1] == sealed(1)


def test_a_damaged_trial_is_named_and_the_others_are_readable(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(3):
        journal.append(sealed(number))
    (tmp_path / "000001.trial").write_bytes(b"rubbish")
    whole, damaged = journal.readable()
    assert whole == [sealed(0), sealed(2)]
    assert len(damaged) == 1
    assert "000001.trial: damaged trial" in damaged[0]
    assert journal.numbers() == [0, 1, 2]


def test_a_trial_cut_short_anywhere_or_flipped_anywhere_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(sealed(0))
    path = tmp_path / "000000.trial"
    whole = path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 0x40
        for damaged in (whole[:position], bytes(flipped)):
            path.write_bytes(damaged)
            with pytest.raises(UserError, match=r"000000\.trial: damaged trial"):
                journal.trials()


def test_a_write_that_was_cut_off_is_no_trial(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(sealed(0))
    (tmp_path / "000001.trial.partial").write_bytes(b"half")
    assert journal.trials() == [sealed(0)]


def test_what_a_person_put_beside_the_trials_is_none(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(sealed(0))
    for name in ("000000 (copy).trial", "notes.trial", "7.trial"):
        (tmp_path / name).write_bytes(b"")
    assert journal.trials() == [sealed(0)]
