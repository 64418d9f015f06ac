"""Runs a TrialService: in the foreground for the `aggregate` verb, or beside a session in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import grpc

from robot_adapt.aggregator.service import TrialService
from robot_adapt.aggregator.store import SqliteTrialStore
from robot_adapt.errors import UserError
from robot_adapt.wire.v1 import trials_pb2_grpc as pb_grpc

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_GRACE_S = 2.0


async def serve(database: Path, address: str, on_ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set; `on_ready` is told the address bound (port 0 takes a free one). Raises UserError."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "trial-store") as thread:
        store = await loop.run_in_executor(thread, SqliteTrialStore, database)
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)]
        server = grpc.aio.server(options=options)
        pb_grpc.add_TrialServiceServicer_to_server(TrialService(store, thread), server)
        try:
            try:
                port = server.add_insecure_port(address)
            except RuntimeError:
                raise UserError(f"cannot listen on {address}: in use, or no address of this machine") from None
            await server.start()
            on_ready(f"{address.rpartition(':')[0]}:{port}")
            await stop.wait()
        finally:
            await server.stop(_GRACE_S)
            await loop.run_in_executor(thread, store.close)


@contextlib.contextmanager
def serving(database: Path, address: str = "127.0.0.1:0") -> Iterator[str]:
    """An aggregator in a thread; gives the address bound. Raises UserError when it cannot start."""
    ready: Future[tuple[str, Callable[[], object]]] = Future()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def on_ready(bound: str) -> None:
            ready.set_result((bound, functools.partial(loop.call_soon_threadsafe, stop.set)))

        try:
            await serve(database, address, on_ready, stop)
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="aggregator", daemon=True)
    thread.start()
    bound, stop = ready.result()
    try:
        yield bound
    finally:
        stop()
        thread.join()
