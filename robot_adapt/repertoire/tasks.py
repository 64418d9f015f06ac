"""The tasks that a repertoire is grown on: a family's hobble, in worlds around the rig. Purpose and number decide each."""

from __future__ import annotations

from collections.abc import Sequence

from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.mirror import Mirror
from sim.dynamics import Dynamics
from sim.sampler import DynamicsSampler

_Kinds = Sequence[tuple[str, DynamicsSampler]]


class Tasks:
    """Draws tasks; the same config gives the same ones. Families and worlds are the config's."""

    def __init__(self, config: RepertoireConfig, mirror: Mirror) -> None:
        self._config, self._mirror = config, mirror
        self._families: _Kinds = tuple(config.families.items())

    def of_families(self, purpose: str, index: int, count: int) -> dict[int, tuple[str, Dynamics]]:
        """Family and world of each task, the families in turn."""
        return self._in_turn(self._families, purpose, index, count)

    def of_strata(self, purpose: str, count: int) -> dict[int, tuple[str, Dynamics]]:
        """The same, every combination of the families' choices in turn."""
        return self._in_turn(self._config.strata, purpose, 0, count)

    def worlds(self, purpose: str, index: int, task: int, count: int) -> tuple[Dynamics, ...]:
        """The hobble of one of the families' tasks in so many worlds; the first one is its own."""
        return self._drawn(self._families[task % len(self._families)][1], purpose, index, task, count)

    def niche_worlds(self, niche: Sequence[tuple[int, bool]], count: int) -> tuple[Dynamics, ...]:
        """The hobbles of a niche's tasks in turn, in so many worlds; those of the other side (True) mirrored."""
        worlds_of = {task: self.worlds("niche", 0, task, -(-count // len(niche))) for task, _ in niche}
        worlds = []
        for k in range(count):
            task, is_across = niche[k % len(niche)]
            world = worlds_of[task][k // len(niche)]
            worlds.append(self._mirror.dynamics(world) if is_across else world)
        return tuple(worlds)

    def _in_turn(self, kinds: _Kinds, purpose: str, index: int, count: int) -> dict[int, tuple[str, Dynamics]]:
        tasks = {}
        for task in range(count):
            family, hobbles = kinds[task % len(kinds)]
            tasks[task] = family, self._drawn(hobbles, purpose, index, task, 1)[0]
        return tasks

    def _drawn(self, hobbles: DynamicsSampler, purpose: str, index: int, task: int, count: int) -> tuple[Dynamics, ...]:
        """One hobble, in so many worlds."""
        seed = self._config.seed
        return tuple(
            self._config.sample(
                hobbles,
                generator(seed, f"repertoire {purpose} hobble", index, task),
                generator(seed, f"repertoire {purpose} world", index, task, world),
            )
            for world in range(count)
        )
