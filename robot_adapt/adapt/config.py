"""The adaptation config, one YAML in configs/adapt/, and the plan of a session that follows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from robot_adapt.calibration_file import CalibrationStamp
from robot_adapt.config import FROZEN, Positive, Seed
from robot_adapt.optim.duel import DuelTerms
from robot_adapt.optim.operators import SEARCH_KINDS, OperatorConfig
from robot_adapt.repertoire.search import RepertoireSearchConfig


class RepertoireDuelConfig(DuelTerms):
    """A search in a policy's repertoire, then its winner against the policy itself; see DuelConfig."""

    kind: Literal["duel"]
    search: RepertoireSearchConfig

    @property
    def trials(self) -> int:
        return self.search.trials + 2 * self.pairs


def _what_is_searched(value: Any) -> str | None:
    """The weights around a policy or its repertoire, in the values of a YAML or in a config."""

    def part(of: Any, key: str) -> Any:
        return of.get(key) if isinstance(of, dict) else getattr(of, key, None)

    kind, searched = part(value, "kind"), part(part(value, "search"), "kind")
    if "repertoire" in (kind, searched):
        return "repertoire" if kind == "repertoire" else "repertoire_duel"
    return "weights" if kind in (None, "duel", *SEARCH_KINDS) else None


PolicyOperatorConfig = Annotated[
    Annotated[OperatorConfig, Tag("weights")]
    | Annotated[RepertoireSearchConfig, Tag("repertoire")]
    | Annotated[RepertoireDuelConfig, Tag("repertoire_duel")],
    Discriminator(
        _what_is_searched,
        "operator_kind",
        f"kind should be repertoire, duel, around another kind, or one of {', '.join(SEARCH_KINDS)}",
    ),
]


class AdaptConfig(BaseModel):
    """How long a trial is, how to search, and on how many fresh trials each end is measured.

    Attributes:
        space: where the operator searches: all weights alike, or where the policy was meta-trained to search.

    """

    model_config = FROZEN
    trial_s: Positive
    operator: PolicyOperatorConfig
    fresh_trials: Annotated[int, Field(ge=2)]
    space: Literal["full", "learned"] = "full"

    @model_validator(mode="after")
    def _a_repertoire_is_a_space_of_its_own(self) -> AdaptConfig:
        if self.space != "full" and isinstance(self.operator, RepertoireSearchConfig | RepertoireDuelConfig):
            raise ValueError("space: a repertoire is searched in its members' own directions: use space: full")
        return self


class SessionPlan(BaseModel):
    """What a session was started with; `session.json` in its run folder, so that it can be resumed."""

    model_config = FROZEN
    robot: str
    session: str
    seed: Seed
    note: str
    robot_config: dict[str, Any]
    calibration: CalibrationStamp | None = None
    settings: AdaptConfig
