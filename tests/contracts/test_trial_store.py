"""What every TrialStore does: SQLite itself, and the same through gRPC."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from robot_adapt.aggregator.client import RemoteTrialStore
from robot_adapt.aggregator.server import serving
from robot_adapt.aggregator.store import ConflictError, PolicyMismatchError, SessionInfo, SqliteTrialStore, TrialStore
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial
from tests.builders import sealed

INFO = SessionInfo("minitaur", "test", "ab" * 32)


@pytest.fixture(params=["sqlite", "grpc"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrialStore]:
    database = tmp_path / "trials.sqlite"
    if request.param == "sqlite":
        local = SqliteTrialStore(database)
        yield local
        local.close()
    else:
        with serving(database) as address:
            remote = RemoteTrialStore(address)
            yield remote
            remote.close()


def test_what_is_appended_is_read_back_byte_for_byte_by_number(store: TrialStore) -> None:
    store.register(INFO)
    for number in (2, 0, 1):
        store.append(sealed(number))
    assert store.trials("minitaur", "test") == [sealed(0), sealed(1), sealed(2)]


def test_the_same_trial_again_changes_nothing(store: TrialStore) -> None:
    store.register(INFO)
    store.append(sealed(0))
    store.append(sealed(0))
    assert store.trials("minitaur", "test") == [sealed(0)]


def test_another_trial_under_the_same_key_is_a_conflict_and_the_first_is_kept(store: TrialStore) -> None:
    store.register(INFO)
    store.append(sealed(0))
    with pytest.raises(ConflictError, match="trial 0"):
        store.append(sealed(0, value=9.0))
    store.append(sealed(1))
    assert store.trials("minitaur", "test") == [sealed(0), sealed(1)]


def test_bytes_that_are_no_trial_are_refused_and_the_next_is_stored(store: TrialStore) -> None:
    store.register(INFO)
    with pytest.raises(InvalidTrialError):
        store.append(SealedTrial("minitaur", "test", 0, b"\xff\xff\xff"))
    with pytest.raises(InvalidTrialError, match="phase"):
        store.append(SealedTrial("minitaur", "test", 0, b""))
    store.append(sealed(0))
    assert store.trials("minitaur", "test") == [sealed(0)]


def test_a_trial_of_an_unregistered_session_is_refused(store: TrialStore) -> None:
    with pytest.raises(InvalidTrialError, match="not registered"):
        store.append(sealed(0))


def test_an_unknown_session_has_no_trials(store: TrialStore) -> None:
    assert store.trials("minitaur", "nobody") == []


def test_sessions_are_listed_with_their_policy_and_count(store: TrialStore) -> None:
    other = replace(INFO, session="other")
    store.register(INFO)
    store.register(other)
    store.append(sealed(0))
    store.append(sealed(1))
    assert store.sessions() == [replace(INFO, trials=2), other]


def test_registering_again_is_fine_but_not_with_another_policy(store: TrialStore) -> None:
    store.register(INFO)
    store.register(INFO)
    with pytest.raises(PolicyMismatchError, match="known with policy"):
        store.register(replace(INFO, policy_sha256="cd" * 32))
    assert [info.policy_sha256 for info in store.sessions()] == [INFO.policy_sha256]


def test_the_same_number_in_another_session_or_robot_is_another_trial(store: TrialStore) -> None:
    for robot, session in (("minitaur", "test"), ("minitaur", "other"), ("laikago", "test")):
        store.register(SessionInfo(robot, session, INFO.policy_sha256))
        store.append(sealed(0, robot=robot, session=session))
    assert [info.trials for info in store.sessions()] == [1, 1, 1]


def test_watch_gives_what_is_there_after_a_sequence_number(store: TrialStore) -> None:
    store.register(INFO)
    for number in range(3):
        store.append(sealed(number))
    seen = list(store.watch(0, 0.3))
    assert [trial for _, trial in seen] == [sealed(0), sealed(1), sealed(2)]
    assert list(store.watch(seen[1][0], 0.3)) == seen[2:]


def test_watch_gives_what_comes_while_it_watches(tmp_path: Path) -> None:
    with serving(tmp_path / "trials.sqlite") as address:
        writer, reader = RemoteTrialStore(address), RemoteTrialStore(address)
        writer.register(INFO)

        def write() -> None:
            time.sleep(0.2)
            writer.append(sealed(0))

        thread = threading.Thread(target=write)
        thread.start()
        assert [trial for _, trial in reader.watch(0, 1.5)] == [sealed(0)]
        thread.join()
        writer.close()
        reader.close()
