from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot_adapt.bench.figures import draw, table, words
from robot_adapt.bench.recovery import HEALTHY, ORACLE
from robot_adapt.bench.shares import returns
from tests.robot_adapt.bench.test_shares import GAINED, SEEDS, START, _row, _rows


@pytest.mark.parametrize("with_oracle", [True, False])
def test_a_picture_is_drawn_with_and_without_an_oracle(tmp_path: Path, with_oracle: bool) -> None:
    of = returns([row for row in _rows() if with_oracle or row.method != ORACLE], "robot", list(GAINED), "ours")
    draw({"robot": of, "again": of}, list(GAINED), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_has_a_row_a_method() -> None:
    head, _, ours, theirs = table(returns(_rows(), "robot", list(GAINED), "ours"), list(GAINED), 3.0).splitlines()
    assert head.startswith("| method | before | 5 trials | 20 trials |")
    cells = [cell.strip() for cell in ours.split("|")]
    assert cells[1] == "ours"
    assert cells[2].startswith("0.70 m; 0.0")  # means of 0.2, 0.6 and 1.3
    assert cells[3].startswith("0.90 m; 0.4")
    assert cells[4].startswith("1.10 m; 0.8")
    assert "20 (60 s), -" in cells  # trials to 80 % and 90 %
    assert "slope -0.4" in theirs
    assert len(ours.split("|")) == len(theirs.split("|")) == len(head.split("|"))


def test_the_table_says_how_much_the_low_ones_rise_after_a_minute() -> None:
    gaining = {"leg": 0.5, "slope": 0.4, "battery": 0.0}
    rows = [_row(name, seed, "theirs", 50, START[name] + gain) for name, gain in gaining.items() for seed in range(SEEDS)]
    head, _, theirs = table(returns([*_rows(), *rows], "robot", ["theirs"], "theirs"), ["theirs"], 3.0).splitlines()
    column = [cell.strip() for cell in head.split("|")].index("20 to 50 trials, hobbles below 0.8")
    assert theirs.split("|")[column].strip().startswith("2: 0.8")  # the leg's from 0.1 to 0.5, the slope's from -0.4 to 0.8


def test_the_words_say_what_the_healthy_robot_walks() -> None:
    rows = [*_rows(), *(_row(HEALTHY, seed, HEALTHY, trials, 1.4) for seed in range(SEEDS) for trials in (0, 1))]
    of = returns(rows, "robot", list(GAINED), "ours")
    assert of.hobbles == tuple(START)
    assert np.isnan(returns(rows[:-2], "robot", list(GAINED), "ours").healthy)  # a seed has none
    assert words("robot", of, list(GAINED))[0].startswith(
        "robot: 12 seeds of 3 hobbles; zero-shot healthy 1.40 m, hobbled 0.70 m."
    )


def test_the_words_name_the_hobbles_without_a_gap_and_count_those_that_are_clear() -> None:
    first, second = words("robot", returns(_rows(), "robot", list(GAINED), "ours"), list(GAINED))
    assert first.startswith("robot: 12 seeds of 3 hobbles; zero-shot hobbled 0.70 m. The oracles: 1.20 m. ")
    assert first.endswith("Without a gap, and in no share: battery.")
    assert second.endswith("hobbles, the interval clear of zero on 2.")
    some = [replace(row, settled=row.seed > 1) if row.method == ORACLE else row for row in _rows()]
    first, _ = words("robot", returns(some, "robot", list(GAINED), "ours"), list(GAINED))
    assert "The oracles: 1.20 m, 6 of them not settled. " in first
    _, theirs = words("robot", returns(_rows(), "robot", list(GAINED), "ours"), ["theirs", "ours"])
    assert theirs.endswith("hobbles, the interval clear of zero on 0, clearly behind on leg, slope.")
