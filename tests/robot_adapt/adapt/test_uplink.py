from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.uplink import Uplink
from robot_adapt.aggregator.client import RemoteTrialStore
from robot_adapt.aggregator.server import serving
from robot_adapt.aggregator.store import SessionInfo, SqliteTrialStore
from tests.builders import sealed

INFO = SessionInfo("minitaur", "test", "ab" * 32)


@pytest.fixture
def address() -> str:
    """An address where nobody listens yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def stored(database: Path) -> list[int]:
    store = SqliteTrialStore(database)
    numbers = [trial.number for trial in store.trials("minitaur", "test")]
    store.close()
    return numbers


def test_trials_are_sent_as_they_come(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with serving(tmp_path / "trials.sqlite") as address:
        store = RemoteTrialStore(address)
        uplink = Uplink(journal, store, INFO, pytest.fail)
        for number in range(5):
            journal.append(sealed(number))
            uplink.notify()
        assert uplink.close(5.0) == 0
        store.close()
    assert stored(tmp_path / "trials.sqlite") == [0, 1, 2, 3, 4]


def test_when_nobody_answers_the_session_is_on_disk_and_one_sentence_says_so(tmp_path: Path, address: str) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    store = RemoteTrialStore(address, deadline_s=2.0)
    uplink = Uplink(journal, store, INFO, said.append)
    for number in range(3):
        journal.append(sealed(number))
        uplink.notify()
    assert uplink.close(0.5) == 3
    store.close()
    assert len(journal.trials()) == 3
    assert len(said) == 1
    assert f"the aggregator at {address} does not answer" in said[0]
    assert "kept on disk" in said[0]


def test_it_sends_when_the_aggregator_comes_up_later(tmp_path: Path, address: str) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    journal.append(sealed(0))
    store = RemoteTrialStore(address, deadline_s=5.0)
    uplink = Uplink(journal, store, INFO, said.append)
    deadline = time.monotonic() + 10.0
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(said) == 1
    with serving(tmp_path / "trials.sqlite", address):
        journal.append(sealed(1))
        deadline = time.monotonic() + 20.0
        while uplink.unsent() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert uplink.close(1.0) == 0
        store.close()
    assert stored(tmp_path / "trials.sqlite") == [0, 1]


def test_a_trial_that_is_refused_does_not_hold_up_the_others(tmp_path: Path) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    with serving(tmp_path / "trials.sqlite") as address:
        store = RemoteTrialStore(address)
        store.register(INFO)
        store.append(sealed(1, value=77.0))
        for number in range(3):
            journal.append(sealed(number))
        uplink = Uplink(journal, store, INFO, said.append)
        assert uplink.close(5.0) == 0
        assert store.trials("minitaur", "test") == [sealed(0), sealed(1, value=77.0), sealed(2)]
        store.close()
    assert len(said) == 1
    assert said[0].startswith("trial 1 is refused by the aggregator")


def test_another_policy_under_the_same_session_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    journal.append(sealed(0))
    with serving(tmp_path / "trials.sqlite") as address:
        store = RemoteTrialStore(address)
        store.register(SessionInfo("minitaur", "test", "cd" * 32))
        uplink = Uplink(journal, store, INFO, said.append)
        assert uplink.close(5.0) == 1
        store.close()
    assert said == [
        "the aggregator refuses this session: session test of minitaur is known with policy cdcdcdcdcdcd, not abababababab"
    ]


def test_a_damaged_trial_is_said_and_does_not_hold_up_the_others(tmp_path: Path) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    for number in range(3):
        journal.append(sealed(number))
    (tmp_path / "journal" / "000001.trial").write_bytes(b"rubbish")
    with serving(tmp_path / "trials.sqlite") as address:
        store = RemoteTrialStore(address)
        uplink = Uplink(journal, store, INFO, said.append)
        assert uplink.close(5.0) == 0
        store.close()
    assert stored(tmp_path / "trials.sqlite") == [0, 2]
    assert len(said) == 1
    assert "trial 1 is not sent" in said[0]
    assert "damaged trial" in said[0]


def test_an_aggregator_that_lost_its_disk_gets_the_whole_session_again(tmp_path: Path) -> None:
    journal, said = Journal(tmp_path / "journal"), list[str]()
    for number in range(3):
        journal.append(sealed(number))
    with serving(tmp_path / "lost.sqlite") as address:
        store = RemoteTrialStore(address, deadline_s=5.0)
        uplink = Uplink(journal, store, INFO, said.append)
        deadline = time.monotonic() + 10.0
        while uplink.unsent() and time.monotonic() < deadline:
            time.sleep(0.02)
    with serving(tmp_path / "new.sqlite", address):
        journal.append(sealed(3))
        uplink.notify()
        while len(stored(tmp_path / "new.sqlite")) < 4 and time.monotonic() < deadline + 10.0:
            time.sleep(0.05)
        uplink.close(1.0)
        store.close()
    assert stored(tmp_path / "new.sqlite") == [0, 1, 2, 3]
