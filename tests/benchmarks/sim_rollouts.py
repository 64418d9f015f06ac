"""Our rollouts, timed one at a time: the child process of sim_speed.py that peers/pybullet_envs_rollouts.py is compared with.

    echo "minitaur_serial 3 0" | python tests/benchmarks/sim_rollouts.py

Each line of stdin, `RIG[/WHAT] SECONDS SEED`, is answered by one line of JSON. A rig is opened at its first request, untimed.

- `RIG`: reset and rollout, all included, by the robot's shipped policy, or where there is none by the open-loop trot (zero
  weights, the same arithmetic). `wall_s`, `simulated_s`, `steps` of physics. SystemExit when the robot falls: a short rollout
  is not what is timed.
- `RIG/bare`: the stepSimulation calls that a rollout makes, timed where it makes them: in compiled code, past Python.
- `RIG/switch`: other dynamics: from the config to a settled robot that has been read, and closed again.
- `RIG/parts`: the time of each part of a rollout without that of the parts in it, and how often it ran. The stopwatch's own
  time, as an empty function measures it, is taken off.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from robot_adapt.adapt.return_source import MeasuredProgress
from robot_adapt.backends import Rig, SimulatedRobotConfig, simulated_rig
from robot_adapt.config import load, shipped
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import Controller, LinearPolicy, unmodulated
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status, Trial
from sim import bullet_c, compiled_steps
from sim.compiled import Address, Int, external, njit
from sim.simulated_robot import SimulatedRobot

RIGS: dict[str, tuple[str, dict[str, object]]] = {
    "minitaur_serial": ("minitaur_training", {"time_step_s": 0.002}),
    "minitaur_five_bar": ("minitaur", {}),
    "laikago": ("laikago_training", {}),
}
"""A shipped rig, and what differs in its simulation."""

_PARTS: dict[str, tuple[object, str]] = {
    "compiled steps": (compiled_steps, "_steps"),
    "call of the steps": (SimulatedRobot, "sleep_until"),
    "robot.read": (SimulatedRobot, "read"),
    "controller.observe": (Controller, "observe"),
    "controller.act": (Controller, "act"),
    "robot.write": (SimulatedRobot, "write"),
    "return and truth": (MeasuredProgress, "tick"),
    "reset": (SimulatedRobot, "reset"),
}
_EMPTY_BATCHES, _EMPTY_CALLS = 20, 100


class Stopwatch:
    """Adds up what functions take, each without the watched functions it calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._inside = [0.0]

    def watched(self, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*positional: Any, **named: Any) -> Any:
            entered = time.perf_counter()
            self._inside.append(0.0)
            begin = time.perf_counter()
            result = function(*positional, **named)
            took = time.perf_counter() - begin
            self.seconds[label] += took - self._inside.pop()
            self.calls[label] += 1
            self._inside[-1] += time.perf_counter() - entered
            return result

        return timed

    @contextlib.contextmanager
    def watching(self, parts: dict[str, tuple[object, str]]) -> Iterator[None]:
        with contextlib.ExitStack() as patches:
            for label, (owner, name) in parts.items():
                patches.enter_context(mock.patch.object(owner, name, self.watched(label, getattr(owner, name))))
            yield

    def own_s(self) -> float:
        """What an empty function seems to take, undisturbed."""
        empty = self.watched("empty", lambda: None)
        batches = []
        for _ in range(_EMPTY_BATCHES):
            for _ in range(_EMPTY_CALLS):
                empty()
            batches.append(self.seconds.pop("empty") / self.calls.pop("empty"))
        return min(batches)


@dataclass(frozen=True)
class Bench:
    """One rig, connected, and who walks it."""

    config: SimulatedRobotConfig
    rig: Rig
    robot: SimulatedRobot
    policy: LinearPolicy

    def walk(self, seconds: float, seed: int) -> Trial:
        self.robot.reset(generator(seed, "sim speed"))
        return rollout(self.rig.robot, self.rig.clock, self.policy, self.rig.returns, seconds)

    def timed(self, seconds: float, seed: int) -> dict[str, object]:
        begin = time.perf_counter()
        trial = self.walk(seconds, seed)
        wall_s = time.perf_counter() - begin
        if trial.status is not Status.COMPLETED:
            raise SystemExit(f"seed {seed}: the robot {trial.status.value}: {trial.reason}")
        steps = round(trial.duration_s / (self.config.simulation or self.config.robot.simulation).time_step_s)
        return {"wall_s": wall_s, "simulated_s": trial.duration_s, "steps": steps}

    def bare(self, seconds: float, seed: int) -> dict[str, object]:
        steps, take_step = _with_timed_steps()
        with (
            mock.patch.object(bullet_c, "step", _timed),
            mock.patch.object(bullet_c, "take_step", take_step),
            mock.patch.object(compiled_steps, "_steps", steps),
        ):
            self.walk(0.1, seed)
            _spent[:] = 0
            self.walk(seconds, seed)
        return {"wall_s": 1e-9 * (float(_spent[0]) - _spent[1] * _clock_ns()), "steps": int(_spent[1])}

    def switch(self, seed: int) -> dict[str, object]:
        dynamics = self.config.dynamics.model_copy(update={"mass_ratio": 1.0 + 0.001 * (seed + 1)})
        begin = time.perf_counter()
        rig, _ = simulated_rig(self.config.model_copy(update={"dynamics": dynamics}))
        rig.robot.connect()
        rig.robot.read()
        rig.robot.close()
        return {"wall_s": time.perf_counter() - begin}

    def parts(self, seconds: float, seed: int) -> dict[str, object]:
        watch = Stopwatch()
        with watch.watching(_PARTS):
            self.walk(seconds, seed)
        own_s = watch.own_s()
        return {label: {"wall_s": watch.seconds[label] - n * own_s, "calls": n} for label, n in watch.calls.items()}


# Nanoseconds in steps, and how many steps.
_spent = np.zeros(2, dtype=np.int64)
_SPENT_AT: int = _spent.ctypes.data
_now = external("clock_gettime", Int, Int, Address)
_copy = external("memcpy", Address, Address, Address, Address)
_untimed = bullet_c.step


@njit()
def _timed(client: int) -> None:
    """bullet_c.step, and how long it took."""
    clock, spent = np.empty(4, dtype=np.int64), np.empty(2, dtype=np.int64)
    _copy(spent.ctypes.data, _SPENT_AT, spent.nbytes)
    _now(time.CLOCK_MONOTONIC, clock.ctypes.data)
    if client:
        _untimed(client)
    _now(time.CLOCK_MONOTONIC, clock.ctypes.data + 16)
    spent[0] += 1_000_000_000 * (clock[2] - clock[0]) + clock[3] - clock[1]
    spent[1] += 1
    _copy(_SPENT_AT, spent.ctypes.data, spent.nbytes)


def _clock_ns() -> float:
    """What no step seems to take."""
    before = _spent.copy()
    for _ in range(_EMPTY_CALLS):
        _timed(0)
    empty_ns = float((_spent - before)[0]) / _EMPTY_CALLS
    _spent[:] = before
    return empty_ns


@functools.cache
def _with_timed_steps() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The loop and its step, compiled at their first call, with what bullet_c.step is then."""
    return njit(compiled_steps._steps.py_func), njit(bullet_c.take_step.py_func)


@functools.cache
def bench(name: str) -> Bench:
    """Opens a rig, and lets it walk for a moment: what is compiled is compiled here."""
    file, simulation = RIGS[name]
    config = load(shipped("rigs", f"{file}.yaml"), SimulatedRobotConfig)
    settings = (config.simulation or config.robot.simulation).model_copy(update=simulation)
    config = config.model_copy(update={"simulation": settings})
    rig, robot = simulated_rig(config)
    rig.robot.connect()
    made = Bench(config, rig, robot, policy(config))
    made.walk(0.5, 0)
    return made


def policy(config: SimulatedRobotConfig) -> LinearPolicy:
    """The shipped one, or where there is none the trot alone."""
    path = shipped("policies", "minitaur.safetensors").parent / f"{config.robot.body.name}.safetensors"
    return policy_file.load(path) if path.exists() else unmodulated(config.robot.body.name, config.robot.trot)


def answer(request: str) -> dict[str, object]:
    """Does what one line asks."""
    what, seconds, seed = request.split()
    name, _, what = what.partition("/")
    one = bench(name)
    if what == "bare":
        return one.bare(float(seconds), int(seed))
    if what == "switch":
        return one.switch(int(seed))
    if what == "parts":
        return one.parts(float(seconds), int(seed))
    return one.timed(float(seconds), int(seed))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
