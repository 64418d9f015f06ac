"""RemoteTrialStore: the TrialStore on the other end of a gRPC channel."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

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


class RemoteTrialStore:
    """A TrialStore over gRPC. Every call raises StoreUnavailableError when there is no answer within `deadline_s`."""

    def __init__(self, address: str, deadline_s: float = 10.0) -> None:
        self._address = address
        self._deadline_s = deadline_s
        self._channel = grpc.insecure_channel(address, _OPTIONS)
        self._stub = pb_grpc.TrialServiceStub(self._channel)
        self._streams: dict[tuple[str, str], _Stream] = {}

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._channel.close()

    def register(self, info: SessionInfo) -> None:
        key = (info.robot, info.session)
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.close()
        stream = _Stream(self._stub)
        try:
            stream.exchange(
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
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                raise PolicyMismatchError(error.details()) from None
            raise self._unavailable(error) from None
        self._streams[key] = stream

    def append(self, trial: SealedTrial) -> None:
        stream = self._streams.get((trial.robot, trial.session))
        if stream is None:
            raise InvalidTrialError(f"session {trial.session} of {trial.robot} is not registered")
        if (size := len(trial.payload)) > MAX_MESSAGE_BYTES - 1024:
            raise InvalidTrialError(f"trial {trial.number} has {size} bytes, the most is {MAX_MESSAGE_BYTES}")
        try:
            answer = stream.exchange(pb.StreamTrialsRequest(trial=trial.message()), self._deadline_s)
        except grpc.RpcError as error:
            del self._streams[(trial.robot, trial.session)]
            raise self._unavailable(error) from None
        if answer.WhichOneof("message") == "rejection":
            kind = ConflictError if answer.rejection.code == pb.REJECTION_CODE_ALREADY_EXISTS else InvalidTrialError
            raise kind(answer.rejection.reason)

    def trials(self, robot: str, session: str) -> list[SealedTrial]:
        request = pb.ListTrialsRequest(robot=robot, session=session)
        try:
            answers = self._stub.ListTrials(request, timeout=self._deadline_s)
            return [SealedTrial.of(answer.trial) for answer in answers]
        except grpc.RpcError as error:
            raise self._unavailable(error) from None

    def sessions(self) -> list[SessionInfo]:
        try:
            answer = self._stub.ListSessions(pb.ListSessionsRequest(), timeout=self._deadline_s)
        except grpc.RpcError as error:
            raise self._unavailable(error) from None
        return [SessionInfo(s.robot, s.session, s.policy_sha256, s.trials) for s in answer.sessions]

    def watch(self, after_sequence: int, idle_s: float) -> Iterator[tuple[int, SealedTrial]]:
        answers = self._stub.WatchTrials(pb.WatchTrialsRequest(after_sequence=after_sequence))
        arrived: queue.Queue[pb.WatchTrialsResponse | grpc.RpcError] = queue.Queue()
        threading.Thread(target=_collect, args=(answers, arrived), daemon=True).start()
        try:
            while True:
                try:
                    answer = arrived.get(timeout=idle_s)
                except queue.Empty:
                    return
                if isinstance(answer, grpc.RpcError):
                    raise self._unavailable(answer)
                yield answer.sequence, SealedTrial.of(answer.trial)
        finally:
            answers.cancel()

    def _unavailable(self, error: grpc.RpcError) -> StoreUnavailableError:
        details = error.details() if isinstance(error, grpc.Call) else str(error)
        return StoreUnavailableError(f"the aggregator at {self._address} does not answer: {details}")


class NoAnswerError(grpc.RpcError):
    """The stream is open but silent."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.DEADLINE_EXCEEDED


class _Stream:
    """A bidirectional stream used as question and answer."""

    def __init__(self, stub: pb_grpc.TrialServiceStub) -> None:
        self._requests: queue.Queue[pb.StreamTrialsRequest | None] = queue.Queue()
        self._answers: queue.Queue[pb.StreamTrialsResponse | grpc.RpcError] = queue.Queue()
        self._call = stub.StreamTrials(iter(self._requests.get, None))
        threading.Thread(target=_collect, args=(self._call, self._answers), daemon=True).start()

    def exchange(self, request: pb.StreamTrialsRequest, deadline_s: float) -> pb.StreamTrialsResponse:
        """Raises grpc.RpcError."""
        self._requests.put(request)
        try:
            answer = self._answers.get(timeout=deadline_s)
        except queue.Empty:
            self.close()
            raise NoAnswerError(f"no answer within {deadline_s:g} s") from None
        if isinstance(answer, grpc.RpcError):
            raise answer
        return answer

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()


def _collect(answers: Iterator[object], into: queue.Queue) -> None:  # type: ignore[type-arg]
    """Moves a stream's answers, then the error that ends it, into a queue that can be waited on with a deadline."""
    try:
        for answer in answers:
            into.put(answer)
        into.put(NoAnswerError("the aggregator ended the stream"))
    except grpc.RpcError as error:
        into.put(error)
