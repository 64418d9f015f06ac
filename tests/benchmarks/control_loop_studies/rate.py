"""Claim `rate`: a hundred ticks a second beside a bare loop of sleeps, in turn, without privileges."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from hardware.real_time import real_time
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.adapt.resetter import EmulatedReset
from robot_adapt.adapt.session import SessionConfig
from robot_adapt.adapt.streamed_session import streamed_session
from robot_adapt.aggregator.server import serving
from robot_adapt.backends import Rig
from robot_adapt.run_folder import RunFolder
from robot_adapt.trial import Status
from tests.benchmarks.control_loop_studies.bench import (
    PERCENTS,
    PERIOD_S,
    NoReturn,
    armed,
    devices,
    percentile,
    policy_at,
    rounded,
    twelve_dynamixels,
)

_CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h


def bare_lateness_s(ticks: int) -> list[float]:
    """How late a loop is that does nothing but sleep to absolute deadlines."""
    begin_s, tick, late = time.monotonic(), 0, []
    while tick < ticks:
        late.append(max(time.monotonic() - begin_s - tick * PERIOD_S, 0.0))
        tick += 1
        time.sleep(max(begin_s + tick * PERIOD_S - time.monotonic(), 0.0))
    return late


def rate(rounds: int, trial_s: float = 3.0, trials_a_round: int = 4) -> dict[str, object]:
    """Claim `rate`, in a process of its own, which gives up its privileges."""
    context = multiprocessing.get_context("spawn")
    pipe, there = context.Pipe()
    process = context.Process(target=_rate, args=(rounds, trial_s, trials_a_round, there))
    process.start()
    there.close()
    answer = pipe.recv()
    process.join()
    return dict(answer)


def _rate(rounds: int, trial_s: float, trials_a_round: int, pipe: Connection) -> None:
    _give_up_privileges()
    records: list[TrialRecord] = []
    bare: list[float] = []
    refused: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving_elsewhere(Path(folder) / "trials.sqlite") as address,
        devices(twelve_dynamixels(), byte_time=True) as (config, _),
        armed(config) as wired,
    ):
        policy, run = policy_at(PERIOD_S), RunFolder.new(Path(folder) / "run", "rate")
        reset = EmulatedReset(wired.supervisor, wired.clock, lambda _: None)
        rig = Rig(wired.supervisor, wired.clock, reset, NoReturn(), log=wired.log)
        identity = SessionConfig("laikago", "rate", 0, trial_s)
        with streamed_session(run, policy, identity, address, print, records.append) as session:
            for _ in range(rounds):
                with real_time(refused.append):
                    session.measure(rig, Phase.HOBBLED, policy.parameters, trials_a_round)
                time.sleep(0.5)  # the last trial is on its way
                bare += bare_lateness_s(round(trials_a_round * trial_s / PERIOD_S))
    ticks = sum(round(record.duration_s / PERIOD_S) for record in records)
    late = np.concatenate([record.telemetry["late_s"][:, 0] for record in records])
    missed = sum(record.missed_ticks for record in records) / ticks
    p99_s, bare_s = percentile(late.tolist(), 99), percentile(bare, 99)
    pipe.send({
        "missed ticks": {
            "claim": "at most 1 %",
            "holds": missed <= 0.01 and all(record.status is Status.COMPLETED for record in records),
            "share": rounded(missed),
            "ticks": ticks,
            "hz": 1.0 / PERIOD_S,
            "seconds": rounded(sum(record.duration_s for record in records)),
            "statuses": dict(Counter(record.status.value for record in records)),
            "events": dict(sum((Counter(record.events) for record in records), Counter[str]())),
        },
        "p99 lateness": {
            "claim": "at most that of a bare loop of sleeps",
            "holds": p99_s <= bare_s,
            "ours_ms": {name: rounded(1e3 * percentile(late.tolist(), at)) for name, at in PERCENTS.items()},
            "bare_ms": {name: rounded(1e3 * percentile(bare, at)) for name, at in PERCENTS.items()},
            "privileges": [line.partition(",")[0] for line in dict.fromkeys(refused)],
        },
    })  # fmt: skip


def _give_up_privileges() -> None:
    """What a user who is not root has: no capability at all; see capset(2)."""
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")


@contextlib.contextmanager
def serving_elsewhere(database: Path) -> Iterator[str]:
    """An aggregator in a process of its own, as on another machine."""
    context = multiprocessing.get_context("spawn")
    pipe, there = context.Pipe()
    process = context.Process(target=_serve, args=(database, there), daemon=True)
    process.start()
    there.close()
    try:
        yield pipe.recv()
    finally:
        pipe.close()
        process.join()


def _serve(database: Path, pipe: Connection) -> None:
    with serving(database) as address:
        pipe.send(address)
        with contextlib.suppress(EOFError):
            pipe.recv()
