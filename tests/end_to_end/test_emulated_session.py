"""An adaptation session over real serial bytes: emulated Dynamixels and a VN-100 in another process, physics behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import RobotError
from robot_adapt.adapt.journal import Journal
from robot_adapt.adapt.record import Phase
from robot_adapt.adapt.return_source import ReturnSource
from robot_adapt.adapt.session import Session, SessionConfig
from robot_adapt.backends import EmulatedRobotConfig, Operator, Rig, RobotConfig, emulated_rig, open_rig
from robot_adapt.cli.adapt import adapt
from robot_adapt.config import read_yaml, shipped, validate
from robot_adapt.emulator_process import EmulatorProcess
from robot_adapt.errors import UserError
from robot_adapt.trial import Status
from tests.builders import shipped_policy, write_yaml

POLICY = shipped_policy()


def described(**changes: object) -> dict[str, Any]:
    """The shipped rig on the faster legs, patient, as this may be tested on a busy machine."""
    hardware = read_yaml(shipped("hardware", "minitaur_dynamixel.yaml"))
    hardware["motors"] |= {"silent_s": 0.6, "reply_timeout_s": 0.03, "watchdog_s": 1.2}
    hardware["imu"] |= {"stale_s": 2.0}
    hardware["safety"] |= {"stale_command_s": 2.0, "stale_reading_s": 2.0, "late_a_second": 1000}
    hardware["safety"]["every_joint"] |= {"overspeed_rad_s": 1e3}  # a leg whose motor has died swings as it falls
    rig = read_yaml(shipped("rigs", "minitaur_emulated.yaml"))
    return {**rig, "hardware": hardware, "physics": "minitaur_training", **changes}


@pytest.fixture(scope="module")
def emulated() -> Iterator[tuple[Rig, EmulatorProcess]]:
    rig, emulators = emulated_rig(validate(described(), EmulatedRobotConfig, "emulated"))
    yield rig, emulators
    rig.close()


class Sabotage:
    """A ReturnSource that breaks something in the middle of a trial."""

    def __init__(self, returns: ReturnSource, emulators: EmulatorProcess, tick: int, command: str) -> None:
        self._returns, self._emulators, self._tick, self._command = returns, emulators, tick, command
        self.name = returns.name
        self.begin, self.finish = returns.begin, returns.finish

    def tick(self, period_s: float) -> None:
        self._tick -= 1
        if self._tick == 0:
            self._emulators.command(self._command)
        self._returns.tick(period_s)

    def telemetry(self) -> dict[str, NDArray[np.float32]]:
        return self._returns.telemetry()


def test_a_session_walks_loses_a_motor_in_mid_trial_and_walks_on(emulated: tuple[Rig, EmulatorProcess], tmp_path: Path) -> None:
    rig, emulators = emulated
    emulators.command("reset 0")  # the test before let it fall
    rig.robot.connect()
    session = Session(SessionConfig("minitaur", "test", 1, 1.6), POLICY, Journal(tmp_path), lambda _: None)
    session.measure(rig, Phase.HEALTHY, POLICY.parameters, 1)
    # silent for 0.6 s well before the end of its trial
    broken = replace(rig, returns=Sabotage(rig.returns, emulators, 10, "dead 12"))
    session.measure(broken, Phase.HEALTHY, POLICY.parameters, 1)
    session.measure(rig, Phase.HEALTHY, POLICY.parameters, 1)  # it is still dead: not even begun
    emulators.command("heal")
    session.measure(rig, Phase.HEALTHY, POLICY.parameters, 1)
    walked, died, dead, again = (trial.record for trial in Journal(tmp_path).trials())
    assert [r.status for r in (walked, died, dead, again)] == [
        Status.COMPLETED, Status.ABORTED, Status.ABORTED, Status.COMPLETED,
    ]  # fmt: skip
    assert walked.value is not None
    assert walked.value > 0.15  # in simulation it walks 0.4 m in the first second
    assert again.value is not None
    assert again.value > 0.15
    assert walked.return_source == "emulated: simulation truth"
    assert "Dynamixel 12" in died.reason
    assert died.value is None
    assert died.events["reply lost"] > 0
    assert died.events["device lost"] == 1
    assert dead.duration_s == 0.0
    assert "device lost" not in again.events
    assert walked.telemetry["path_m"][-1][0] > walked.value  # which is less what work costs and what is faster than is paid for


def test_an_operator_is_told_why_it_stopped_puts_it_back_and_reads_the_tape_measure(
    emulated: tuple[Rig, EmulatorProcess], tmp_path: Path
) -> None:
    """The attended rig of a real robot, on the same devices: a person would do what is done here."""
    unattended, emulators = emulated
    unattended.robot.close()
    told: list[str] = []

    def put_back(why: str) -> None:
        told.append(why)
        if len(told) > 9:
            raise KeyboardInterrupt
        emulators.command("heal")
        emulators.command("reset 1")

    def tape_measure(_: str) -> float:
        return float(emulators.command("where").split()[0])

    rig = open_rig(RobotConfig(root=emulators.reachable), Operator(tape_measure, put_back))
    emulators.command("reset 0")
    rig.robot.connect()
    session = Session(SessionConfig("minitaur", "test", 1, 1.0), POLICY, Journal(tmp_path), lambda _: None)
    broken = replace(rig, returns=Sabotage(rig.returns, emulators, 5, "error 14 0x20"))
    session.measure(broken, Phase.HEALTHY, POLICY.parameters, 1)
    session.measure(rig, Phase.HEALTHY, POLICY.parameters, 1)
    rig.close()
    stopped, walked = (trial.record for trial in Journal(tmp_path).trials())
    assert (stopped.status, walked.status) == (Status.ABORTED, Status.COMPLETED)
    assert "motor_back_leftR_joint reports: overload" in stopped.reason
    assert told == ["", stopped.reason]
    assert walked.return_source == "operator"
    assert walked.value is not None
    assert walked.value > 0.15


def test_lost_and_damaged_bytes_cost_no_trial(emulated: tuple[Rig, EmulatorProcess], tmp_path: Path) -> None:
    rig, emulators = emulated
    emulators.command("reset 0")  # the test before let it fall
    rig.robot.connect()
    emulators.command("corrupt 0.003")
    emulators.command("drop 0.02")
    session = Session(SessionConfig("minitaur", "test", 1, 0.8), POLICY, Journal(tmp_path), lambda _: None)
    session.measure(rig, Phase.HEALTHY, POLICY.parameters, 2)
    emulators.command("heal")
    records = [trial.record for trial in Journal(tmp_path).trials()]
    assert [r.status for r in records] == [Status.COMPLETED] * 2
    assert sum(r.events.get("bad packet", 0) + r.events.get("reply lost", 0) for r in records) > 0


def test_devices_that_cannot_be_emulated_and_lines_that_mean_nothing_are_told(emulated: tuple[Rig, EmulatorProcess]) -> None:
    _, emulators = emulated
    with pytest.raises(UserError, match="no such motor"):
        emulators.command("dead 99")
    assert emulators.command("where").endswith("to the left")
    with pytest.raises(UserError, match="physics: it has another number of joints"):
        validate(described(physics="laikago_training"), EmulatedRobotConfig, "emulated")
    with pytest.raises(UserError, match="hardware: it has a spec and no model"):
        validate(described(hardware="dkitty_dynamixel"), EmulatedRobotConfig, "emulated")


def test_devices_that_ended_are_a_line() -> None:
    emulators = EmulatorProcess(validate(described(), EmulatedRobotConfig, "emulated"))
    emulators._process.kill()
    emulators._process.join()
    for _ in range(2):  # nobody reads, nobody answers
        with pytest.raises(RobotError, match="the emulators have ended"):
            emulators.command("where")
    emulators.close()
    emulators.close()


def test_the_verb_adapts_over_emulated_devices_unattended_and_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"trial_s": 0.2, "operator": {"population": 2, "rounds": 1, "sigma": 0.02}, "fresh_trials": 2}
    rig, short = write_yaml(tmp_path / "rig.yaml", described()), write_yaml(tmp_path / "short.yaml", config)
    adapt(str(rig), config=str(short), out=tmp_path / "run")
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == str(tmp_path / "run")
    numbers = json.loads((tmp_path / "run" / "recovery.json").read_text())
    assert numbers["return_source"] == "emulated: simulation truth"
    assert (numbers["aborted"], numbers["hobbled"]["trials"], numbers["adapted"]["trials"]) == (0, 2, 2)
