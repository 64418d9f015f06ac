"""RemoteTrialStore: the TrialStore on the other end of a gRPC channel."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

import grpc

from robot_adapt.aggregator.server import MAX_MESSAGE_BYTES
from robot_adapt.aggregator.store import ConflictError, PolicyMismatchError, SessionInfo, StoreUnavailableError
from robot_adapt.wire.convert import SCHEMA_VERSION, InvalidTrialError, SealedTrial
from robot_adapt.wire.v1 import trials_pb2 as pb
from robot_adapt.wire.v1 import trials_pb2_grpc as pb_grpc

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.enable_http_proxy", 0),
]
_CANCEL_S = 1.0

Answer = TypeVar("Answer")


class RemoteTrialStore:
    """A TrialStore over gRPC. Every call raises StoreUnavailableError when there is no answer within `deadline_s`."""

    def __init__(self, address: str, deadline_s: float = 10.0) -> None:
        self._address = address
        self._deadline_s = deadline_s
        self._channel = grpc.insecure_channel(address, _OPTIONS)
        self._stub = pb_grpc.TrialServiceStub(self._channel)
        self._streams: dict[tuple[str, str], _Stream] = {}

    def close(self) -> None:
        while self._streams:
            self._streams.popitem()[1].close()
        self._channel.close()

    def register(self, info: SessionInfo) -> None:
        key = (info.robot, info.session)
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.close()
        stream = _Stream(self._stub)
        answer = stream.exchange(
            pb.StreamTrialsRequest(
                hello=pb.Hello(
                    schema_version=SCHEMA_VERSION,
                    robot=info.robot,
                    session=info.session,
                    policy_sha256=info.policy_sha256,
                )
            ),
            self._deadline_s,
        )
        if isinstance(answer, _End):
            stream.close()
            if answer.code is grpc.StatusCode.FAILED_PRECONDITION:
                raise PolicyMismatchError(answer.details)
            raise self._unavailable(answer.details)
        self._streams[key] = stream

    def append(self, trial: SealedTrial) -> None:
        key = (trial.robot, trial.session)
        stream = self._streams.get(key)
        if stream is None:
            raise InvalidTrialError(f"session {trial.session} of {trial.robot} is not registered")
        if (size := len(trial.payload)) > MAX_MESSAGE_BYTES - 1024:
            raise InvalidTrialError(f"trial {trial.number} has {size} bytes, the most is {MAX_MESSAGE_BYTES}")
        answer = stream.exchange(pb.StreamTrialsRequest(trial=trial.message()), self._deadline_s)
        if isinstance(answer, _End):
            if self._streams.pop(key, None) is not None:  # else `close` of another thread has it
                stream.close()
            raise self._unavailable(answer.details)
        if answer.WhichOneof("message") == "rejection":
            kind = ConflictError if answer.rejection.code == pb.REJECTION_CODE_ALREADY_EXISTS else InvalidTrialError
            raise kind(answer.rejection.reason)

    def trials(self, robot: str, session: str) -> list[SealedTrial]:
        request = pb.ListTrialsRequest(robot=robot, session=session)
        answers: list[pb.ListTrialsResponse] = []
        end = _exhaust(self._stub.ListTrials(request, timeout=self._deadline_s), answers.append)
        if end.code is not grpc.StatusCode.OK:
            raise self._unavailable(end.details)
        return [SealedTrial.of(answer.trial) for answer in answers]

    def sessions(self) -> list[SessionInfo]:
        try:
            answer = self._stub.ListSessions(pb.ListSessionsRequest(), timeout=self._deadline_s)
        except grpc.RpcError as error:
            raise self._unavailable(error.details()) from None
        return [SessionInfo(s.robot, s.session, s.policy_sha256, s.trials) for s in answer.sessions]

    def watch(self, after_sequence: int, idle_s: float) -> Iterator[tuple[int, SealedTrial]]:
        call = _Call(self._stub.WatchTrials(pb.WatchTrialsRequest(after_sequence=after_sequence)))
        try:
            while (answer := call.answer(idle_s)) is not None:
                if isinstance(answer, _End):
                    raise self._unavailable(answer.details)
                yield answer.sequence, SealedTrial.of(answer.trial)
        finally:
            call.cancel()

    def _unavailable(self, details: str | None) -> StoreUnavailableError:
        return StoreUnavailableError(f"the aggregator at {self._address} does not answer: {details}")


class _End(NamedTuple):
    """How a call ended."""

    code: grpc.StatusCode
    details: str | None


class _Call(Generic[Answer]):
    """A call of many answers, each waited for with a deadline."""

    def __init__(self, call: grpc.CallIterator[Answer]) -> None:
        self._call = call
        self._answers: queue.Queue[Answer | _End] = queue.Queue()
        self._collector = threading.Thread(target=self._collect, args=(call,), daemon=True)
        self._collector.start()

    def answer(self, within_s: float) -> Answer | _End | None:
        """The next answer, or how the call ended, or nothing within that time."""
        try:
            return self._answers.get(timeout=within_s)
        except queue.Empty:
            return None

    def cancel(self) -> None:
        self._call.cancel()
        self._collector.join(_CANCEL_S)
        del self._call

    def _collect(self, call: grpc.CallIterator[Answer]) -> None:
        self._answers.put(_exhaust(call, self._answers.put))


class _Stream:
    """A bidirectional stream used as question and answer."""

    def __init__(self, stub: pb_grpc.TrialServiceStub) -> None:
        self._requests: queue.Queue[pb.StreamTrialsRequest | None] = queue.Queue()
        self._call = _Call(stub.StreamTrials(iter(self._requests.get, None)))

    def exchange(self, request: pb.StreamTrialsRequest, deadline_s: float) -> pb.StreamTrialsResponse | _End:
        self._requests.put(request)
        answer = self._call.answer(deadline_s)
        if answer is None:
            return _End(grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer within {deadline_s:g} s")
        return answer

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()


def _exhaust(call: grpc.CallIterator[Answer], take: Callable[[Answer], object]) -> _End:
    """Gives each answer of a call to `take`; returns how it ended.

    The error that gRPC raises is the call itself. Its own traceback would keep it until the interpreter ends, and there
    its destructor waits for a lock that a thread of gRPC may have died with: 1 of 1,800 processes never ended (grpcio 1.85.1).
    """
    try:
        for answer in call:
            take(answer)
    except grpc.RpcError as error:
        error.__traceback__ = None
        return _End(error.code(), error.details())
    return _End(grpc.StatusCode.OK, "the aggregator ended the stream")
