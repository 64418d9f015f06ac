"""Every adaptation operator by its config: one line in a YAML chooses another."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from hardware.types import FloatArray
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbing, BatchHillClimbingConfig
from robot_adapt.optim.operator import AdaptationOperator, finite_vector
from robot_adapt.optim.rounds import RoundOperator
from robot_adapt.optim.space import Space


def _kind(value: Any) -> str:
    """What names no kind is batch hill-climbing."""
    kind = value.get("kind", "bhc") if isinstance(value, dict) else getattr(value, "kind", None)
    return str(kind)


OperatorConfig = Annotated[Annotated[BatchHillClimbingConfig, Tag("bhc")], Discriminator(_kind)]


def make_operator(config: OperatorConfig, start: FloatArray, seed: int, space: Space | None = None) -> AdaptationOperator:
    """The operator that a config describes.

    Args:
        config: has `trials`, the whole budget, and `sigma`, in units of the space.
        start: theta (d,), where it begins.
        seed: decides every random number of the operator.
        space: where it searches; the full weight space when not given.

    """
    start = finite_vector(start)
    space = (Space(start.size) if space is None else space).scaled(config.sigma)
    if space.parameters != start.size:
        raise ValueError(f"the space is of {space.parameters} parameters, the start has {start.size}")
    return RoundOperator(BatchHillClimbing(config, start, space), lambda theta: theta, seed, config.kind)
