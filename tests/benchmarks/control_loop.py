"""Claims about the control loop on emulated devices: 12 Dynamixels and a VN-100 on pseudo-terminals, in a process of their own.

    python tests/benchmarks/control_loop.py --json tests/benchmarks/results/control_loop.json
    python tests/benchmarks/control_loop.py --only session      # the long one alone; host, rate, lost, session

host     Byte time switched off: read + policy + safety + write takes at most twice (median) and three times (p99) what the bare
         SDK takes for a sync read and a sync write of the same bytes over the same emulator, in turn. Medians of rounds, for
         fast and for plain sync reads.
rate     100 Hz for 60 s, bytes taking their time, trials journaled and streamed to an aggregator over gRPC: at most 1 % of
         ticks are missed, and ticks begin no later (p99) than in a bare loop of sleeps to absolute deadlines, in turn.
         Neither has any privilege: run by root, this part gives them up.
lost     One lost reply, and one damaged reply, costs at most 5 ms; a loop in which replies are lost goes on to its end.
session  1 % of all bytes damaged for a whole session of 50 trials of 3 s on the Minitaur's physics: it finishes, and counts.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import datetime
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from dynamixel_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler
from numpy.typing import NDArray

from hardware.motors.dynamixel_models import GOAL_POSITION, PRESENT_POSITION
from hardware.motors.dynamixel_present import PRESENT_BYTES, PRESENT_FROM
from hardware.real_time import real_time
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.adapt.resetter import EmulatedReset, make_ready
from robot_adapt.adapt.session import SessionConfig
from robot_adapt.adapt.streamed_session import streamed_session
from robot_adapt.aggregator.server import serving
from robot_adapt.backends import EmulatedRobotConfig, Rig, emulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.emulation import Emulation
from robot_adapt.emulation_commands import Commands
from robot_adapt.hardware_config import HardwareConfig, WiredRobot, wired_robot
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbingConfig
from robot_adapt.optim.operators import make_operator
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import Controller, LinearPolicy
from robot_adapt.robot_model import RobotModel
from robot_adapt.rollout import rollout
from robot_adapt.run_folder import RunFolder
from robot_adapt.trial import Status

_PERIOD_S = 0.01
_CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h
_IDS = tuple(range(1, 13))


def twelve_dynamixels(fast: bool = True, **motors: float) -> HardwareConfig:
    """The Laikago's joints, for which there is a policy, on Dynamixels; `motors` are changes of the bus's config."""
    robot = load(shipped("robots", "laikago.yaml"), RobotModel)
    joints = {name: {"id": k, "sign": 1, "offset_rad": 0.0} for k, name in zip(_IDS, robot.body.joints, strict=True)}
    bus = {"family": "dynamixel", "port": "", "model": "XM540-W270", "supply_v": 12.0, "joints": joints}
    every = {"velocity_rad_s": 40.0, "slew_rad": 1.0, "torque_nm": 400.0, "overspeed_rad_s": 60.0}
    # The supervisor looks at all that it looks at, but is not to end the measurement of a busy machine, or a turn of the SDK's.
    patience = {"stall_torque": 1.0, "stale_command_s": 60.0, "stale_reading_s": 60.0, "late_a_second": 10_000}
    values = {
        "backend": "hardware",
        "robot": "laikago",
        "motors": {**bus, "fast_sync_read": fast, **motors},
        "imu": {"family": "vectornav", "port": "imu", "rate_hz": 200, "stale_s": 1.0},
        "safety": {"every_joint": every, **patience},
        "control_hz": 100.0,
    }
    return HardwareConfig.model_validate_json(json.dumps(values))


def shipped_policy(robot: str) -> LinearPolicy:
    return policy_file.load(shipped("policies", f"{robot}.safetensors"))


def policy_at(period_s: float) -> LinearPolicy:
    return replace(shipped_policy("laikago"), period_s=period_s)


class NoReturn:
    """A ReturnSource for trials in which nobody walks."""

    name = "none"

    def begin(self) -> None: ...

    def tick(self, period_s: float) -> None: ...

    def finish(self) -> float:
        return 0.0

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        return {}


@contextlib.contextmanager
def devices(config: HardwareConfig, byte_time: bool) -> Iterator[tuple[HardwareConfig, Callable[[str], None]]]:
    """The config with the ports that its emulated devices are on, in a process of their own, and what tells them to fail."""
    context = multiprocessing.get_context("spawn")
    pipe, there = context.Pipe()
    process = context.Process(target=_emulate, args=(config.model_dump_json(), byte_time, there), daemon=True)
    process.start()
    there.close()

    def tell(line: str) -> None:
        pipe.send(line)
        pipe.recv()

    try:
        yield HardwareConfig.model_validate_json(pipe.recv()), tell
    finally:
        pipe.close()
        process.join()


def _emulate(values: str, byte_time: bool, pipe: Connection) -> None:
    """The process: mock physics, so that what is measured is bytes."""
    with contextlib.closing(Emulation(HardwareConfig.model_validate_json(values), None, byte_time=byte_time)) as emulation:
        commands, line = Commands(emulation), emulation.faults.motors_line
        pipe.send(emulation.reachable.model_dump_json())
        with contextlib.suppress(EOFError):
            while True:
                words = pipe.recv().split()
                if words[0] in ("drop", "corrupt_byte"):  # on the motors' line alone
                    setattr(line, words[0], float(words[1]))
                else:
                    commands.run(" ".join(words))
                pipe.send(None)


@contextlib.contextmanager
def armed(config: HardwareConfig) -> Iterator[WiredRobot]:
    wired = wired_robot(config, None)
    wired.supervisor.connect()
    try:
        yield wired
    finally:
        wired.supervisor.close()


class BareSdk:
    """What the SDK's own classes take for the same bytes: its port handler, one group read, one group write."""

    def __init__(self, path: str, baud: int, fast: bool) -> None:
        self.failures = 0
        self._port, packets = PortHandler(path), PacketHandler(2.0)
        self._port.setBaudRate(baud)
        self._read = GroupSyncRead(self._port, packets, PRESENT_FROM, PRESENT_BYTES)
        self._write = GroupSyncWrite(self._port, packets, GOAL_POSITION.address, GOAL_POSITION.size)
        self._exchange = self._read.fastSyncRead if fast else self._read.txRxPacket
        for motor in _IDS:
            self._read.addParam(motor)

    def tick(self) -> None:
        """Each motor is told to go where it is."""
        if self._exchange() != COMM_SUCCESS:
            self.failures += 1  # no answer within its 34 ms: on a busy machine
            return
        for motor in _IDS:
            goal = self._read.getData(motor, PRESENT_POSITION.address, PRESENT_POSITION.size)
            self._write.addParam(motor, list(goal.to_bytes(GOAL_POSITION.size, "little")))
        self._write.txPacket()
        self._write.clearParam()

    def close(self) -> None:
        self._port.closePort()


@dataclass(frozen=True)
class Tick:
    """Ours: read, policy, safety, write."""

    wired: WiredRobot
    controller: Controller

    def __call__(self) -> None:
        robot = self.wired.supervisor
        robot.write(self.controller.act(self.controller.observe(robot.read()), _PERIOD_S))


def timed(act: Callable[[], None], ticks: int) -> list[float]:
    """Seconds each, at 100 Hz."""
    taken, deadline_s = [], time.monotonic()
    for _ in range(ticks):
        deadline_s = max(deadline_s + _PERIOD_S, time.monotonic())
        time.sleep(max(deadline_s - time.monotonic(), 0.0))
        begin_s = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begin_s)
    return taken


def host(rounds: int, ticks: int) -> dict[str, object]:
    """Claim `host`."""
    claims: dict[str, object] = {}
    for fast in (True, False):
        ours, bare, ratios = [], [], []
        # As patient as the SDK, so that a busy machine makes nobody faster by giving up.
        described = twelve_dynamixels(fast, reply_timeout_s=0.034, silent_s=5.0)
        with devices(described, byte_time=False) as (config, _), armed(config) as wired:
            tick = Tick(wired, Controller(policy_at(_PERIOD_S), wired.supervisor.spec))
            sdk = BareSdk(config.motors.port, config.motors.baud, fast)
            timed(tick, 50)
            for _ in range(rounds):
                one, other = timed(tick, ticks), timed(sdk.tick, ticks)
                ours.append((percentile(one, 50), percentile(one, 99)))
                bare.append((percentile(other, 50), percentile(other, 99)))
                ratios.append(tuple(a / b for a, b in zip(ours[-1], bare[-1], strict=True)))
            sdk.close()
        for at, (name, limit) in enumerate((("median", 2.0), ("p99", 3.0))):
            ratio = statistics.median(pair[at] for pair in ratios)
            claims[f"{'fast' if fast else 'plain'} sync read, {name}"] = {
                "claim": f"at most {limit} times the bare SDK",
                "holds": ratio <= limit,
                "ratio": rounded(ratio),
                "rounds": [rounded(pair[at]) for pair in ratios],
                "ours_ms": rounded(1e3 * statistics.median(pair[at] for pair in ours)),
                "sdk_ms": rounded(1e3 * statistics.median(pair[at] for pair in bare)),
                "failures": {"ours": sum(wired.log.counts[why] for why in ("reply lost", "bad packet")), "sdk": sdk.failures},
            }
    return claims


def bare_lateness_s(ticks: int) -> list[float]:
    """How late a loop is that does nothing but sleep to absolute deadlines."""
    begin_s, tick, late = time.monotonic(), 0, []
    while tick < ticks:
        late.append(max(time.monotonic() - begin_s - tick * _PERIOD_S, 0.0))
        tick += 1
        time.sleep(max(begin_s + tick * _PERIOD_S - time.monotonic(), 0.0))
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
        policy, run = policy_at(_PERIOD_S), RunFolder.new(Path(folder) / "run", "rate")
        reset = EmulatedReset(wired.supervisor, wired.clock, lambda _: None)
        rig = Rig(wired.supervisor, wired.clock, reset, NoReturn(), log=wired.log)
        identity = SessionConfig("laikago", "rate", 0, trial_s)
        with streamed_session(run, policy, identity, address, print, records.append) as session:
            for _ in range(rounds):
                with real_time(refused.append):
                    session.measure(rig, Phase.HOBBLED, policy.parameters, trials_a_round)
                time.sleep(0.5)  # the last trial is on its way
                bare += bare_lateness_s(round(trials_a_round * trial_s / _PERIOD_S))
    ticks = sum(round(record.duration_s / _PERIOD_S) for record in records)
    late = np.concatenate([record.telemetry["late_s"][:, 0] for record in records])
    missed = sum(record.missed_ticks for record in records) / ticks
    p99_s, bare_s = percentile(late.tolist(), 99), percentile(bare, 99)
    pipe.send({
        "missed ticks": {
            "claim": "at most 1 %",
            "holds": missed <= 0.01 and all(record.status is Status.COMPLETED for record in records),
            "share": rounded(missed),
            "ticks": ticks,
            "hz": 1.0 / _PERIOD_S,
            "seconds": rounded(sum(record.duration_s for record in records)),
            "statuses": dict(Counter(record.status.value for record in records)),
            "events": dict(sum((Counter(record.events) for record in records), Counter[str]())),
        },
        "p99 lateness": {
            "claim": "at most that of a bare loop of sleeps",
            "holds": p99_s <= bare_s,
            "ours_ms": {name: rounded(1e3 * percentile(late.tolist(), at)) for name, at in _PERCENTS.items()},
            "bare_ms": {name: rounded(1e3 * percentile(bare, at)) for name, at in _PERCENTS.items()},
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


def lost(times: int) -> dict[str, object]:
    """Claim `lost`."""
    claims: dict[str, object] = {}
    with devices(twelve_dynamixels(), byte_time=True) as (config, tell), armed(config) as wired:
        robot, controller = wired.supervisor, Controller(policy_at(_PERIOD_S), wired.supervisor.spec)
        tick = Tick(wired, controller)
        healthy_s = percentile(timed(tick, 200), 50)
        for fault, words in (("drop", "lost"), ("corrupt_byte", "damaged")):
            cost_s = []
            for _ in range(times):
                tell(f"{fault} 1.0")
                taken = timed(tick, 1)
                tell(f"{fault} 0.0")
                taken += timed(tick, 3)  # a fast read that failed is made up for by a plain one
                cost_s.append(max(taken) - healthy_s)
                timed(tick, 5)
            claims[f"one {words} reply"] = {
                "claim": "costs at most 5 ms, 19 times out of 20",
                "holds": percentile(cost_s, 95) <= 0.005,
                **{f"{name}_ms": rounded(1e3 * percentile(cost_s, at)) for name, at in _PERCENTS.items()},
                "healthy_tick_ms": rounded(1e3 * healthy_s),
                "times": times,
            }
        for fault, share in (("drop", 0.05), ("corrupt_byte", 0.0005)):
            make_ready(robot)
            before = wired.log.counts.copy()
            tell(f"{fault} {share}")
            trial = rollout(robot, wired.clock, policy_at(_PERIOD_S), NoReturn(), 3.0)
            tell(f"{fault} 0.0")
            claims[f"a trial with {fault} {share}"] = {
                "claim": "goes on to its end",
                "holds": trial.status is Status.COMPLETED,
                "status": f"{trial.status.value} {trial.reason}".strip(),
                "missed_ticks": trial.missed_ticks,
                "events": dict(wired.log.counts - before),
            }
    return claims


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


_PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def main() -> None:
    """Runs all parts, or some of them."""
    parts: dict[str, Callable[[argparse.Namespace], dict[str, object]]] = {
        "host": lambda options: host(options.rounds, 100),
        "rate": lambda options: rate(max(1, round(options.seconds / 12.0))),
        "lost": lambda options: lost(options.times),
        "session": lambda options: session(options.trials),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    parser.add_argument("--rounds", type=int, default=9, help="of `host`")
    parser.add_argument("--seconds", type=float, default=60.0, help="of `rate`")
    parser.add_argument("--times", type=int, default=100, help="of `lost`")
    parser.add_argument("--trials", type=int, default=50, help="of `session`")
    options = parser.parse_args()
    report: dict[str, object] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_at_start": os.getloadavg()[0],
    }
    claims: dict[str, dict[str, object]] = {}
    for part in options.only:
        print(f"{part} ...", file=sys.stderr)
        for name, claim in parts[part](options).items():
            claims[f"{part}: {name}"] = dict(claim)  # type: ignore[call-overload]
            print(f"{part}: {name}:", ", ".join(f"{key} {value}" for key, value in claims[f"{part}: {name}"].items()))
    if options.json is not None:
        options.json.write_text(json.dumps({**report, "claims": claims}, indent=2) + "\n")
    print("; ".join(f"{name} {'holds' if claim['holds'] else 'DOES NOT HOLD'}" for name, claim in claims.items()))


if __name__ == "__main__":
    main()
