"""`robot-adapt adapt`: an adaptation session on any robot, physical or not."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer


def adapt(
    robot: Annotated[str, typer.Argument(help="The robot's YAML file, or a name from configs/robots/.")],
    policy: Annotated[Path | None, typer.Option(help="Policy file; default the shipped Minitaur policy.")] = None,
    config: Annotated[str, typer.Option(help="Adaptation YAML file, or a name from configs/adapt/.")] = "minitaur",
    aggregator: Annotated[str | None, typer.Option(help="HOST:PORT of an aggregator to stream to.")] = None,
    robot_id: Annotated[str | None, typer.Option(help="Which robot, for the aggregator; default its kind.")] = None,
    note: Annotated[str, typer.Option(help="What was done to the robot, in words; kept with every trial.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Decides every perturbation.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/adapt-DATE-TIME.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the session in this run folder.")] = None,
) -> None:
    """Measure a robot's policy, adapt it by trials, measure again, and report."""
    from dataclasses import replace

    from robot_adapt.adapt.config import AdaptConfig
    from robot_adapt.adapt.record import Phase
    from robot_adapt.adapt.session import SessionConfig
    from robot_adapt.adapt.streamed_session import streamed_session
    from robot_adapt.backends import Operator, RobotConfig, open_rig
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.config import load, shipped, shipped_or_file
    from robot_adapt.errors import UserError
    from robot_adapt.optim.batch_hill_climbing import BatchHillClimbing
    from robot_adapt.policy import policy_file
    from robot_adapt.report.page import sentence, write_report
    from robot_adapt.run_folder import RunFolder

    if resume is not None and out is not None:
        raise UserError("--resume and --out exclude each other: a resumed session stays in its folder")
    if resume is not None and not RunFolder(resume).policy.is_file():
        raise UserError(f"{resume}: no session to resume: no {RunFolder(resume).policy.name}")
    settings = load(shipped_or_file("adapt", config), AdaptConfig)
    if resume is not None:
        policy = RunFolder(resume).policy
    start = policy_file.load(policy if policy is not None else shipped("policies", "minitaur.safetensors"))
    rig = open_rig(load(shipped_or_file("robots", robot), RobotConfig), Operator(_ask_return, _confirm_start))
    start.check_fits(rig.robot.spec)
    run = RunFolder(resume) if resume is not None else RunFolder.new(out, "adapt")
    identity = SessionConfig(robot_id or start.robot, run.folder.resolve().name, seed, settings.trial_s)

    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(ProgressReport())
        progress.say(f"run folder {run.folder}; Ctrl-C stops the robot, `--resume {run.folder}` goes on")
        stack.callback(rig.robot.close)
        rig.robot.connect()
        with streamed_session(run, start, identity, aggregator, progress.say, progress.on_trial) as session:
            progress.stage("before", settings.fresh_trials)
            session.measure(rig, Phase.HOBBLED, start.parameters, settings.fresh_trials, note)
            progress.stage("adaptation", settings.operator.trials)
            best = session.adapt(rig, BatchHillClimbing(settings.operator, start.parameters, seed), note)
            progress.stage("adapted", settings.fresh_trials)
            session.measure(rig, Phase.ADAPTED, best, settings.fresh_trials, note)
        provenance = {
            "adapted_from": policy_file.sha256(start),
            "session": identity.session,
            "hobble": note,
            "seed": seed,
        }
        policy_file.save(replace(start.with_parameters(best), provenance=provenance), run.adapted_policy)
        numbers = write_report(run)
    typer.echo(sentence(numbers))
    typer.echo(str(run.folder))


def _ask_return() -> float:
    return float(typer.prompt("distance walked forward (m)", type=float, err=True))


def _confirm_start() -> None:
    typer.prompt("put the robot at its start, then press Enter", default="", show_default=False, err=True)
