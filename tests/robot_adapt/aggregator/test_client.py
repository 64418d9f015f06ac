"""However a call ends, nothing of it is left to hang the interpreter when that ends."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from robot_adapt.aggregator.client import RemoteTrialStore
from robot_adapt.aggregator.server import serving
from robot_adapt.aggregator.store import PolicyMismatchError, SessionInfo, StoreUnavailableError
from tests.builders import sealed

INFO = SessionInfo("minitaur", "test", "ab" * 32)


@contextlib.contextmanager
def remote(address: str, deadline_s: float = 5.0) -> Iterator[RemoteTrialStore]:
    store = RemoteTrialStore(address, deadline_s)
    try:
        yield store
    finally:
        store.close()


def sends_reads_and_watches(folder: Path) -> None:
    with serving(folder / "trials.sqlite") as address, remote(address) as store:
        store.register(INFO)
        store.append(sealed(0))
        assert len(store.trials("minitaur", "test")) == len(list(store.watch(0, idle_s=0.2))) == 1


def loses_its_aggregator(folder: Path) -> None:
    with contextlib.ExitStack() as aggregator, remote(aggregator.enter_context(serving(folder / "trials.sqlite"))) as store:
        store.register(INFO)
        aggregator.close()
        for lost in (lambda: store.append(sealed(0)), lambda: list(store.watch(0, 5.0)), store.sessions):
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                lost()


def is_refused(folder: Path) -> None:
    with serving(folder / "trials.sqlite") as address, remote(address) as store:
        store.register(INFO)
        with pytest.raises(PolicyMismatchError):
            store.register(SessionInfo("minitaur", "test", "cd" * 32))


def finds_nobody(_: Path) -> None:
    with remote("127.0.0.1:1") as store, pytest.raises(StoreUnavailableError, match="refused"):
        store.register(INFO)


def meets_silence(_: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with remote(address, 0.2) as store, pytest.raises(StoreUnavailableError, match=r"no answer within 0\.2 s"):
            store.register(INFO)


@pytest.mark.parametrize("use", [sends_reads_and_watches, loses_its_aggregator, is_refused, finds_nobody, meets_silence])
def test_nothing_of_a_call_is_left_behind(tmp_path: Path, use: Callable[[Path], None]) -> None:
    gc.collect()
    gc.disable()
    try:
        before = set(threading.enumerate())
        use(tmp_path)
        deadline = time.monotonic() + 5.0
        while (threads := client_threads() - before) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not threads
        assert not [kept for kept in gc.get_objects() if isinstance(kept, grpc.Call) and hasattr(type(kept), "__del__")]
    finally:
        gc.enable()


def client_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if "_poll_wrapper" not in thread.name}  # of grpc.aio, once a process
