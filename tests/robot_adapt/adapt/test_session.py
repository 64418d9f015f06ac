from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.events import Event, Severity
from hardware.types import RobotFault
from robot_adapt.adapt.config import AdaptConfig, RepertoireDuelConfig
from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.operators import make_policy_operator
from robot_adapt.adapt.record import Phase, TrialRecord
from robot_adapt.adapt.session import Session, SessionConfig
from robot_adapt.backends import Rig
from robot_adapt.errors import UserError
from robot_adapt.optim.batch_hill_climbing import BatchHillClimbing, BatchHillClimbingConfig
from robot_adapt.optim.bayesian_optimization import BayesianOptimizationConfig
from robot_adapt.optim.cma_es import CmaEsConfig
from robot_adapt.optim.operator import AdaptationOperator, Outcome, Telemetry
from robot_adapt.optim.operators import DuelConfig, OperatorConfig, make_operator
from robot_adapt.optim.rounds import RoundOperator
from robot_adapt.optim.space import Space
from robot_adapt.repertoire.search import RepertoireSearchConfig
from robot_adapt.trial import Status
from tests.builders import ConstantReturn, mock_rig, policy_with_repertoire, shipped_policy

POLICY = shipped_policy()
CONFIG = SessionConfig("minitaur", "test", seed=4, trial_s=0.1)
SEARCH = BatchHillClimbingConfig(population=3, rounds=2, sigma=0.1)
WITH_REPERTOIRE = policy_with_repertoire(ticks=5)
CMA_ES = CmaEsConfig(kind="cma_es", population=4, rounds=3, sigma=0.1)
DUEL = DuelConfig(
    kind="duel", pairs=4, search=BayesianOptimizationConfig(kind="bayesian_optimization", trials=6, initial=3, sigma=0.1)
)


def session(folder: Path, seen: list[TrialRecord] | None = None) -> Session:
    return Session(CONFIG, POLICY, Journal(folder), (lambda _: None) if seen is None else seen.append)


def rig_with_returns() -> Rig:
    """Returns that differ from trial to trial."""
    rig = mock_rig()
    returns = ConstantReturn()
    generator = np.random.default_rng(0)

    def reset(_: np.random.Generator) -> None:
        returns._value = float(generator.random())

    return replace(rig, returns=returns, reset=reset)


def test_every_trial_is_in_the_journal_before_the_next_and_numbered_from_zero(tmp_path: Path) -> None:
    seen: list[TrialRecord] = []
    one = session(tmp_path, seen)
    one.measure(mock_rig(), Phase.HEALTHY, POLICY.parameters, 2)
    one.adapt(mock_rig(), make_operator(SEARCH, POLICY.parameters, 4), "a payload")
    records = [trial.record for trial in Journal(tmp_path).trials()]
    assert [r.number for r in records] == [r.number for r in seen] == list(range(2 + SEARCH.trials))
    assert [r.candidate for r in records] == [None, None, *range(SEARCH.trials)]
    assert [r.hobble for r in records] == ["", "", *["a payload"] * SEARCH.trials]
    np.testing.assert_array_equal(records[0].parameters, POLICY.parameters)


def test_a_trial_s_record_counts_the_events_from_its_own_reset_on(tmp_path: Path) -> None:
    rig = mock_rig()
    per_reset = iter([["slew", "slew", "reply lost"], [], ["slew"]])

    def reset(_: np.random.Generator) -> None:
        for reason in next(per_reset):
            rig.log.add(Event(0.0, Severity.NOTE, reason, "somewhere", 0.0, 0.0))

    rig.log.add(Event(0.0, Severity.NOTE, "before the session", "somewhere", 0.0, 0.0))
    session(tmp_path).measure(replace(rig, reset=reset), Phase.HEALTHY, POLICY.parameters, 3)
    assert [t.record.events for t in Journal(tmp_path).trials()] == [{"reply lost": 1, "slew": 2}, {}, {"slew": 1}]


def test_garbage_is_collected_between_trials_and_never_in_one(tmp_path: Path) -> None:
    seen: list[str] = []

    class Watched(ConstantReturn):
        def begin(self) -> None:
            seen.append("begin")

        def tick(self, period_s: float) -> None:
            _ = [[number] for number in range(2000)]  # enough for a collection, were there any

        def finish(self) -> float:
            seen.append("finish")
            return 1.0

    def on_collection(phase: str, info: dict[str, int]) -> None:
        in_trial = seen[-1:] == ["begin"]
        if phase == "start" and (info["generation"] == 2 or in_trial):
            seen.append("collected")

    gc.callbacks.append(on_collection)
    try:
        session(tmp_path).measure(replace(mock_rig(), returns=Watched()), Phase.HEALTHY, POLICY.parameters, 3)
    finally:
        gc.callbacks.remove(on_collection)
    assert seen == ["collected", "begin", "finish"] * 3


def interrupted_at(trial: int, rig: Rig) -> Rig:
    """Ctrl-C while that trial (from 0) runs."""
    resets = iter(range(1000))
    reset = rig.reset

    def reset_or_interrupt(generator: np.random.Generator) -> None:
        reset(generator)
        if next(resets) == trial:
            raise KeyboardInterrupt

    return replace(rig, reset=reset_or_interrupt)


def test_ctrl_c_leaves_the_trial_aborted_in_the_journal(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        session(tmp_path).measure(interrupted_at(2, mock_rig()), Phase.HEALTHY, POLICY.parameters, 5)
    records = [trial.record for trial in Journal(tmp_path).trials()]
    assert [r.status for r in records] == [Status.COMPLETED, Status.COMPLETED, Status.ABORTED]
    assert (records[2].value, records[2].reason) == (None, "interrupted by the operator")


@pytest.mark.parametrize("trial", [0, 1, 4, 8])
@pytest.mark.parametrize("search", [SEARCH, CMA_ES, DUEL], ids=lambda config: config.kind)
def test_a_resumed_session_proposes_what_the_uninterrupted_one_would(
    tmp_path: Path, search: OperatorConfig, trial: int
) -> None:
    rig = rig_with_returns()
    with pytest.raises(KeyboardInterrupt):
        session(tmp_path).adapt(interrupted_at(trial, rig), make_operator(search, POLICY.parameters, 4))
    told = {t.record.candidate: t.record.value for t in Journal(tmp_path).trials()}

    rig.robot.connect()
    resumed: list[TrialRecord] = []
    session(tmp_path, resumed).adapt(rig, make_operator(search, POLICY.parameters, 4))
    assert {r.candidate: r.value for r in resumed[: len(told)]} == told
    again = make_operator(search, POLICY.parameters, 4)
    for one in resumed:
        (proposed,) = (c for c in again.ask() if c.id == one.candidate)
        np.testing.assert_array_equal(proposed.parameters, one.parameters)
        again.tell(proposed.id, one.value)
    assert again.ask() == []


def repertoire_operator() -> AdaptationOperator:
    search = RepertoireSearchConfig(member_trials=3, local=SEARCH, rank=2)
    duel = RepertoireDuelConfig(kind="duel", search=search, pairs=1, level=0.5)
    return make_policy_operator(AdaptConfig(trial_s=0.1, operator=duel, fresh_trials=2), WITH_REPERTOIRE, 4)


def test_what_the_operator_gave_as_its_reason_is_in_the_journal(tmp_path: Path) -> None:
    session(tmp_path).adapt(rig_with_returns(), repertoire_operator())
    whys = [trial.record.why for trial in Journal(tmp_path).trials()]
    assert whys[0] == "the policy: what is wrong shows in its walk"
    assert all(why.startswith("member ") and "expected" in why for why in whys[1:3])
    assert whys[3:12] == ["around the best member"] * 9
    assert sorted(whys[12:]) == ["the start's share of 1 fresh trials each", "the winner's share of 1 fresh trials each"]


@pytest.mark.parametrize("trial", [0, 1, 3, 7, 13])
def test_a_search_in_a_repertoire_is_resumed_with_the_trace_of_its_first_trial(tmp_path: Path, trial: int) -> None:
    rig = rig_with_returns()
    with pytest.raises(KeyboardInterrupt):
        session(tmp_path).adapt(interrupted_at(trial, rig), repertoire_operator())
    cut = Journal(tmp_path).trials()[:-1]
    rig.robot.connect()

    session(tmp_path).adapt(rig, repertoire_operator())
    whole, again = Journal(tmp_path).trials(), repertoire_operator()
    assert [one.payload for one in whole[: len(cut)]] == [one.payload for one in cut]
    for one in (sealed.record for sealed in whole):
        (proposed,) = (c for c in again.ask() if c.id == one.candidate)
        np.testing.assert_array_equal(proposed.parameters, one.parameters)
        assert proposed.why == one.why
        again.tell(proposed.id, one.value, one.telemetry)
    assert again.state()["search"]["trace"] is not None  # through the duel and the journal
    assert not again.ask()


def test_the_operator_is_told_what_the_robot_measured_from_the_journal_too(tmp_path: Path) -> None:
    told: list[Telemetry] = []

    class Listening(RoundOperator):
        def tell(self, candidate_id: int, outcome: Outcome, telemetry: Telemetry | None = None) -> None:
            told.append(telemetry or {})
            super().tell(candidate_id, outcome, telemetry)

    for _ in range(2):
        search = BatchHillClimbing(SEARCH, POLICY.parameters, Space(POLICY.parameters.size, 0.1))
        session(tmp_path).adapt(mock_rig(), Listening(search, lambda theta: theta, 4, "bhc"))
    measured, from_journal = told[: SEARCH.trials], told[SEARCH.trials :]
    for one, again in zip(measured, from_journal, strict=True):
        assert set(one) == set(again)
        assert len(one["torque_nm"]) == 5
        np.testing.assert_array_equal(one["torque_nm"], again["torque_nm"])


def test_a_journal_of_another_session_is_refused_before_anything_moves(tmp_path: Path) -> None:
    session(tmp_path).measure(mock_rig(), Phase.HEALTHY, POLICY.parameters, 1)
    with pytest.raises(UserError, match="trial 0 in the journal is not this session's"):
        session(tmp_path).measure(mock_rig(), Phase.HEALTHY, POLICY.parameters + 1.0, 1)
    with pytest.raises(UserError, match="trial 0"):
        session(tmp_path).measure(mock_rig(), Phase.ADAPTED, POLICY.parameters, 1)


def rig_that_faults(trials: set[int]) -> Rig:
    """Its reset finds a motor silent before those trials (from 0)."""
    numbers = iter(range(1000))

    def reset(_: np.random.Generator) -> None:
        if next(numbers) in trials:
            raise RobotFault("motor 3 does not answer")

    return replace(mock_rig(), reset=reset)


def test_a_fault_before_a_trial_is_an_aborted_trial_and_the_session_goes_on(tmp_path: Path) -> None:
    session(tmp_path).adapt(rig_that_faults({1, 2, 5, 8}), make_operator(SEARCH, POLICY.parameters, 4))
    records = [trial.record for trial in Journal(tmp_path).trials()]
    assert [r.number for r in records if r.status is Status.ABORTED] == [1, 2, 5, 8]
    assert len(records) == SEARCH.trials
    assert records[1].reason == "motor 3 does not answer"


def test_three_aborted_trials_in_a_row_end_the_session_and_it_can_be_resumed(tmp_path: Path) -> None:
    operator = make_operator(SEARCH, POLICY.parameters, 4)
    with pytest.raises(RobotFault, match="3 trials in a row were aborted, the last one because motor 3 does not answer"):
        session(tmp_path).adapt(rig_that_faults({2, 3, 4}), operator)
    assert len(Journal(tmp_path).trials()) == 5
    session(tmp_path).adapt(mock_rig(), make_operator(SEARCH, POLICY.parameters, 4))
    assert len(Journal(tmp_path).trials()) == SEARCH.trials
