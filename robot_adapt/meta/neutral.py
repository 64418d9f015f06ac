"""Dumps of configs that grew: what has its neutral default is left out, so that what came before keeps its bytes."""

from __future__ import annotations

from pydantic import BaseModel


def without_defaults(config: BaseModel, dumped: dict[str, object], since: str) -> dict[str, object]:
    """`dumped` without those fields, from the field `since` on, that have their default."""
    fields = type(config).model_fields
    grown = list(fields)[list(fields).index(since) :]
    return {name: value for name, value in dumped.items() if name not in grown or getattr(config, name) != fields[name].default}
