"""The tasks that a repertoire is grown on: a family's hobble, in worlds around the rig. Purpose and number decide each."""

from __future__ import annotations

from collections.abc import Sequence

from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.mirror import Mirror
from sim.dynamics import Dynamics
from sim.sampler import DynamicsSampler


class Tasks:
    """Draws tasks, the families in turn; the same config gives the same ones. Families and worlds are the config's."""

    def __init__(self, config: RepertoireConfig, mirror: Mirror) -> None:
        self._config, self._mirror = config, mirror
        self._families = list(config.families.items())

    def drawn(self, purpose: str, index: int, count: int) -> dict[int, tuple[str, Dynamics]]:
        """Family and world of each task."""
        return {task: (self._family(task)[0], self.worlds(purpose, index, task, 1)[0]) for task in range(count)}

    def spread(self, purpose: str, count: int) -> dict[int, tuple[str, Dynamics]]:
        """The same, each family going through all combinations of its choices (which joint, which sign) in turn.

        So few tasks, drawn at random, would leave gaps and meet others twice.
        """
        strata = {family: sampler.strata() for family, sampler in self._families}
        tasks = {}
        for task in range(count):
            family = self._family(task)[0]
            turn = task // len(self._families) % len(strata[family])
            tasks[task] = (family, self._world(family, strata[family][turn], purpose, 0, task, 0))
        return tasks

    def worlds(self, purpose: str, index: int, task: int, count: int) -> tuple[Dynamics, ...]:
        """A task's hobble in so many worlds; the first one is the task's own."""
        return tuple(self._world(*self._family(task), purpose, index, task, world) for world in range(count))

    def niche_worlds(self, niche: Sequence[tuple[int, bool]], count: int) -> tuple[Dynamics, ...]:
        """The hobbles of a niche's tasks in turn, in so many worlds; those of the other side (True) mirrored."""
        worlds = []
        for k in range(count):
            task, is_across = niche[k % len(niche)]
            world = self._world(*self._family(task), "niche", 0, task, k // len(niche))
            worlds.append(self._mirror.dynamics(world) if is_across else world)
        return tuple(worlds)

    def _family(self, task: int) -> tuple[str, DynamicsSampler]:
        return self._families[task % len(self._families)]

    def _world(self, family: str, hobbles: DynamicsSampler, purpose: str, index: int, task: int, world: int) -> Dynamics:
        c = self._config
        hobble_draw = generator(c.seed, f"repertoire {purpose} hobble", index, task)
        world_draw = generator(c.seed, f"repertoire {purpose} world", index, task, world)
        return hobbles.sample(c.worlds.sample(c.robot_of(family).dynamics, world_draw), hobble_draw)
