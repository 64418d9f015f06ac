"""The adaptation config, one YAML in configs/adapt/, and the plan of a session that follows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from robot_adapt.config import FROZEN, Positive, Seed
from robot_adapt.errors import UserError
from robot_adapt.optim.operators import OperatorConfig
from robot_adapt.optim.space import Space
from robot_adapt.policy.linear import LinearPolicy


class AdaptConfig(BaseModel):
    """How long a trial is, how to search, and on how many fresh trials each end is measured.

    Attributes:
        space: where the operator searches: all weights alike, or where the policy was meta-trained to search.

    """

    model_config = FROZEN
    trial_s: Positive
    operator: OperatorConfig
    fresh_trials: Annotated[int, Field(ge=2)]
    space: Literal["full", "learned"] = "full"


def search_space(settings: AdaptConfig, policy: LinearPolicy) -> Space | None:
    """Where to search for this policy; None is the full weight space. Raises UserError when it has learned none."""
    if settings.space == "learned" and policy.space is None:
        raise UserError("space: learned: this policy was not meta-trained where to search: use space: full")
    return None if settings.space == "full" else policy.space


class SessionPlan(BaseModel):
    """What a session was started with; `session.json` in its run folder, so that it can be resumed."""

    model_config = FROZEN
    robot: str
    session: str
    seed: Seed
    note: str
    robot_config: dict[str, Any]
    settings: AdaptConfig
