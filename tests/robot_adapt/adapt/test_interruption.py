"""What Ctrl-C does to a robot: sat down where it is up, left alone where it lies limp under somebody's hands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hardware.clock import FakeClock
from hardware.events import EventLog
from hardware.mock import MockRobot
from hardware.safety import SafetySupervisor
from hardware.types import FloatArray, JointCommand
from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import Phase
from robot_adapt.adapt.resetter import OperatorReset
from robot_adapt.adapt.return_source import OperatorMeasurement
from robot_adapt.adapt.session import Session, SessionConfig
from robot_adapt.backends import MockRobotConfig, Rig
from robot_adapt.config import load, shipped
from robot_adapt.trial import Status
from tests.builders import SPEC, shipped_policy

SIT_RAD = SPEC.stance_rad + 0.1
LIMITS = replace(load(shipped("rigs", "mock.yaml"), MockRobotConfig).limits, sit_rad=tuple(SIT_RAD))
POLICY = shipped_policy()
PROMPTS_S = {"start": 5.0, "distance": 0.1}  # how long the person takes; getting up takes 1.5 s, the trial 1 s
MOVES_AT_S = {"getting up": 5.5, "walking": 7.0}


class Heard(MockRobot):
    """Remembers what it was told: targets, and "stop" and "close"."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(SPEC, clock)
        self.told: list[FloatArray | str] = []

    def write(self, command: JointCommand) -> JointCommand:
        self.told.append(command.positions_rad)
        return super().write(command)

    def stop(self) -> None:
        self.told.append("stop")
        super().stop()


@dataclass
class Attended:
    """A supervised mock, and a person who presses Ctrl-C at one of the moments of a trial."""

    at: str

    def __post_init__(self) -> None:
        self.interrupted = False
        self.clock = FakeClock()
        self.robot = Heard(self.clock)
        log = EventLog()
        self.supervisor = SafetySupervisor(self.robot, LIMITS, self.clock, log)
        reset = OperatorReset(self.supervisor, self.clock, lambda _: self.moment("start"))
        returns = OperatorMeasurement(self.measured)
        self.rig = Rig(self.supervisor, self.clock, reset, returns, attended=True, log=log)
        sleep_until = self.clock.sleep_until

        def sleep(deadline_s: float) -> None:
            sleep_until(deadline_s)
            if not self.interrupted and self.clock.now() > MOVES_AT_S.get(self.at, np.inf):
                self.moment(self.at)

        self.clock.sleep_until = sleep  # type: ignore[method-assign]

    def measured(self, _: str) -> float:
        self.moment("distance")
        return 0.5

    def moment(self, name: str) -> None:
        self.clock.advance(PROMPTS_S.get(name, 0.0))
        if name == self.at:
            self.interrupted = True
            self.robot.told.clear()
            raise KeyboardInterrupt

    def run(self, journal: Path) -> None:
        self.supervisor.connect()
        session = Session(SessionConfig("minitaur", "test", 1, 1.0), POLICY, Journal(journal), lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            session.measure(self.rig, Phase.HOBBLED, POLICY.parameters, 3)
        self.supervisor.close()


@pytest.mark.parametrize("at", ["start", "distance"])
def test_at_a_prompt_a_limp_robot_stays_limp(at: str, tmp_path: Path) -> None:
    attended = Attended(at)
    attended.run(tmp_path)
    assert set(attended.robot.told) == {"stop"}


@pytest.mark.parametrize("at", ["getting up", "walking"])
def test_in_motion_it_is_sat_down_at_once(at: str, tmp_path: Path) -> None:
    attended = Attended(at)
    attended.run(tmp_path)
    targets = [told for told in attended.robot.told if not isinstance(told, str)]
    assert attended.robot.told[0] is targets[0]  # not damped first
    np.testing.assert_allclose(targets[-1], SIT_RAD)
    assert attended.robot.told[-1] == "stop"


@pytest.mark.parametrize("at", ["start", "distance", "getting up", "walking"])
def test_the_trial_is_in_the_journal_as_aborted(at: str, tmp_path: Path) -> None:
    Attended(at).run(tmp_path)
    (trial,) = Journal(tmp_path).trials()
    assert (trial.record.status, trial.record.reason) == (Status.ABORTED, "interrupted by the operator")


def test_at_the_first_prompt_the_robot_does_not_hold_the_pose_it_was_armed_in(tmp_path: Path) -> None:
    attended = Attended("start")
    stiff: list[bool] = []

    def look(_: str) -> None:
        stiff.append(bool(attended.robot._command.kp_nm_per_rad.any()))
        raise KeyboardInterrupt

    attended.rig = replace(attended.rig, reset=OperatorReset(attended.supervisor, attended.clock, look))
    attended.run(tmp_path)
    assert stiff == [False]
