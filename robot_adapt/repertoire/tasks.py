"""The tasks that a repertoire is grown on: a family's hobble, in worlds around the rig. Purpose and number decide each.

They go through every combination of the families' choices (which joint, which sign) in turn: so few tasks would leave gaps, and
meet others twice, were they drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence

from robot_adapt.randomness import generator
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.repertoire.mirror import Mirror
from sim.dynamics import Dynamics


class Tasks:
    """Draws tasks; the same config gives the same ones. Families and worlds are the config's."""

    def __init__(self, config: RepertoireConfig, mirror: Mirror) -> None:
        self._config, self._mirror = config, mirror

    def drawn(self, purpose: str, index: int, count: int) -> dict[int, tuple[str, Dynamics]]:
        """Family and world of each task."""
        strata = self._config.strata
        return {task: (strata[task % len(strata)][0], self._world(purpose, index, task, 0, 0)) for task in range(count)}

    def alike(self, purpose: str, index: int, task: int, count: int) -> tuple[Dynamics, ...]:
        """So many worlds of a task's combination, the hobble drawn anew in each; the first one is the task's own."""
        return tuple(self._world(purpose, index, task, k, k) for k in range(count))

    def niche_worlds(self, niche: Sequence[tuple[int, bool]], count: int) -> tuple[Dynamics, ...]:
        """The hobbles of a niche's tasks in turn, in so many worlds; those of the other side (True) mirrored."""
        worlds = []
        for k in range(count):
            task, is_across = niche[k % len(niche)]
            world = self._world("niche", 0, task, 0, k // len(niche))
            worlds.append(self._mirror.dynamics(world) if is_across else world)
        return tuple(worlds)

    def _world(self, purpose: str, index: int, task: int, hobble: int, world: int) -> Dynamics:
        c = self._config
        return c.sample(
            task % len(c.strata),
            generator(c.seed, f"repertoire {purpose} hobble", index, task, hobble),
            generator(c.seed, f"repertoire {purpose} world", index, task, world),
        )
