"""Executor: where work items run. Results are keyed by work id; a failure is a value, never a missing entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """Why a work item has no result, in one line."""

    reason: str


class Executor(Protocol):
    """Runs independent work."""

    def map(self, function: Callable[[Item], Result], items: Mapping[int, Item]) -> Iterator[tuple[int, Result | Failure]]:
        """Every id once, in any order. `function` is a module's top-level function: it may cross to another process."""

    def close(self) -> None:
        """Ends the workers; idempotent."""
