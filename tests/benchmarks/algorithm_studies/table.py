"""Tables of results: rows of plain values, as CSV and back. Means come with Student's 95 % interval over seeds."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from robot_adapt.meta.executors import Executor, Failure, Item, Result
from robot_adapt.report.recovery import confidence_interval_95

Row = dict[str, str | float]


def interval(values: Sequence[float] | np.typing.NDArray[np.float64]) -> Row:
    """Mean, its interval, median and count, as columns."""
    mean, median = float(np.mean(values)), float(np.median(values))
    low, high = confidence_interval_95([float(value) for value in values]) or (mean, mean)
    columns = {"mean": mean, "low": low, "high": high, "median": median}
    return {**{name: float(f"{value:.4g}") for name, value in columns.items()}, "seeds": len(values)}


def in_parallel(executor: Executor, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Results in the items' order. Raises SystemExit when one fails."""
    numbered = dict(enumerate(items))
    results: dict[int, Result] = {}
    for key, result in executor.map(function, numbered):
        if isinstance(result, Failure):
            raise SystemExit(f"{numbered[key]}: {result.reason}")
        results[key] = result
    return [results[key] for key in numbered]


def write(rows: Sequence[Row], path: Path) -> None:
    """As CSV, with the columns of the first row."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read(path: Path) -> list[Row]:
    """What `write` wrote."""
    with path.open(newline="") as file:
        return [{name: _parsed(text) for name, text in row.items()} for row in csv.DictReader(file)]


def having(rows: Iterable[Row], **values: str | float) -> list[Row]:
    """The rows with these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def numbers(rows: Iterable[Mapping[str, str | float]], name: str) -> list[float]:
    """One column."""
    return [float(row[name]) for row in rows]


def distinct(rows: Iterable[Row], name: str) -> list[str | float]:
    """The values of a column, in the order of their first appearance."""
    return list(dict.fromkeys(row[name] for row in rows))


def _parsed(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
