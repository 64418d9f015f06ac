"""MAP-Elites: the best behaviour found in every cell of a grid over duty factors (Mouret & Clune 2015; Cully et al. 2015).

Built in simulation of the intact robot, with `ribs`; a behaviour is a LinearPolicy's weights. Offspring are elites plus a step
along the line to another elite (Iso+LineDD, Vassiliades & Mouret 2018). An elite is in part lucky, and the luckier the longer
the search: at the end every one is measured afresh. The same config gives the same bytes, however often it was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from hardware.types import FloatArray
from robot_adapt import __version__, checkpoint_file
from robot_adapt.backends import NamedRig, SimulatedRobotConfig
from robot_adapt.baselines.behaviour_map import BehaviourMap, duty_factors
from robot_adapt.config import FROZEN, Count, Positive, Seed
from robot_adapt.errors import UserError
from robot_adapt.lane import Lane
from robot_adapt.meta.executors import Executor, gather
from robot_adapt.policy import policy_file
from robot_adapt.policy.linear import LinearPolicy
from robot_adapt.randomness import generator

_FORMAT = "robot_adapt MAP-Elites checkpoint 2"
_AT_ONCE = 16  # behaviours a work item: opening a world costs about as much as a trial
_FRESH = 2**31


class MapElitesConfig(BaseModel):
    """How a behaviour map is made around a policy.

    Attributes:
        policy: by its name in configs/policies/ or a file; the first parent, and behaviour 0.
        cells: of the grid, along each leg's duty factor (Cully et al.: 5).
        batch: offspring a generation.
        iso_sigma, line_sigma: of a step in all weights, and along the line to another elite, in units of its length.
        trials: whose mean return and descriptor count.
        fresh: trials that measure every elite at the end.

    """

    model_config = FROZEN
    kind: Literal["map_elites"] = "map_elites"
    policy: str
    robot: NamedRig
    seed: Seed
    trial_s: Positive
    cells: Annotated[int, Field(ge=2)]
    generations: Count
    batch: Count
    iso_sigma: Positive
    line_sigma: Positive
    trials: Count
    fresh: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def _reality_is_not_trained_on(self) -> MapElitesConfig:
        if self.robot.engine == "mujoco":
            raise ValueError("robot: engine mujoco stands for reality: nothing is trained on it")
        return self


@dataclass(frozen=True, eq=False)
class MapState:
    """After so many generations and trials: the elites (K, d), their descriptors (K, legs) and returns (K,)."""

    generations: int
    trials: int
    thetas: FloatArray
    descriptors: FloatArray
    returns: FloatArray


@dataclass(frozen=True, eq=False)
class BehavioursItem:
    """Behaviours (n, d), so many trials each; `noise` (n,) and the number of a trial are the index of its noise."""

    policy: LinearPolicy
    robot: SimulatedRobotConfig
    trial_s: float
    thetas: FloatArray
    trials: int
    seed: int
    generation: int
    noise: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Behaviours:
    """Returns (n, trials) and descriptors, mean over trials (n, legs)."""

    returns: FloatArray
    descriptors: FloatArray

    def __str__(self) -> str:
        return f"best of {len(self.returns)}: {self.returns.mean(axis=1).max():.2f} m"


def measure_behaviours(item: BehavioursItem) -> Behaviours:
    """Runs all trials of an item in one world."""
    returns, descriptors = [], []
    with Lane(item.policy, item.robot, item.trial_s, item.seed, "behaviour trial") as lane:
        for theta, noise in zip(item.thetas, item.noise, strict=True):
            trials = [lane.trial(theta, item.generation, noise, i) for i in range(item.trials)]
            returns.append([trial.value for trial in trials])
            descriptors.append(np.mean([duty_factors(trial.telemetry, item.policy.trot) for trial in trials], axis=0))
    return Behaviours(np.array(returns, dtype=np.float64), np.array(descriptors))


class MapElites:
    """Advances a MapState; holds only what does not change. Raises UserError without ribs."""

    def __init__(
        self, config: MapElitesConfig, policy: LinearPolicy, executor: Executor, on_item: Callable[[str], None] = lambda _: None
    ) -> None:
        try:
            from ribs.archives import GridArchive
            from ribs.emitters import IsoLineEmitter
        except ImportError:
            raise UserError("MAP-Elites needs ribs: pip install 'robot-adapt[map-elites]'") from None
        self._archive_of, self._emitter_of = GridArchive, IsoLineEmitter
        self._config, self._policy, self._executor, self._on_item = config, policy, executor, on_item

    def start(self) -> MapState:
        legs = self._policy.trot.legs
        return MapState(0, 0, np.zeros((0, self._policy.parameters.size)), np.zeros((0, legs)), np.zeros(0))

    def items_in(self, behaviours: int) -> int:
        """How many work items so many behaviours are; for progress."""
        return -(-behaviours // _AT_ONCE)

    def advance(self, state: MapState) -> MapState:
        """One generation; the first one is the policy and what is around it."""
        c = self._config
        draw = generator(c.seed, "map-elites", state.generations)
        archive_seed, emitter_seed = draw.integers(2**31, size=2).tolist()
        archive = self._archive_of(
            solution_dim=self._policy.parameters.size,
            dims=[c.cells] * self._policy.trot.legs,
            ranges=[(0.0, 1.0)] * self._policy.trot.legs,
            seed=archive_seed,
        )
        if len(state.returns):  # in the order in which the archive gave them: parents are drawn by their place in it
            archive.add(state.thetas, state.returns, state.descriptors)
        emitter = self._emitter_of(
            archive, iso_sigma=c.iso_sigma, line_sigma=c.line_sigma, x0=self._policy.parameters, batch_size=c.batch,
            seed=emitter_seed,
        )  # fmt: skip
        thetas = emitter.ask()
        if not state.generations:
            thetas[0] = self._policy.parameters
        kept, returns, descriptors = self._measure(thetas, c.trials, state.generations, tuple(range(len(thetas))))
        archive.add(thetas[kept], returns.mean(axis=1), descriptors)
        elites = archive.data()
        return MapState(
            state.generations + 1, state.trials + returns.size, elites["solution"], elites["measures"], elites["objective"]
        )

    def finish(self, state: MapState) -> BehaviourMap:
        """All elites measured afresh, under the same noise, and the policy itself as behaviour 0."""
        c = self._config
        thetas = np.vstack((self._policy.parameters, state.thetas))
        kept, returns, descriptors = self._measure(thetas, c.fresh, _FRESH, (0,) * len(thetas))
        if kept[0] != 0:
            raise RuntimeError("the policy itself could not be measured")
        provenance = {
            "made_by": f"robot_adapt {__version__} map-elites",
            "trials": state.trials + returns.size,
            "config": c.model_dump(mode="json"),
        }
        noise_sd = float(np.sqrt(returns.var(axis=1, ddof=1).mean()))
        return BehaviourMap(thetas[kept], descriptors, returns.mean(axis=1), noise_sd, provenance)

    def _measure(
        self, thetas: FloatArray, trials: int, generation: int, noise: tuple[int, ...]
    ) -> tuple[list[int], FloatArray, FloatArray]:
        """Which behaviours were measured, their returns (n, trials), and descriptors (n, legs)."""
        c, rows = self._config, range(len(thetas))
        parts = {i: rows[i : i + _AT_ONCE] for i in rows[::_AT_ONCE]}
        items = {
            i: BehavioursItem(
                self._policy, c.robot, c.trial_s, thetas[part.start : part.stop], trials, c.seed, generation,
                noise[part.start : part.stop],
            )
            for i, part in parts.items()
        }  # fmt: skip
        results = gather(self._executor, measure_behaviours, items, lambda result: self._on_item(str(result)))
        kept = [row for i in results for row in parts[i]]
        returns, descriptors = (
            np.concatenate([getattr(result, name) for result in results.values()]) for name in ("returns", "descriptors")
        )
        return kept, returns, descriptors


def save(state: MapState, config: MapElitesConfig, policy: LinearPolicy, path: Path) -> None:
    """Writes a checkpoint, with the config and the policy that it belongs to."""
    arrays = {"thetas": state.thetas, "descriptors": state.descriptors, "returns": state.returns}
    values = {"generations": state.generations, "trials": state.trials}
    checkpoint_file.save(path, _FORMAT, _of(config, policy), arrays, values)


def load(path: Path, config: MapElitesConfig, policy: LinearPolicy) -> MapState:
    """The state saved there. Raises UserError when the file is damaged or belongs to another config or policy."""
    arrays, values = checkpoint_file.load(path, _FORMAT, _of(config, policy))
    return MapState(values["generations"], values["trials"], arrays["thetas"], arrays["descriptors"], arrays["returns"])


def _of(config: MapElitesConfig, policy: LinearPolicy) -> dict[str, Any]:
    return checkpoint_file.identity(config, config.robot.robot.body) | {"policy": policy_file.walk_sha256(policy)}
