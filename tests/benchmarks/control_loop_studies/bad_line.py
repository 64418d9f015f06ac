"""Claim `session`: 50 trials on a line on which 1 % of all bytes are damaged."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from hardware.real_time import real_time
from robot_adapt.adapt.record import TrialRecord
from robot_adapt.adapt.session import SessionConfig
from robot_adapt.adapt.streamed_session import streamed_session
from robot_adapt.backends import EmulatedRobotConfig, emulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.hardware_config import HardwareConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.operators import make_operator
from robot_adapt.run_folder import RunFolder
from robot_adapt.trial import Status
from tests.benchmarks.control_loop_studies.bench import (
    rounded,
    shipped_policy,
)


def session(trials: int) -> dict[str, object]:
    """Claim `session`: on the Minitaur's serial legs, which two busy cores can simulate in real time."""
    hardware = load(shipped("hardware", "minitaur_dynamixel.yaml"), HardwareConfig)
    described = {"backend": "emulated", "hardware": hardware.model_dump(), "physics": "minitaur_training"}
    config = EmulatedRobotConfig.model_validate_json(json.dumps(described))
    policy, records, begin_s = shipped_policy("minitaur"), list[TrialRecord](), time.monotonic()
    search = BatchHillClimbingConfig(population=5, rounds=trials // 5 - 1, sigma=0.01)
    ended = "finished"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        rig, emulators = emulated_rig(config)
        stack.callback(rig.close)
        stack.enter_context(real_time(print))
        rig.robot.connect()
        emulators.command("corrupt 0.01")
        identity = SessionConfig("minitaur", "corrupted", 0, 3.0)
        run = RunFolder.new(Path(folder) / "run", "session")
        try:
            with streamed_session(run, policy, identity, None, print, records.append) as running:
                running.adapt(rig, make_operator(search, policy.parameters, 0))
        except Exception as error:  # noqa: BLE001  what ended it is the result
            ended = f"{type(error).__name__}: {error}"
    events = dict(sum((Counter(record.events) for record in records), Counter[str]()))
    return {
        f"{trials} trials of 3 s with 1 % of bytes damaged": {
            "claim": "finishes, interventions counted",
            "holds": ended == "finished" and len(records) == trials and bool(events),
            "ended": ended,
            "trials": len(records),
            "statuses": dict(Counter(record.status.value for record in records)),
            "aborted_because": dict(Counter(record.reason for record in records if record.status is Status.ABORTED)),
            "missed_ticks": sum(record.missed_ticks for record in records),
            "events": events,
            "wall_s": rounded(time.monotonic() - begin_s),
        }
    }
