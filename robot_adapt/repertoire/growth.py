"""Growing a repertoire: E_task[max_k R(theta_k)] climbed greedily, a round of specialists after the other.

It begins with generalists, if the config names any. Each round draws tasks, tries every member on them, and trains specialists
where they may gain most on the best member, to judge by those of the same family before; each that gains joins, with its mirror
image. A specialist begins as the meta-policy, a generalist or the best member of its own family: what cannot be learned from a
fall may be from a milder case, and no family owes another anything, so that `without` a family nothing is left of it but what
was in a generalist's worlds. Then those that are nowhere worth having go, if the config has a selection, and the others are
refined: each climbs on in the tasks of its own family in which it is the family's best (as k-means moves a center). At the end
all members meet tasks that nothing was chosen by and, mirrored, as many again: the return matrix. The same config gives the
same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.errors import UserError
from robot_adapt.meta.executors import Executor, Failure, Item, Result
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import META_POLICY, RefinementConfig, RepertoireConfig, SelectionConfig, SpecialistConfig
from robot_adapt.repertoire.members import Members, is_refinable, niches, worth_having
from robot_adapt.repertoire.mirror import Mirror, mirror_of
from robot_adapt.repertoire.repertoire import Repertoire
from robot_adapt.repertoire.tasks import Tasks
from robot_adapt.repertoire.trace import mirrored
from robot_adapt.repertoire.work import Row, RowItem, SpecialistItem, measure_row, train_specialist
from sim.dynamics import Dynamics

_FRESH = 8
_GENERALISTS = 2**20  # their seeds' task numbers, behind all specialists'
_WORTH_M = 0.03  # a specialist that gains less on its own task is not kept


@dataclass(frozen=True)
class GrowthState:
    """After so many stages (the rounds, selection, refinement); `trials` in all.

    `log` has a row a training: round, family, return before and after (m). Generalists are its first rows, of round 0;
    refinement is the round after the last.
    """

    stages: int
    trials: int
    members: Members
    log: tuple[tuple[int, str, float, float], ...]

    @property
    def prospects(self) -> dict[str, tuple[float, float]]:
        """Of the families tried: how likely another specialist gains (rule of succession), and what those that did reached (m).

        What others, generalists included, reached stands in for a family of which none has gained yet.
        """
        tried = Counter(family for _, family, _, _ in self.log)
        gained = [(family, after) for _, family, before, after in self.log if _is_worth_keeping(before, after)]
        everywhere = [after for _, after in gained]

        def reached(family: str) -> float:
            there = [after for one, after in gained if one == family] or everywhere
            return float(np.mean(there)) if there else 0.0

        kept = Counter(family for family, _ in gained)
        return {family: ((kept[family] + 1) / (count + 2), reached(family)) for family, count in tried.items()}


@dataclass(frozen=True)
class Stage:
    """What comes next: its work items, at most, and what makes the state after it."""

    name: str
    items: int
    advance: Callable[[GrowthState], GrowthState]


class Growth:
    """Advances a GrowthState; holds only what does not change."""

    def __init__(
        self,
        config: RepertoireConfig,
        policy: LinearPolicy,
        executor: Executor,
        on_item: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config, self._policy, self._executor, self._on_item = config, policy, executor, on_item
        self._mirror: Mirror = mirror_of(config.robot.robot.body, config.robot.robot.trot)
        self._tasks = Tasks(config, self._mirror)

    def start(self) -> GrowthState:
        """The meta-policy and its generalists, a work item each."""
        c, theta = self._config, self._policy.parameters
        items, nobody = {}, theta[None][:0]
        if c.generalists is not None:
            for index, worlds in enumerate(c.generalists.worlds.values()):
                drawn = tuple(
                    worlds.sample(c.robot.dynamics, generator(c.seed, "repertoire generalist world", index, world))
                    for world in range(c.generalists.training.worlds)
                )
                items[index] = self._specialist(c.robot, drawn, theta, nobody, c.generalists.training, _GENERALISTS + index)
        thetas, words, log, trials = [theta], [META_POLICY], [], 0
        for name, one in zip(self._generalists, self._run(train_specialist, items).values(), strict=True):
            thetas += [one.theta, self._mirror.parameters(self._policy, one.theta)]
            words += [name, name]
            log.append((0, name, one.before, one.after))
            trials += one.trials
        return GrowthState(0, trials, Members(np.array(thetas), tuple(words)), tuple(log))

    def next_stage(self, state: GrowthState) -> Stage | None:
        """None when there is nothing left but to finish."""
        c = self._config
        if state.stages < len(c.rounds):
            plan = c.rounds[state.stages]
            return Stage(f"round {state.stages + 1} of {len(c.rounds)}", plan.candidates + plan.specialists, self.grow)
        later = []
        if c.selection is not None:
            later.append(Stage("selection", c.selection.tasks, partial(self.select, c.selection)))
        if c.refinement is not None:
            pairs = (len(state.members.thetas) - self._first_ones) // 2
            later.append(Stage("refinement", c.refinement.tasks + pairs, partial(self.refine, c.refinement)))
        done = state.stages - len(c.rounds)
        return later[done] if done < len(later) else None

    def grow(self, state: GrowthState) -> GrowthState:
        """One round: `candidates` and then `specialists` work items."""
        c, members = self._config, state.members
        plan = c.rounds[state.stages]
        tasks = self._tasks.drawn("round", state.stages, plan.candidates)
        rows = self._rows(tasks, members.thetas, 1, state.stages)
        best = {task: float(row.returns.mean(axis=1).max()) for task, row in rows.items() if row.trace is not None}
        chosen = _most_promising({task: tasks[task][0] for task in best}, best, state.prospects)[: plan.specialists]

        def start(task: int) -> FloatArray:
            kin = self._kin(members, tasks[task][0])
            best_kin: FloatArray = members.thetas[kin[int(rows[task].returns[kin].mean(axis=1).argmax())]]
            return best_kin

        items = {}
        for task in chosen:
            worlds = self._tasks.worlds("round", state.stages, task, c.specialist.worlds)
            robot = c.robot_of(tasks[task][0])
            guide = members.guide(self._kin(members, tasks[task][0]))
            items[task] = self._specialist(robot, worlds, start(task), guide, c.specialist, 1000 * state.stages + task)
        trained = self._run(train_specialist, items)
        thetas, words, log = list(members.thetas), list(members.words), list(state.log)
        for task, one in trained.items():
            family = tasks[task][0]
            log.append((state.stages, family, one.before, one.after))
            if _is_worth_keeping(one.before, one.after):
                thetas += [one.theta, self._mirror.parameters(self._policy, one.theta)]
                words += [family, family]
        trials = state.trials + sum(row.trials for row in rows.values()) + sum(one.trials for one in trained.values())
        return GrowthState(state.stages + 1, trials, Members(np.array(thetas), tuple(words)), tuple(log))

    def select(self, plan: SelectionConfig, state: GrowthState) -> GrowthState:
        """Keeps the members that are worth having; a work item a task."""
        members = state.members
        rows = self._rows(self._tasks.drawn("selection", 0, plan.tasks), members.thetas, plan.trials, state.stages)
        returns = np.array([row.returns for row in rows.values() if row.trace is not None])  # (T, K, trials)
        _check_somebody_walked(returns, "selection.tasks")
        kept = worth_having(returns, members.across, self._first_ones, plan.members)
        trials = state.trials + sum(row.trials for row in rows.values())
        chosen = Members(members.thetas[kept], tuple(members.words[i] for i in kept))
        return GrowthState(state.stages + 1, trials, chosen, state.log)

    def refine(self, plan: RefinementConfig, state: GrowthState) -> GrowthState:
        """Specialists climb in their niches: a work item a task, then one a specialist that has a niche."""
        c, members = self._config, state.members
        tasks = self._tasks.drawn("niche", 0, plan.tasks)
        rows = self._rows(tasks, members.thetas, 1, state.stages)
        usable = {task: (tasks[task][0], row) for task, row in rows.items() if is_refinable(row, tasks[task][1])}
        items = {}
        for member, niche in niches(usable, members).items():
            worlds = self._tasks.niche_worlds(niche, plan.training.worlds)
            family, start = members.words[member], members.thetas[member]
            guide = members.guide(self._kin(members, family))
            number = 1000 * state.stages + member
            items[member] = self._specialist(c.robot_of(family), worlds, start, guide, plan.training, number)
        trained = self._run(train_specialist, items)
        thetas, log = members.thetas.copy(), list(state.log)
        for member, one in trained.items():
            log.append((len(c.rounds), members.words[member], one.before, one.after))
            if one.after > one.before:
                thetas[member], thetas[member + 1] = one.theta, self._mirror.parameters(self._policy, one.theta)
        trials = state.trials + sum(row.trials for row in rows.values()) + sum(one.trials for one in trained.values())
        return GrowthState(state.stages + 1, trials, Members(thetas, members.words), tuple(log))

    def finish(self, state: GrowthState, others: Sequence[Members] = ()) -> tuple[Repertoire, int]:
        """All members on all tasks of the matrix, a work item a task; returns the repertoire, and the trials spent in all.

        `others` are of growths that differ in the seed only; what they spent is not counted.
        """
        c, members = self._config, state.members.joined(others)
        tasks = self._tasks.spread("matrix", c.matrix.tasks)
        rows = self._rows(tasks, members.thetas, c.matrix.trials, state.stages)
        done = [task for task in sorted(rows) if rows[task].trace is not None]  # else nobody can walk there
        returns = np.array([rows[task].returns for task in done])  # (T, K, trials)
        _check_somebody_walked(returns, "matrix.tasks")
        traces = np.array([rows[task].trace for task in done])
        noise_sd = float(np.sqrt(returns.var(axis=2, ddof=1).mean()))
        means = returns.mean(axis=2)
        words = tuple(tasks[task][0] for task in done)
        repertoire = Repertoire(
            members.thetas,
            np.vstack((means, means[:, members.across])),
            np.vstack((traces, mirrored(traces, self._mirror))),
            noise_sd,
            self._policy.ticks_in(c.trial_s),
            members.words,
            words + words,
        )
        return repertoire, state.trials + sum(row.trials for row in rows.values())

    @property
    def _generalists(self) -> tuple[str, ...]:
        return () if self._config.generalists is None else tuple(self._config.generalists.worlds)

    @property
    def _first_ones(self) -> int:
        """The meta-policy, the generalists and their mirror images."""
        return 1 + 2 * len(self._generalists)

    def _kin(self, members: Members, family: str) -> list[int]:
        """Whom a family's specialists may learn from: no family owes another anything."""
        return members.kin(family, (META_POLICY, *self._generalists))

    def _specialist(
        self,
        robot: SimulatedRobotConfig,
        worlds: tuple[Dynamics, ...],
        start: FloatArray,
        guide: FloatArray,
        training: SpecialistConfig,
        number: int,
    ) -> SpecialistItem:
        c = self._config
        return SpecialistItem(self._policy, robot, worlds, c.trial_s, start, guide, training, _FRESH, c.seed, number)

    def _rows(self, tasks: dict[int, tuple[str, Dynamics]], thetas: FloatArray, trials: int, index: int) -> dict[int, Row]:
        c = self._config
        items = {
            task: RowItem(
                self._policy, *self._robots(family, world), c.trial_s, thetas, trials, c.seed, 1000 * (index + 100) + task
            )
            for task, (family, world) in tasks.items()
        }
        return self._run(measure_row, items)

    def _robots(self, family: str, world: Dynamics) -> tuple[SimulatedRobotConfig, SimulatedRobotConfig]:
        """What members walk on in this world, and what leaves the trace."""
        robot = self._config.robot_of(family)
        traced = self._config.traces or robot
        return robot.model_copy(update={"dynamics": world}), traced.model_copy(update={"dynamics": world})

    def _run(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> dict[int, Result]:
        """Raises UserError when an item fails: without one of them the same config would give other bytes."""
        results: dict[int, Result] = {}
        for key, result in self._executor.map(function, items):
            if isinstance(result, Failure):
                raise UserError(f"work item {key} failed: {result.reason}")
            results[key] = result
            self._on_item(str(result))
        return {key: results[key] for key in items}


def _check_somebody_walked(returns: FloatArray, key: str) -> None:
    if not len(returns):
        raise UserError(f"{key}: the meta-policy falls before its first tick on all of them")


def _is_worth_keeping(before_m: float, after_m: float) -> bool:
    """Whether a specialist has gained enough on its own task."""
    return after_m > before_m + _WORTH_M


def _most_promising(family_of: dict[int, str], best: dict[int, float], prospects: dict[str, tuple[float, float]]) -> list[int]:
    """Tasks by what a specialist may gain there on the best member; families not tried yet first, in turn."""
    seen: Counter[str] = Counter()
    keys = {}
    for task in sorted(best, key=lambda task: best[task]):
        family = family_of[task]
        if family in prospects:
            chance, reached = prospects[family]
            keys[task] = (1, chance * (reached - best[task]))
        else:
            keys[task] = (2, -seen[family])
        seen[family] += 1
    return sorted(keys, key=lambda task: keys[task], reverse=True)
