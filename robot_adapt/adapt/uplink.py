"""Uplink: sends a journal's trials to an aggregator from a thread of its own. The control loop waits for nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from robot_adapt.adapt.journal import Journal
from robot_adapt.aggregator.store import (
    ConflictError,
    PolicyMismatchError,
    SessionInfo,
    StoreUnavailableError,
    TrialStore,
)
from robot_adapt.wire.convert import InvalidTrialError

_RETRY_S = 1.0


class Uplink:
    """Keeps trying until closed; what could not be sent stays in the journal.

    `complain` gets one sentence when the aggregator stops answering, and one for each trial it refuses.
    """

    def __init__(self, journal: Journal, store: TrialStore, info: SessionInfo, complain: Callable[[str], None]) -> None:
        self._journal = journal
        self._store = store
        self._info = info
        self._complain = complain
        self._wake = threading.Event()
        self._closing = False
        self._registered = False
        self._silent = False
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """There is something new in the journal."""
        self._wake.set()

    def close(self, drain_s: float) -> int:
        """Sends what is left for at most `drain_s`, then stops; returns how many trials remain unsent."""
        deadline = time.monotonic() + drain_s
        while self._thread.is_alive() and self._journal.unsent() and time.monotonic() < deadline:
            self._wake.set()
            time.sleep(0.02)
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=max(deadline - time.monotonic(), 0.1))
        return len(self._journal.unsent())

    def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                self._send_all()
                self._silent = False
                self._wake.wait()
            except StoreUnavailableError as error:
                self._registered = False
                if not self._silent:
                    self._complain(f"{error}; trials are kept on disk and sent when it answers")
                self._silent = True
                if not self._closing:
                    time.sleep(_RETRY_S)
            except PolicyMismatchError as error:
                self._complain(f"the aggregator refuses this session: {error}")
                return

    def _send_all(self) -> None:
        if not self._registered:
            self._store.register(self._info)
            self._registered = True
        for trial in self._journal.unsent():
            if self._closing:
                return
            try:
                self._store.append(trial)
            except (ConflictError, InvalidTrialError) as error:
                self._complain(f"trial {trial.number} is refused by the aggregator: {error}")
            self._journal.mark_answered(trial)
