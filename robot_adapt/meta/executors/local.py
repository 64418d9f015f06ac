"""Executors on this machine: in this process, or in spawned ones (never forked: gRPC and PyBullet do not survive it)."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from robot_adapt.meta.executors import Failure, Item, Result


def _failure(error: BaseException) -> Failure:
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
    """Spawned processes; a process that dies fails the items it held, and new ones are started for the next map."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
            )
        futures = {self._pool.submit(function, item): key for key, item in items.items()}
        for future in as_completed(futures):
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                self.close()
            yield futures[future], future.result() if error is None else _failure(error)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole process group; the parent decides what to do about it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
