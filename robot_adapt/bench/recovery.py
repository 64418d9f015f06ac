"""Which bouts there are, and the table of their scores: a row a score, kept as they come, never measured twice.

A row carries a digest of its names and of all that decides it (robot, hobble, seed, policy, operator, measurement): what is
changed is run anew, what is not is kept, so that a benchmark of hours may be cut short, gone on with and added to. An oracle is
kept too when the repertoire whose members it may begin from is another one: a ceiling stays one.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from robot_adapt.adapt.config import RepertoireDuelConfig
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.bench.config import BenchHobble, Method, RecoveryBenchConfig
from robot_adapt.bench.methods import Ready, fitting_policy, ready
from robot_adapt.bench.searches import content
from robot_adapt.bench.work import AdaptationBout, Bout, Item, OracleBout, Score, run
from robot_adapt.errors import UserError, named_by
from robot_adapt.meta.executors import Executor, Failure
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import META_POLICY
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.search import RepertoireSearchConfig

ORACLE = "oracle"
HEALTHY = "healthy"  # the zero-shot policy without any hobble


@dataclass(frozen=True)
class Row:
    """One score of one method on one draw of a hobble; see Score. `digest` is of what decides it."""

    rig: str
    hobble: str
    seed: int
    method: str
    trials: int
    return_m: float
    fell: float
    falls: int
    settled: bool
    digest: str


@dataclass(frozen=True, eq=False)
class Planned:
    """A bout and what its rows begin with."""

    rig: str
    hobble: str
    seed: int
    method: str
    digest: str
    item: Item

    @property
    def row_count(self) -> int:
        """How many it has when it is whole; see work.run."""
        return 1 if isinstance(self.item, OracleBout) else 1 + len(self.item.budgets)

    def rows(self, scores: Sequence[Score]) -> list[Row]:
        return [Row(self.rig, self.hobble, self.seed, self.method, **asdict(score), digest=self.digest) for score in scores]


def plan(config: RecoveryBenchConfig, only: Sequence[str] = ()) -> list[Planned]:
    """All bouts, or some methods' (oracle and healthy are two); seed by seed: cut short, every hobble has had its share.

    Raises UserError naming a method that is not there, that does not fit the robots or is called as a row of the table's own,
    and a family that a repertoire has not; Absent: see methods.absent.
    """
    if taken := {HEALTHY, ORACLE} & {*config.methods, *config.hobbles}:
        raise UserError(f"{min(taken)}: the table has this row of its own: no method or hobble can be called so")
    if unknown := set(only) - (known := {HEALTHY, ORACLE, *config.methods}):
        raise UserError(f"no method {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")
    methods = {label: ready(config, label) for label in config.methods if not only or label in only}
    start = fitting_policy(config, config.start)
    starts = start.parameters[None] if start.repertoire is None else start.repertoire.members
    alone = replace(start, repertoire=None, provenance={})
    planned = []

    def add(rig: str, hobble: str, seed: int, label: str, item: Item) -> None:
        if not only or label in only:
            planned.append(Planned(rig, hobble, seed, label, _digest(rig, label, item), item))

    for seed, (rig, robot) in product(range(config.seeds), config.rigs.items()):
        for name, hobble in config.hobbles.items():
            hobbled = _hobbled(robot, hobble, generator(seed, f"bench hobble {name}"))
            for label, method in methods.items():
                with named_by(f"hobbles.{name}.families"):
                    policy = _known(method, config.methods[label], hobble)
                bout = Bout(policy, hobbled, config.trial_s, config.fresh_trials, name, seed)
                add(rig, name, seed, label, AdaptationBout(bout, method.search, config.budgets, config.return_noise_m))
            bout = Bout(alone, hobbled, config.trial_s, config.fresh_trials, name, seed)
            add(rig, name, seed, ORACLE, OracleBout(bout, starts, config.oracle))
        bout = Bout(alone, robot, config.trial_s, config.fresh_trials, HEALTHY, seed)
        add(rig, HEALTHY, seed, HEALTHY, AdaptationBout(bout, None, (1,), noise_m=0.0))
    return planned


def missing(planned: Sequence[Planned], rows: Sequence[Row]) -> list[Planned]:
    """The bouts without rows; see `read`."""
    have = {row.digest for row in rows}
    return [one for one in planned if one.digest not in have]


def carry_out(planned: Sequence[Planned], path: Path, executor: Executor, on_bout: Callable[[str], None]) -> None:
    """Runs bouts and adds their rows to the table as they come. Raises UserError naming one that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.truncate(path, len(_whole_lines(path)))
    with path.open("a", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        if not file.tell():
            table.writeheader()
            file.flush()
        for key, scores in executor.map(run, {key: one.item for key, one in enumerate(planned)}):
            one = planned[key]
            if isinstance(scores, Failure):
                raise UserError(f"{one.rig}, {one.hobble}, seed {one.seed}, {one.method}: {scores.reason}")
            table.writerows(asdict(row) for row in one.rows(scores))
            file.flush()
            on_bout(f"{one.hobble}, {one.method}: {scores[0].return_m:.2f} -> {scores[-1].return_m:.2f} m")


def read(planned: Sequence[Planned], path: Path) -> list[Row]:
    """The rows of these bouts that a table has whole. Raises UserError naming the file and line when one is damaged.

    A bout cut off while it was written (a full disk, a lost mains) has its rows again when it has run again.
    """
    if not path.exists():
        return []
    rows: dict[str, dict[int, Row]] = {}
    for line, values in enumerate(csv.DictReader(_whole_lines(path).decode("utf-8").splitlines()), 2):
        try:
            row = Row(**{field.name: _PARSED[str(field.type)](values[field.name]) for field in fields(Row)})
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{path}: line {line}: not a row of this benchmark") from None
        rows.setdefault(row.digest, {})[row.trials] = row
    whole = {one.digest: one.row_count for one in planned}
    return [row for digest, of in rows.items() if len(of) >= whole.get(digest, math.inf) for row in of.values()]


def _whole_lines(path: Path) -> bytes:
    """Without a last one that was cut off."""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


_PARSED: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": {"True": True, "False": False}.__getitem__,
}


def _hobbled(rig: SimulatedRobotConfig, hobble: BenchHobble, draw: np.random.Generator) -> SimulatedRobotConfig:
    return rig.model_copy(update={"dynamics": hobble.draw.sample(rig.dynamics, draw)})


def _known(method: Ready, how: Method, hobble: BenchHobble) -> LinearPolicy:
    """The policy with what the method may know, and nothing else: another repertoire is no other start for those without."""
    policy = replace(method.policy, provenance={})
    if policy.repertoire is None or not isinstance(how.operator, RepertoireSearchConfig | RepertoireDuelConfig):
        return replace(policy, repertoire=None)
    if how.knows_family:
        return policy
    if unknown := set(hobble.families) - (known := _grown_families(method.policy, policy.repertoire)):
        there = ", ".join(sorted(known))
        raise UserError(f"{', '.join(sorted(unknown))}: {how.policy}'s repertoire has none so called: it has {there}")
    return replace(policy, repertoire=policy.repertoire.without(frozenset(hobble.families)))


def _grown_families(policy: LinearPolicy, repertoire: Repertoire) -> set[str]:
    """Those that it was grown for, also where nothing is left of one: all its tasks may end before the first tick."""
    grown = policy.provenance.get("repertoire", {}).get("config", {})
    generalists = (grown.get("generalists") or {}).get("worlds", {})
    families = {*repertoire.task_words, *repertoire.member_words, *grown.get("families", {})}
    return families - {META_POLICY, *generalists}


def _digest(rig: str, method: str, item: Item) -> str:
    bout = item.bout
    parts: list[Any] = [
        rig, method, policy_file.sha256(bout.policy), bout.robot.model_dump(mode="json"), bout.trial_s, bout.fresh_trials,
        bout.hobble, bout.seed,
    ]  # fmt: skip
    match item:
        case AdaptationBout():
            parts += [content(item.search), item.budgets, item.noise_m]
        case OracleBout():
            parts.append(item.config.model_dump(mode="json"))  # wherever it began: see Returns.oracle
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
