"""TrialService on asyncio: messages in, store calls on one thread, an answer after each commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc

from robot_adapt.aggregator.store import (
    ConflictError,
    PolicyMismatchError,
    SessionInfo,
    SqliteTrialStore,
    StoreUnavailableError,
)
from robot_adapt.wire.convert import SCHEMA_VERSION, InvalidTrialError, SealedTrial
from robot_adapt.wire.v1 import trials_pb2 as pb
from robot_adapt.wire.v1 import trials_pb2_grpc as pb_grpc

Value = TypeVar("Value")
Context = grpc.aio.ServicerContext[Any, Any]
_HELLO_DEADLINE_S = 10.0
_WATCH_POLL_S = 0.05


class TrialService(pb_grpc.TrialServiceServicer):
    """Serves a store that lives on `thread`, an executor of one thread: every store call goes there."""

    def __init__(self, store: SqliteTrialStore, thread: ThreadPoolExecutor) -> None:
        self._store = store
        self._thread = thread

    async def _call(self, function: Callable[..., Value], *arguments: Any) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def StreamTrials(  # noqa: N802  the proto's name
        self, request_iterator: AsyncIterator[pb.StreamTrialsRequest], context: Context
    ) -> AsyncIterator[pb.StreamTrialsResponse]:
        hello = await self._hello(request_iterator, context)
        yield pb.StreamTrialsResponse(welcome=pb.Welcome(schema_version=SCHEMA_VERSION))
        async for request in request_iterator:
            trial = SealedTrial.of(request.trial)
            try:
                if (trial.robot, trial.session) != (hello.robot, hello.session):
                    raise InvalidTrialError(f"the stream is of session {hello.session} of {hello.robot}")
                await self._call(self._store.append, trial)
            except ConflictError as error:
                yield _rejection(trial, pb.REJECTION_CODE_ALREADY_EXISTS, error)
            except InvalidTrialError as error:
                yield _rejection(trial, pb.REJECTION_CODE_INVALID_ARGUMENT, error)
            except StoreUnavailableError as error:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            else:
                yield pb.StreamTrialsResponse(ack=pb.Ack(trial=trial.number))

    async def _hello(self, requests: AsyncIterator[pb.StreamTrialsRequest], context: Context) -> pb.Hello:
        try:
            first = await asyncio.wait_for(anext(requests), _HELLO_DEADLINE_S)
        except (StopAsyncIteration, asyncio.TimeoutError):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the stream ended or waited before a hello")
        hello = first.hello
        if first.WhichOneof("message") != "hello" or not (hello.robot and hello.session and hello.policy_sha256):
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, "a stream begins with a hello that names robot, session and policy"
            )
        if hello.schema_version != SCHEMA_VERSION:
            message = f"schema version {hello.schema_version} came, this aggregator speaks {SCHEMA_VERSION}"
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)
        try:
            await self._call(self._store.register, SessionInfo(hello.robot, hello.session, hello.policy_sha256))
        except PolicyMismatchError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        return hello

    async def ListTrials(  # noqa: N802
        self, request: pb.ListTrialsRequest, context: Context
    ) -> AsyncIterator[pb.ListTrialsResponse]:
        for trial in await self._call(self._store.trials, request.robot, request.session):
            yield pb.ListTrialsResponse(trial=trial.message())

    async def ListSessions(  # noqa: N802
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        sessions = await self._call(self._store.sessions)
        return pb.ListSessionsResponse(sessions=[pb.Session(**vars(info)) for info in sessions])

    def _stored_after(self, sequence: int) -> list[tuple[int, SealedTrial]]:
        return list(self._store.watch(sequence, 0.0))

    async def WatchTrials(  # noqa: N802
        self, request: pb.WatchTrialsRequest, context: Context
    ) -> AsyncIterator[pb.WatchTrialsResponse]:
        after = request.after_sequence
        while True:
            for sequence, trial in await self._call(self._stored_after, after):
                after = sequence
                yield pb.WatchTrialsResponse(sequence=sequence, trial=trial.message())
            await asyncio.sleep(_WATCH_POLL_S)


def _rejection(trial: SealedTrial, code: pb.RejectionCode, error: Exception) -> pb.StreamTrialsResponse:
    return pb.StreamTrialsResponse(rejection=pb.Rejection(trial=trial.number, code=code, reason=str(error)))
