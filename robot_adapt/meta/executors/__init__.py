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
        """Every id once, in any order. `function` is a module's top-level function: it may cross to another process.

        Raises UserError or RobotError that an item raises: what a person has to mend is mended once. A RobotFault is a failure.
        """

    def close(self) -> None:
        """Ends the workers; idempotent."""


def gather(
    executor: Executor, function: Callable[[Item], Result], items: Mapping[int, Item],
    on_result: Callable[[Result], None] = lambda _: None,
) -> dict[int, Result]:  # fmt: skip
    """The results, in the items' order, without those that failed. Raises RuntimeError when more than half did."""
    results: dict[int, Result] = {}
    reason = ""
    for key, result in executor.map(function, items):
        if isinstance(result, Failure):
            reason = result.reason
        else:
            results[key] = result
            on_result(result)
    if 2 * len(results) < len(items):
        raise RuntimeError(f"{len(items) - len(results)} of {len(items)} work items failed: {reason}")
    return {key: results[key] for key in items if key in results}
