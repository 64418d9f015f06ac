"""The stream itself, message by message."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from robot_adapt.aggregator.client import RemoteTrialStore
from robot_adapt.aggregator.server import serving
from robot_adapt.aggregator.store import SessionInfo, SqliteTrialStore, StoreUnavailableError
from robot_adapt.errors import UserError
from robot_adapt.wire.v1 import trials_pb2 as pb
from robot_adapt.wire.v1 import trials_pb2_grpc as pb_grpc
from tests.builders import sealed
from tests.robot_adapt.cli.verbs import running, said

SHA = "ab" * 32


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / "trials.sqlite") as bound:
        yield bound


def hello(**changes: object) -> pb.StreamTrialsRequest:
    values: dict[str, object] = {"schema_version": 1, "robot": "minitaur", "session": "test", "policy_sha256": SHA}
    return pb.StreamTrialsRequest(hello=pb.Hello(**{**values, **changes}))  # type: ignore[arg-type]


def trial(number: int, **changes: object) -> pb.StreamTrialsRequest:
    return pb.StreamTrialsRequest(trial=sealed(number, **changes).message())


def stream(address: str, *requests: pb.StreamTrialsRequest) -> list[pb.StreamTrialsResponse]:
    with grpc.insecure_channel(address) as channel:
        return list(pb_grpc.TrialServiceStub(channel).StreamTrials(iter(requests), timeout=10.0))


def refusal(address: str, *requests: pb.StreamTrialsRequest) -> tuple[grpc.StatusCode, str | None]:
    with pytest.raises(grpc.RpcError) as caught:
        stream(address, *requests)
    return caught.value.code(), caught.value.details()


def test_each_trial_is_acknowledged_in_order_after_a_welcome(address: str) -> None:
    welcome, *acks = stream(address, hello(), trial(0), trial(1), trial(0))
    assert welcome.welcome.schema_version == 1
    assert [answer.ack.trial for answer in acks] == [0, 1, 0]
    assert all(answer.WhichOneof("message") == "ack" for answer in acks)


def test_a_conflict_is_answered_and_the_stream_goes_on(address: str) -> None:
    _, first, conflict, second = stream(address, hello(), trial(0), trial(0, value=9.0), trial(1))
    assert first.ack.trial == 0
    assert conflict.rejection.code == pb.REJECTION_CODE_ALREADY_EXISTS
    assert second.ack.trial == 1


def test_a_trial_of_another_session_or_robot_is_invalid(address: str) -> None:
    answers = stream(address, hello(), trial(0, session="mine"), trial(0, robot="other"))[1:]
    assert [answer.rejection.code for answer in answers] == [pb.REJECTION_CODE_INVALID_ARGUMENT] * 2


def test_a_stream_must_begin_with_a_hello_that_names_everything(address: str) -> None:
    for first in (trial(0), hello(robot=""), hello(policy_sha256=""), pb.StreamTrialsRequest()):
        assert refusal(address, first)[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(address)[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_another_schema_version_is_refused_with_both_numbers(address: str) -> None:
    code, why = refusal(address, hello(schema_version=7))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert why == "schema version 7 came, this aggregator speaks 1"


def test_another_policy_for_a_known_session_is_refused(address: str) -> None:
    stream(address, hello())
    assert refusal(address, hello(policy_sha256="cd" * 32))[0] is grpc.StatusCode.FAILED_PRECONDITION


def test_an_address_in_use_is_one_sentence(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match=f"cannot listen on {address}"), serving(tmp_path / "other.sqlite", address):
        pass


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("these are my notes")
    with pytest.raises(UserError, match=r"notes\.sqlite: cannot be used"), serving(path):
        pass
    assert path.read_text() == "these are my notes"


def test_many_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    for number in range(20):
        at_once = threading.Barrier(3)

        def open_it(path: Path = tmp_path / f"{number}.sqlite", at_once: threading.Barrier = at_once) -> None:
            at_once.wait()
            SqliteTrialStore(path).close()

        with ThreadPoolExecutor(3) as pool:
            for opened in [pool.submit(open_it) for _ in range(3)]:
                opened.result()


def test_many_robots_stream_at_once(tmp_path: Path, address: str) -> None:
    def send(robot: str) -> None:
        requests = [trial(number, robot=robot) for number in range(20)]
        answers = stream(address, hello(robot=robot), *requests)
        assert [answer.ack.trial for answer in answers[1:]] == list(range(20))

    threads = [threading.Thread(target=send, args=(f"robot{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = SqliteTrialStore(tmp_path / "trials.sqlite")
    assert sorted((info.robot, info.trials) for info in store.sessions()) == [(f"robot{i}", 20) for i in range(8)]
    store.close()


def test_what_was_acknowledged_survives_a_kill_of_the_aggregator(tmp_path: Path) -> None:
    database = tmp_path / "killed.sqlite"
    acknowledged = 0
    for _ in range(3):
        with running("aggregate", "--database", database, "--listen", "127.0.0.1:0") as process:
            address = said(process).split()[2].rstrip(",")
            killer = threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL))
            store = RemoteTrialStore(address, deadline_s=5.0)
            store.register(SessionInfo("minitaur", "test", SHA))
            killer.start()
            try:
                while True:
                    store.append(sealed(acknowledged))
                    acknowledged += 1
            except StoreUnavailableError:
                store.close()
    local = SqliteTrialStore(database)
    kept = local.trials("minitaur", "test")
    local.close()
    assert acknowledged > 10
    assert [t.number for t in kept[:acknowledged]] == list(range(acknowledged))
    assert kept[:acknowledged] == [sealed(number) for number in range(acknowledged)]
    assert len(kept) <= acknowledged + 1
