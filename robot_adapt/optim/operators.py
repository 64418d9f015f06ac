"""Every adaptation operator by its config: a line in a YAML chooses another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from hardware.types import FloatArray
from robot_adapt.optim.active_subspace_es import ActiveSubspaceEs, ActiveSubspaceEsConfig
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbing, BatchHillClimbingConfig
from robot_adapt.optim.bayesian_optimization import BayesianOptimization, BayesianOptimizationConfig
from robot_adapt.optim.cma_es import CmaEs, CmaEsConfig
from robot_adapt.optim.duel import Duel, DuelTerms
from robot_adapt.optim.es_gradient import EsGradient, EsGradientConfig
from robot_adapt.optim.guided_es import GuidedEs, GuidedEsConfig
from robot_adapt.optim.hill_climbing import HillClimbing, HillClimbingConfig
from robot_adapt.optim.operator import AdaptationOperator, finite_vector
from robot_adapt.optim.recombination import Recombination, RecombinationConfig
from robot_adapt.optim.rounds import RoundOperator, Strategy
from robot_adapt.optim.space import Space

SEARCH_KINDS = (
    "active_subspace_es", "bayesian_optimization", "bhc", "cma_es", "es_gradient", "guided_es", "hill_climbing",
    "recombination",
)  # fmt: skip


def _kind(value: Any) -> str | None:
    """What names no kind is batch hill-climbing."""
    kind = value.get("kind", "bhc") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in SEARCH_KINDS else None


SearchConfig = Annotated[
    Annotated[ActiveSubspaceEsConfig, Tag("active_subspace_es")]
    | Annotated[BayesianOptimizationConfig, Tag("bayesian_optimization")]
    | Annotated[BatchHillClimbingConfig, Tag("bhc")]
    | Annotated[CmaEsConfig, Tag("cma_es")]
    | Annotated[EsGradientConfig, Tag("es_gradient")]
    | Annotated[GuidedEsConfig, Tag("guided_es")]
    | Annotated[HillClimbingConfig, Tag("hill_climbing")]
    | Annotated[RecombinationConfig, Tag("recombination")],
    Discriminator(_kind, "operator_kind", f"kind should be duel, around another kind, or one of {', '.join(SEARCH_KINDS)}"),
]


class DuelConfig(DuelTerms):
    """A search, then its winner against its start (see Duel)."""

    kind: Literal["duel"]
    search: SearchConfig

    @property
    def trials(self) -> int:
        return self.search.trials + 2 * self.pairs


def _duel_or_search(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "duel" if kind == "duel" else "search"


OperatorConfig = Annotated[
    Annotated[SearchConfig, Tag("search")] | Annotated[DuelConfig, Tag("duel")], Discriminator(_duel_or_search)
]


def make_operator(config: OperatorConfig, start: FloatArray, seed: int, space: Space | None = None) -> AdaptationOperator:
    """The operator that a config describes.

    Args:
        config: has `trials`, the whole budget, and `sigma`, in units of the space.
        start: theta (d,), where it begins.
        seed: decides every random number of the operator.
        space: where it searches; the full weight space when not given.

    """
    start = finite_vector(start)
    if isinstance(config, DuelConfig):
        return Duel(make_operator(config.search, start, seed, space), config.search.trials, start, config.pairs, config.level)
    space = (Space(start.size) if space is None else space).scaled(config.sigma)
    if space.parameters != start.size:
        raise ValueError(f"the space is of {space.parameters} parameters, the start has {start.size}")
    if isinstance(config, BatchHillClimbingConfig):
        return RoundOperator(BatchHillClimbing(config, start, space), lambda theta: theta, seed, config.kind)
    return RoundOperator(_strategy(config, space.dimensions), lambda z: start + space.steps(z), seed, config.kind)


def _strategy(config: SearchConfig, dimensions: int) -> Strategy:
    match config:
        case ActiveSubspaceEsConfig():
            return ActiveSubspaceEs(config, dimensions)
        case BayesianOptimizationConfig():
            return BayesianOptimization(config, dimensions)
        case CmaEsConfig():
            return CmaEs(config, dimensions)
        case EsGradientConfig():
            return EsGradient(config, dimensions)
        case GuidedEsConfig():
            return GuidedEs(config, dimensions)
        case HillClimbingConfig():
            return HillClimbing(config, dimensions)
        case RecombinationConfig():
            return Recombination(config, dimensions)
        case BatchHillClimbingConfig():
            raise AssertionError("it searches theta itself")
