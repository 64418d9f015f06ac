"""Uplink: sends a journal's trials to an aggregator from a thread of its own. The control loop waits for nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from robot_adapt.adapt.journal import Journal
from robot_adapt.aggregator.store import ConflictError, PolicyMismatchError, SessionInfo, TrialStore
from robot_adapt.errors import UserError
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
        self._said = ""
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
        while True:
            self._wake.clear()
            if self._closing:
                return
            try:
                self._send_all()
                self._said = ""
                self._wake.wait()
            except PolicyMismatchError as error:
                self._complain(f"the aggregator refuses this session: {error}")
                return
            except Exception as error:  # noqa: BLE001  no network, a full disk: a session outlives whatever befalls its uplink
                self._registered = False
                self._say_once(f"{error}; trials are kept on disk and sent when it answers")
                time.sleep(_RETRY_S)

    def _send_all(self) -> None:
        if not self._registered:
            self._store.register(self._info)
            self._registered = True
        for number in self._journal.unsent():
            if self._closing:
                return
            refusal = send_trial(self._journal, number, self._store)
            if refusal:
                self._complain(refusal)

    def _say_once(self, sentence: str) -> None:
        if not self._said:
            self._complain(sentence)
        self._said = sentence


def send_trial(journal: Journal, number: int, store: TrialStore) -> str:
    """Sends one journaled trial, and marks it when the store has answered; returns why it was refused, or nothing.

    A refused trial is refused for good, and marked: it does not hold up the others. One that is damaged is not sent.
    """
    try:
        store.append(journal.read(number))
    except (ConflictError, InvalidTrialError) as error:
        refusal = f"trial {number} is refused by the aggregator: {error}"
    except UserError as error:
        refusal = f"trial {number} is not sent: {error}"
    else:
        refusal = ""
    journal.mark_answered(number)
    return refusal
