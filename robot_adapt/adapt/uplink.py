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
        self._answered: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """There is something new in the journal."""
        self._wake.set()

    def unsent(self) -> list[int]:
        """Numbers of the trials that this aggregator has not answered for."""
        return [number for number in self._journal.numbers() if number not in self._answered]

    def close(self, drain_s: float) -> int:
        """Sends what is left, for at most `drain_s` while the aggregator answers, then stops; returns how many are unsent."""
        deadline = time.monotonic() + drain_s
        while self._thread.is_alive() and self.unsent() and not self._said and time.monotonic() < deadline:
            self._wake.set()
            time.sleep(0.02)
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=max(deadline - time.monotonic(), 0.1))
        return len(self.unsent())

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
                self._pause()

    def _pause(self) -> None:
        """The pause before another try, cut short by `close`."""
        deadline = time.monotonic() + _RETRY_S
        while not self._closing and time.monotonic() < deadline:
            time.sleep(0.02)

    def _send_all(self) -> None:
        if not self._registered:
            # It may be another aggregator, or one that lost its disk: whatever it has already, it acknowledges again.
            self._answered.clear()
            self._store.register(self._info)
            self._registered = True
        for number in self.unsent():
            if self._closing:
                return
            refusal = send_trial(self._journal, number, self._store)
            self._answered.add(number)
            if refusal:
                self._complain(refusal)

    def _say_once(self, sentence: str) -> None:
        if not self._said:
            self._complain(sentence)
        self._said = sentence


def send_trial(journal: Journal, number: int, store: TrialStore) -> str:
    """Sends one journaled trial; returns why it was refused, or nothing. A refused or damaged trial must not hold up others.

    Raises StoreUnavailableError.
    """
    try:
        store.append(journal.read(number))
    except (ConflictError, InvalidTrialError) as error:
        return f"trial {number} is refused by the aggregator: {error}"
    except UserError as error:
        return f"trial {number} is not sent: {error}"
    return ""
