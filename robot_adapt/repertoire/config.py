"""The repertoire's config: one YAML in configs/repertoire/ decides every byte of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from robot_adapt.backends import NamedRig, SimulatedRobotConfig
from robot_adapt.config import FROZEN, Count, Positive, Seed, Share
from sim.sampler import DynamicsSampler

META_POLICY = "meta-policy"  # what member 0 is called


class SpecialistConfig(BaseModel):
    """Evolution strategies: mirrored pairs under common random numbers, ranks of differences (see es_step).

    Each iteration meets the next of `worlds` worlds: a specialist of one world would not transfer. Sigma and step shrink by the
    same factor in every iteration, to their final values: wide finds another walk, narrow betters it.

    Attributes:
        guided: of a perturbation's variance, the share along the directions in which the meta-policy, the generalists and the
            specialists of its own family differ (Guided ES, arXiv 1806.10230, 1 - alpha there); the rest is isotropic.
        trial_s: how long a trial of the search takes; None: as long as the repertoire's. Before and after are told by those.

    """

    model_config = FROZEN
    iterations: Count
    pairs: Count
    sigma: Positive
    final_sigma: Positive
    step: Positive
    final_step: Positive
    worlds: Count
    guided: Share = 0.0
    trial_s: Positive | None = None

    @property
    def trials(self) -> int:
        return 2 * self.pairs * self.iterations

    def at(self, iteration: int) -> tuple[float, float]:
        """Sigma and step."""
        done = iteration / self.iterations
        return self.sigma * (self.final_sigma / self.sigma) ** done, self.step * (self.final_step / self.step) ** done


class GeneralistsConfig(BaseModel):
    """Policies that each cope with many worlds; specialists of all families may begin there.

    All of them stay, whatever they are worth on the families' tasks, and in a repertoire `without` a family too: a hobble of no
    family may need them most. What is in their worlds is known to all.

    Attributes:
        training: one world an iteration, `worlds` of them in turn.
        worlds: a generalist each, by name.

    """

    model_config = FROZEN
    training: SpecialistConfig
    worlds: Annotated[dict[str, DynamicsSampler], Field(min_length=1)]


class RoundConfig(BaseModel):
    """So many specialists, on those of `candidates` sampled tasks where they may gain most."""

    model_config = FROZEN
    candidates: Count
    specialists: Count


class SelectionConfig(BaseModel):
    """Which of all members are kept: those that raise the mean of the best over so many tasks, `trials` a member and task.

    Attributes:
        members: the most that are kept, mirror images, generalists and the meta-policy included.

    """

    model_config = FROZEN
    tasks: Count
    trials: Annotated[int, Field(ge=2)]
    members: Annotated[int, Field(ge=2)]


class RefinementConfig(BaseModel):
    """What becomes of the specialists that are kept: each climbs on where it is the best of its family, among so many tasks.

    Of a niche's tasks the first `training.worlds` count; who is not better in the first of their worlds stays as it was.
    """

    model_config = FROZEN
    tasks: Count
    training: SpecialistConfig


class MatrixConfig(BaseModel):
    """The return matrix that the prior is fitted to: tasks of its own, before mirroring; `trials` a member and task."""

    model_config = FROZEN
    tasks: Annotated[int, Field(ge=2)]
    trials: Annotated[int, Field(ge=2)]


class RepertoireConfig(BaseModel):
    """How a repertoire is grown around a policy.

    Attributes:
        policy: the meta-policy, by its name in configs/policies/ or a file.
        worlds: what varies around the rig's dynamics in every task.
        robots: families for which `robot` will not do, each on another model of it: what walks on one would fall on the other.
        traces: the model that leaves the traces: whoever adapts is known by its first walk, and closed legs walk differently.
            None: the one that members walk on.
        families: kinds of hobbles by name, each drawn evenly, on top of a world.

    """

    model_config = FROZEN
    policy: str
    robot: NamedRig
    robots: dict[str, NamedRig] = {}
    traces: NamedRig | None = None
    seed: Seed
    trial_s: Positive
    worlds: DynamicsSampler
    generalists: GeneralistsConfig | None = None
    families: Annotated[dict[str, DynamicsSampler], Field(min_length=1)]
    specialist: SpecialistConfig
    rounds: Annotated[tuple[RoundConfig, ...], Field(min_length=1)]
    selection: SelectionConfig | None = None
    refinement: RefinementConfig | None = None
    matrix: MatrixConfig

    @model_validator(mode="after")
    def _tasks_are_of_this_robot(self) -> RepertoireConfig:
        body = self.robot.robot.body
        rigs = {"robot": self.robot} | {f"robots.{family}": one for family, one in self.robots.items()}
        for key, rig in (rigs | ({} if self.traces is None else {"traces": self.traces})).items():
            if rig.engine == "mujoco":
                raise ValueError(f"{key}: engine mujoco stands for reality: nothing is trained on it")
            if rig.robot != self.robot.robot:
                raise ValueError(f"{key}: {rig.robot.body.name} is not the robot, {body.name}")
        if unknown := self.robots.keys() - self.families.keys():
            raise ValueError(f"robots.{min(unknown)}: no family has this name")
        if META_POLICY in self.families:
            raise ValueError(f"families.{META_POLICY}: member 0 has this name")
        samplers = {"worlds": self.worlds} | {f"families.{name}": one for name, one in self.families.items()}
        if self.generalists is not None:
            samplers |= {f"generalists.worlds.{name}": one for name, one in self.generalists.worlds.items()}
            least = 1 + 2 * len(self.generalists.worlds)
            if self.selection is not None and least > (most := self.selection.members):
                raise ValueError(
                    f"selection.members: {most} are too few: the meta-policy, generalists and mirror images are {least}"
                )
            if both := self.generalists.worlds.keys() & self.families.keys():
                raise ValueError(f"generalists.worlds.{min(both)}: a family has this name, and is left out by it")
        for name, sampler in samplers.items():
            if (wrong := sampler.misfit(body)) is not None:
                raise ValueError(f"{name}.{wrong}")
        return self

    @model_validator(mode="after")
    def _every_family_has_its_turn(self) -> RepertoireConfig:
        counts = {f"rounds.{k}.candidates": one.candidates for k, one in enumerate(self.rounds)}
        stages = {"selection": self.selection, "refinement": self.refinement, "matrix": self.matrix}
        counts |= {f"{key}.tasks": one.tasks for key, one in stages.items() if one is not None}
        for key, count in counts.items():
            if count < len(self.families):
                raise ValueError(f"{key}: {count} are too few for {len(self.families)} families, who take turns")
        return self

    def robot_of(self, family: str) -> SimulatedRobotConfig:
        """The rig that a family's tasks are met on, its own dynamics still in it."""
        return self.robots.get(family, self.robot)
