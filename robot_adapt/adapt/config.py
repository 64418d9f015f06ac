"""The adaptation config, one YAML in configs/adapt/, and the plan of a session that follows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from robot_adapt.config import FROZEN, Positive, Seed
from robot_adapt.optim.operators import OperatorConfig


class AdaptConfig(BaseModel):
    """How long a trial is, how to search, and on how many fresh trials each end is measured."""

    model_config = FROZEN
    trial_s: Positive
    operator: OperatorConfig
    fresh_trials: Annotated[int, Field(ge=2)]


class SessionPlan(BaseModel):
    """What a session was started with; `session.json` in its run folder, so that it can be resumed."""

    model_config = FROZEN
    robot: str
    session: str
    seed: Seed
    note: str
    robot_config: dict[str, Any]
    settings: AdaptConfig
