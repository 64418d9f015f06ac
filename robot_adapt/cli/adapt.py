"""`robot-adapt adapt`: an adaptation session on any robot, physical or not."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from robot_adapt import MAX_SEED

if TYPE_CHECKING:
    from robot_adapt.adapt.config import SessionPlan
    from robot_adapt.calibration_file import CalibrationStamp
    from robot_adapt.run_folder import RunFolder


def adapt(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file, or a name from configs/rigs/.")],
    policy: Annotated[Path | None, typer.Option(help="Policy file; default the shipped one of this kind of robot.")] = None,
    config: Annotated[str | None, typer.Option(help="Adaptation YAML file or name in configs/adapt/ [the policy's].")] = None,
    aggregator: Annotated[str | None, typer.Option(help="HOST:PORT of an aggregator to stream to.")] = None,
    robot_id: Annotated[str | None, typer.Option(help="Which robot, for the aggregator; default its kind.")] = None,
    note: Annotated[str | None, typer.Option(help="What was done to the robot, in words; kept with every trial.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Decides every perturbation [0].")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/adapt-DATE-TIME.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the session in this run folder, as it was started.")] = None,
) -> None:
    """Measure a robot's policy, adapt it by trials, measure again, and report."""
    from hardware.clock import MonotonicClock
    from hardware.real_time import real_time
    from robot_adapt.adapt.config import AdaptConfig, SessionPlan
    from robot_adapt.adapt.operators import make_policy_operator, settings_for
    from robot_adapt.adapt.record import Phase
    from robot_adapt.adapt.session import SessionConfig
    from robot_adapt.adapt.streamed_session import streamed_session
    from robot_adapt.array_file import write_atomically
    from robot_adapt.backends import Operator, RobotConfig, open_rig
    from robot_adapt.cli.address import check_address
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.cli.run_folder import run_folder
    from robot_adapt.config import load, load_json, shipped_or_file
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file
    from robot_adapt.report.page import sentence, write_report
    from robot_adapt.run_folder import RunFolder

    if aggregator is not None:
        check_address("--aggregator", aggregator)
    for text in (note, robot_id):
        if text is not None and not text.isprintable():
            raise UserError(f"{text!r}: holds characters that cannot be shown")
    file = shipped_or_file("rigs", robot)
    described = load(file, RobotConfig)
    spec = described.spec
    if resume is not None:
        if any(option is not None for option in (policy, config, robot_id, note, seed, out)):
            raise UserError("--resume goes with --aggregator only: a session goes on as it was started")
        run = RunFolder(resume)
        plan = load_json(run.session, SessionPlan)
        if plan.robot_config != described.model_dump(mode="json"):
            raise UserError(f"{run.session}: this session was started on another robot than {robot}")
        start = policy_file.load(run.policy)
        start.check_fits(spec)
    else:
        start = policy_file.load(policy if policy is not None else policy_file.shipped_for(spec.name))
        start.check_fits(spec)
        settings = load(shipped_or_file("adapt", config or settings_for(start)), AdaptConfig)
        run = RunFolder.planned(out, "adapt")
        plan = SessionPlan(
            robot=robot_id or start.robot,
            session=f"{run.folder.resolve().name}-{secrets.token_hex(4)}",
            seed=seed or 0,
            note=note or "",
            robot_config=described.model_dump(mode="json"),
            settings=settings,
        )
    identity = SessionConfig(plan.robot, plan.session, plan.seed, plan.settings.trial_s)
    fresh, trials = plan.settings.fresh_trials, plan.settings.operator.trials
    operator = make_policy_operator(plan.settings, start, plan.seed)

    with contextlib.ExitStack() as stack:
        rig = open_rig(described, Operator(_ask_return, _confirm_start), file)
        progress = stack.enter_context(ProgressReport(bar=not rig.attended))
        if isinstance(rig.clock, MonotonicClock):
            stack.enter_context(real_time(progress.say))
        stack.callback(rig.close)
        if resume is not None:
            stack.enter_context(run_folder(run.folder))
            _check_calibration(run, plan, rig.calibration)
        rig.robot.connect()
        if resume is None:  # not before: a robot that cannot be armed leaves nothing behind, and nothing to resume
            plan = plan.model_copy(update={"calibration": rig.calibration})
            run.make()
            stack.enter_context(run_folder(run.folder))
            policy_file.save(start, run.policy)
            write_atomically(run.session, plan.model_dump_json(indent=2).encode())
        stack.enter_context(run.kept())
        progress.say(f"run folder {run.folder}; Ctrl-C stops the robot, `adapt {robot} --resume {run.folder}` goes on")
        with streamed_session(run, start, identity, aggregator, progress.say, progress.on_trial) as session:
            progress.stage("before", fresh)
            session.measure(rig, Phase.HOBBLED, start.parameters, fresh, plan.note)
            progress.stage("adaptation", trials)
            best = session.adapt(rig, operator, plan.note)
            progress.stage("adapted", fresh)
            session.measure(rig, Phase.ADAPTED, best, fresh, plan.note)
        how = {"session": plan.session, "hobble": plan.note, "seed": plan.seed, "from": policy_file.sha256(start)}
        policy_file.save(start.adapted(best, how), run.adapted_policy)
        numbers = write_report(run)
    typer.echo(sentence(numbers))
    typer.echo(str(run.folder))


def _check_calibration(run: RunFolder, plan: SessionPlan, now: CalibrationStamp | None) -> None:
    """Trials before and after another calibration are those of two robots: their returns and weights do not compare."""
    from robot_adapt.errors import UserError

    then = plan.calibration
    if (then and then.sha256) != (now and now.sha256):
        ran, has = then or "no calibration", now or "none"
        raise UserError(
            f"{run.session}: this session ran with {ran}, the robot has {has} now: put that back, or begin another session"
        )


def _ask_return(wrong: str) -> float:
    from robot_adapt.cli.terminal import Person

    if wrong:
        typer.echo(wrong, err=True)
    while True:
        answer = Person().ask("distance walked forward (m): ")
        try:
            return float(answer)
        except ValueError:
            typer.echo(f"{answer!r} is not a number, such as 0.85", err=True)


def _confirm_start(stopped_because: str) -> None:
    from robot_adapt.cli.terminal import Person

    if stopped_because:
        typer.echo(stopped_because, err=True)
    Person().ask("put the robot at its start, step back, press Enter: it gets up and walks ")
