"""A session with its run folder and its uplink: what the `demo` and `adapt` verbs share."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import TrialRecord
from robot_adapt.adapt.session import Session, SessionConfig
from robot_adapt.adapt.uplink import Uplink
from robot_adapt.aggregator.client import RemoteTrialStore
from robot_adapt.aggregator.store import SessionInfo
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.run_folder import RunFolder

_DRAIN_S = 10.0


@contextlib.contextmanager
def streamed_session(
    run: RunFolder, policy: LinearPolicy, config: SessionConfig, aggregator: str | None,
    say: Callable[[str], None], on_trial: Callable[[TrialRecord], None],
) -> Iterator[Session]:  # fmt: skip
    """A session journaled in `run`, each trial sent to the aggregator's address, if any, while the next one runs.

    On the way out, Ctrl-C included, what is unsent is sent for a few seconds more; `say` tells what remains.
    """
    journal = Journal(run.journal)
    with contextlib.ExitStack() as stack:
        # What is there now stays: left out, a collection between two trials takes microseconds instead of 50 ms.
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        uplink = None
        if aggregator is not None:
            uplink = stack.enter_context(_uplink(run, journal, policy, config, aggregator, say))

        def told(record: TrialRecord) -> None:
            if uplink is not None:
                uplink.notify()
            on_trial(record)

        yield Session(config, policy, journal, told)


@contextlib.contextmanager
def _uplink(
    run: RunFolder, journal: Journal, policy: LinearPolicy, config: SessionConfig, aggregator: str, say: Callable[[str], None]
) -> Iterator[Uplink]:
    store = RemoteTrialStore(aggregator)
    info = SessionInfo(config.robot, config.session, policy_file.sha256(policy))
    uplink = Uplink(journal, store, info, say)
    try:
        yield uplink
    finally:
        if waiting := len(uplink.unsent()):
            say(f"sending the last {waiting} trials, for at most {_DRAIN_S:.0f} s")
        unsent = uplink.close(_DRAIN_S)
        store.close()
        if unsent:
            say(f"{unsent} trials are not sent; they are complete on disk: robot-adapt send {run.folder} --aggregator ADDRESS")
