"""Executors on this machine: in this process, or in spawned ones (never forked: gRPC and PyBullet do not survive it)."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection

from hardware.types import RobotError, RobotFault
from robot_adapt.errors import UserError
from robot_adapt.meta.executors import Failure, Item, Result


def _failure(error: BaseException) -> Failure:
    """Raises what a person has to mend: no other item would fare better."""
    if isinstance(error, UserError | RobotError) and not isinstance(error, RobotFault):
        raise error
    return Failure(f"{type(error).__name__}: {' '.join(str(error).split())}")


class InProcessExecutor:
    """One after the other, here."""

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        for key, item in items.items():
            try:
                yield key, function(item)
            except Exception as error:  # noqa: BLE001  whatever the work raises is its result
                yield key, _failure(error)

    def close(self) -> None:
        pass


class LocalProcessesExecutor:
    """Spawned processes. When one dies, the items lost with it run again one by one, and only what kills its process fails."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._pipe: tuple[Connection, Connection] | None = None

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        lost = dict(items)
        try:
            futures = {self._submit(function, item): key for key, item in items.items()}
            for future in as_completed(futures):
                error = future.exception()
                if not isinstance(error, BrokenProcessPool):
                    del lost[futures[future]]
                    yield futures[future], future.result() if error is None else _failure(error)
        except BrokenProcessPool:
            pass  # a process died while none was waited for
        if lost:
            self.close()
        for key, item in lost.items():
            try:
                yield key, self._submit(function, item).result()
            except BrokenProcessPool as error:
                self.close()
                yield key, _failure(error)
            except Exception as error:  # noqa: BLE001  as above
                yield key, _failure(error)

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pipe = spawn.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(self._processes, spawn, initializer=_begin_worker, initargs=self._pipe[:1])
        return self._pool.submit(function, item)

    def close(self) -> None:
        """Workers end in the middle of what they do: an item may take minutes, and nobody is there for its result."""
        if self._pool is not None and self._pipe is not None:
            for end in self._pipe:
                end.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _begin_worker(parent: Connection) -> None:
    """Ctrl-C reaches the whole process group: the parent decides what to do about it. A worker ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Connection) -> None:
    """The parent alone holds the other end of this pipe, and sends nothing: what comes is its closing, or its death."""
    with contextlib.suppress(EOFError, OSError):
        parent.recv_bytes()
    os._exit(1)
