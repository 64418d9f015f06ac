"""Checked values that simulation configs are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
PointM = tuple[Finite, Finite, Finite]
Frozen = ConfigDict(frozen=True, strict=True, extra="forbid")
