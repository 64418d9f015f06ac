from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from robot_adapt.bench.recovery import ORACLE, Row
from robot_adapt.bench.shares import Returns, ahead, behind, median_of_oracle, median_share, returns, rise, shares, worse
from robot_adapt.errors import UserError

SEEDS = 12
START = {"leg": 0.2, "slope": 0.6, "battery": 1.3}
BEST = {"leg": 1.2, "slope": 1.1, "battery": 1.31}
GAINED = {"ours": {"leg": 0.8, "slope": 0.4, "battery": 0.0}, "theirs": {"leg": 0.1, "slope": -0.2, "battery": 0.0}}


def _row(hobble: str, seed: int, method: str, trials: int, return_m: float, rig: str = "robot") -> Row:
    return Row(
        rig, hobble, seed, method, trials, return_m, 0.25 if trials else 0.5, trials // 4, True, f"{hobble}{seed}{method}"
    )


def _rows() -> list[Row]:
    """Every seed has luck of its own, the same for all; a method half its gain after 5 trials."""
    rows = []
    for hobble, start in START.items():
        for seed in range(SEEDS):
            luck = 0.02 * np.cos(seed)
            rows.append(_row(hobble, seed, ORACLE, 900, BEST[hobble] + luck))
            for k, (method, gained) in enumerate(GAINED.items()):
                own = 0.01 * np.sin(seed + k)
                for trials, share in ((0, 0.0), (5, 0.5), (20, 1.0)):
                    rows.append(_row(hobble, seed, method, trials, start + luck + share * (gained[hobble] + own)))
    return rows


@pytest.fixture
def of() -> Returns:
    return returns(_rows(), "robot", list(GAINED), "ours")


def test_a_share_is_of_the_gap_between_zero_shot_and_oracle(of: Returns) -> None:
    assert shares(of, "ours", 20) == pytest.approx({"leg": 0.8, "slope": 0.8}, abs=0.02)
    assert shares(of, "ours", 5) == pytest.approx({"leg": 0.4, "slope": 0.4}, abs=0.02)
    assert shares(of, "theirs", 20) == pytest.approx({"leg": 0.1, "slope": -0.4}, abs=0.02)


def test_a_hobble_that_takes_next_to_nothing_is_in_no_share_and_is_named(of: Returns) -> None:
    assert of.left_out == ("battery",)


def test_who_is_clearly_behind_is_so_by_a_share_of_the_gap(of: Returns) -> None:
    assert behind(of, "theirs", "ours", 20) == ["leg", "slope"]
    assert behind(of, "theirs", "ours", 20, by=1.0) == ["slope"]  # the leg's is 0.7 behind, the slope's 1.2
    assert behind(of, "ours", "theirs", 20) == []


def test_without_an_oracle_clearly_behind_is_clear_of_zero() -> None:
    of = returns([row for row in _rows() if row.method != ORACLE], "robot", list(GAINED), "ours")
    assert behind(of, "theirs", "ours", 20) == ["leg", "slope"]


def test_a_rise_is_the_mean_of_the_hobbles_that_were_low(of: Returns) -> None:
    count, more = rise(of, "ours", 5, 20)
    assert count == 2
    assert more.value == pytest.approx(0.4, abs=0.02)
    assert 0.35 < more.low < more.value < more.high < 0.45
    assert rise(of, "ours", 5, 20, below=0.3)[0] == 0


def test_the_interval_holds_the_median_over_hobbles(of: Returns) -> None:
    share = median_share(of, "theirs", 20)
    assert share.value == pytest.approx(-0.15, abs=0.02)
    assert share.low == pytest.approx(-0.4, abs=0.05)  # both draws may be the slope
    assert share.high == pytest.approx(0.1, abs=0.05)


def test_an_oracle_that_a_method_passes_is_raised_to_it() -> None:
    weak = [dataclasses.replace(row, return_m=row.return_m - 0.3) if row.method == ORACLE else row for row in _rows()]
    of = returns(weak, "robot", list(GAINED), "ours")
    assert shares(of, "ours", 20) == pytest.approx({"leg": 1.0, "slope": 1.0}, abs=1e-9)


def test_draws_that_nobody_can_recover_leave_the_interval_finite() -> None:
    """A leg that is lost in nine draws of twelve."""
    rows = [dataclasses.replace(row, return_m=0.0) if (row.hobble, row.seed < 9) == ("leg", True) else row for row in _rows()]
    of = returns(rows, "robot", list(GAINED), "ours")
    share = median_share(of, "ours", 20)
    assert np.isfinite([share.value, share.low, share.high]).all()


def test_the_share_of_the_oracles_return_is_over_all_hobbles(of: Returns) -> None:
    assert median_of_oracle(of, "ours", 20).value == pytest.approx(0.91, abs=0.02)  # of 0.83, 0.91 and 0.99


def test_what_is_significantly_worse_than_before_is_named(of: Returns) -> None:
    assert worse(of, "theirs", 20) == ["slope"]
    assert worse(of, "ours", 20) == []


def test_who_is_ahead_and_where_that_is_no_luck(of: Returns) -> None:
    more, clear = ahead(of, "ours", "theirs", 20)
    assert set(more) >= {"leg", "slope"}
    assert clear == ["leg", "slope"]


def test_seeds_with_a_bout_missing_do_not_count() -> None:
    rows = _rows()
    rows = [row for row in rows if (row.hobble, row.seed, row.method, row.trials) != ("slope", 3, "theirs", 20)]
    rows = [row for row in rows if (row.hobble, row.seed, row.method) != ("leg", 5, ORACLE)]
    assert returns(rows, "robot", list(GAINED), "ours").seeds == SEEDS - 2


def test_other_rigs_do_not_count() -> None:
    rows = [*_rows(), *(_row("leg", seed, "ours", 20, 9.0, "other") for seed in range(SEEDS))]
    assert returns(rows, "robot", list(GAINED), "ours").adapted["ours", 20].max() < 2.0
    with pytest.raises(UserError, match="other: no seed has all its bouts"):
        returns(rows, "other", list(GAINED), "ours")


def test_without_an_oracle_there_is_no_share_and_who_is_ahead_is_known_all_the_same() -> None:
    of = returns([row for row in _rows() if row.method != ORACLE], "robot", list(GAINED), "ours")
    assert shares(of, "ours", 20) == {}
    assert str(median_share(of, "ours", 20)) == str(median_of_oracle(of, "ours", 20)) == "-"
    assert ahead(of, "ours", "theirs", 20)[1] == ["leg", "slope"]
