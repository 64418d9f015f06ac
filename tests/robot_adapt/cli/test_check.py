"""`check` over a bus and an IMU without bytes, in fake time; test_wired.py has it over emulated devices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import typer

import robot_adapt.cli.check
from robot_adapt.cli.check import check
from tests.robot_adapt.cli.fake_wired import SPEC, FakeWired, Scripted, wired

__all__ = ["wired"]
MOVES = {"arm", "write", "damp", "release"}


def operator(wired: FakeWired, monkeypatch: pytest.MonkeyPatch, **answers: str) -> Scripted:
    """Says yes to everything and pushes when asked, but for a joint, or a word of a question, that is in `answers`."""

    def answer(question: str, meanwhile: Callable[[], None]) -> str:
        meanwhile()
        if "Push" in question:
            wired.bus.positions_rad[0] += 0.2
            meanwhile()
        return next((given for words, given in answers.items() if words in question), "yes")

    person = Scripted(answer)
    monkeypatch.setattr(robot_adapt.cli.check, "Person", person)
    return person


def run(readonly: bool = False, dry_run: bool = False) -> int:
    try:
        check("minitaur_dynamixel", readonly, dry_run)
    except typer.Exit as end:
        return end.exit_code
    return 0


def test_read_only_looks_at_everything_and_moves_nothing(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = operator(wired, monkeypatch)
    assert run(readonly=True) == 0
    table = capsys.readouterr().out
    for what in ("bus", "IMU", "upright", "calibration", *SPEC.joint_names):
        assert any(line.split()[:2] == ["ok", what] for line in table.splitlines()), what
    assert "300 reads: 1.00 ms (p99 1.00 ms)" in table
    assert not MOVES & set(wired.bus.told)
    assert person.asked == []


def test_a_dry_run_opens_nothing_and_lists_what_would_be_done(wired: FakeWired, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dry_run=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert wired.bus.told == []
    assert [line for line in lines if line.startswith("move ")] == [
        f"move {name} by 0.09 rad both ways in 2 s, and ask what was seen" for name in SPEC.joint_names
    ]


@pytest.mark.parametrize("answer", ["", "y", "no", "YES"])
def test_anything_but_a_typed_yes_arms_nothing(wired: FakeWired, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    person = operator(wired, monkeypatch, arm=answer)
    assert run() == 0
    assert len(person.asked) == 1
    assert not MOVES & set(wired.bus.told)


def test_without_a_terminal_nobody_is_asked_and_nothing_moves(wired: FakeWired, monkeypatch: pytest.MonkeyPatch) -> None:
    person = operator(wired, monkeypatch)
    person.is_there = False
    assert run() == 0
    assert person.asked == []
    assert not MOVES & set(wired.bus.told)


def test_after_a_yes_every_joint_moves_the_stop_is_tried_and_the_robot_ends_limp(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = operator(wired, monkeypatch)
    assert run() == 0
    table = capsys.readouterr().out
    assert table.count("moved 100 % of what was asked") == len(SPEC.joint_names) + 1
    assert f"commands refused, {SPEC.joint_names[0]} gave way by 0.20 rad" in table
    assert [question for question in person.asked if question.startswith("did ")] == [
        f"did {name}, and only it, move that way? [yes/no] " for name in SPEC.joint_names
    ]
    assert wired.bus.told[0] == "open"
    assert wired.bus.told.index("arm") < wired.bus.told.index("write")
    assert [told for told in wired.bus.told if told != "close"][-2:] == ["damp", "release"]


def test_after_a_stop_that_was_not_seen_to_work_nothing_is_armed_or_moved_again(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = operator(wired, monkeypatch)
    yes = person._answer

    def push_in_vain(question: str, meanwhile: Callable[[], None]) -> str:
        if "Push" not in question:
            return yes(question, meanwhile)
        wired.bus.told.clear()
        meanwhile()
        return ""

    person._answer = push_in_vain
    assert run() == 1
    table = capsys.readouterr().out
    assert [line.split()[1] for line in table.splitlines() if line.startswith("NO")] == ["stop"]
    assert "armed again" not in table
    assert person.said[-1].startswith("the stop was not seen to work: nothing is armed again")
    assert set(wired.bus.told) == {"damp", "release", "close"}


def test_a_joint_that_moved_the_other_way_is_advised_and_ends_in_status_1(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    operator(wired, monkeypatch, **{f"did {SPEC.joint_names[2]}": "no"})
    assert run() == 1
    wrong = [line for line in capsys.readouterr().out.splitlines() if line.startswith("NO")]
    assert len(wrong) == 1
    assert SPEC.joint_names[2] in wrong[0]
    assert f"robot-adapt calibrate, or --joint {SPEC.joint_names[2]}" in wrong[0]


def test_what_is_wrong_at_a_look_keeps_the_robot_from_being_armed(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = operator(wired, monkeypatch)
    wired.bus.readings.errors[SPEC.joint_names[5]] = "overload"
    assert run() == 1
    assert person.asked == []
    assert person.said[-1] == "not armed: mend what is wrong first"
    assert not MOVES & set(wired.bus.told)
    assert "overload" in capsys.readouterr().out


def test_a_device_lost_on_the_way_ends_the_check_with_what_was_found_so_far(
    wired: FakeWired, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = operator(wired, monkeypatch)
    yes = person._answer

    def unplug(question: str, meanwhile: Callable[[], None]) -> str:
        wired.bus.unplugged = question.startswith(f"did {SPEC.joint_names[1]}")
        return yes(question, meanwhile)

    person._answer = unplug
    assert run() == 1
    table = capsys.readouterr().out
    assert f"ok  {SPEC.joint_names[0]}" in table
    assert "unplugged" in table
    assert [told for told in wired.bus.told if told != "close"][-2:] == ["damp", "release"]


def test_the_robot_is_held_while_a_person_makes_up_his_mind(wired: FakeWired, monkeypatch: pytest.MonkeyPatch) -> None:
    person = operator(wired, monkeypatch)
    yes = person._answer

    def slow(question: str, meanwhile: Callable[[], None]) -> str:
        for _ in range(50):
            wired.clock.advance(0.02)
            meanwhile()
        return yes(question, meanwhile)

    person._answer = slow
    assert run() == 0
    assert not [event for event in wired.log.newest if event.reason == "stale command"]
    np.testing.assert_allclose(wired.bus.positions_rad[1:], wired.device_rad(SPEC.stance_rad)[1:], atol=0.2)
