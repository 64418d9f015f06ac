"""`robot-adapt demo`: a simulated robot walks, is hobbled, adapts, and its recovery is reported."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from robot_adapt import MAX_SEED


def demo(
    robot: Annotated[str, typer.Option(help="A simulated robot: a name from configs/rigs/, or a YAML file.")] = "minitaur",
    backend: Annotated[
        Literal["pybullet", "mujoco"] | None,
        typer.Option(help="Whose physics; nothing was trained on MuJoCo's [the robot's YAML's]."),
    ] = None,
    hobble: Annotated[
        str | None,
        typer.Option(help="What happens to the robot: a name from configs/hobbles/, or a YAML file [demo_ROBOT]."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides every random number.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/demo-DATE-TIME.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default the shipped one of this robot.")] = None,
    config: Annotated[str | None, typer.Option(help="Adaptation YAML file or name in configs/adapt/ [the policy's].")] = None,
) -> None:
    """Walk a simulated robot, hobble it, adapt it, and report its recovery."""
    from robot_adapt.adapt.config import AdaptConfig
    from robot_adapt.adapt.operators import make_policy_operator, settings_for
    from robot_adapt.adapt.record import Phase
    from robot_adapt.adapt.session import SessionConfig
    from robot_adapt.adapt.streamed_session import streamed_session
    from robot_adapt.aggregator.server import serving
    from robot_adapt.backends import SimulatedRobotConfig, load_hobble, simulated_rig
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.config import is_shipped, load, shipped_or_file
    from robot_adapt.errors import UserError
    from robot_adapt.policy import policy_file
    from robot_adapt.report.film import Scene, film_session
    from robot_adapt.report.page import read_trials, sentence, write_report
    from robot_adapt.run_folder import RunFolder

    healthy_config = load(shipped_or_file("rigs", robot), SimulatedRobotConfig)
    if backend is not None:
        healthy_config = healthy_config.model_copy(update={"engine": backend})
    body = healthy_config.robot.body
    if hobble is None and not is_shipped("hobbles", f"demo_{body.name}.yaml"):
        raise UserError(f"no demo is shipped for the robot {body.name}: give --hobble NAME")
    change = load_hobble(hobble or f"demo_{body.name}", body)
    start = policy_file.load(policy if policy is not None else policy_file.shipped_for(body.name))
    settings = load(shipped_or_file("adapt", config or settings_for(start)), AdaptConfig)
    healthy, healthy_body = simulated_rig(healthy_config, visuals=True)
    hobbled, hobbled_body = simulated_rig(healthy_config.hobbled(change), visuals=True)
    start.check_fits(healthy.robot.spec)
    operator = make_policy_operator(settings, start, seed)
    identity = SessionConfig(start.robot, f"demo-{change.name}-{seed}", seed, settings.trial_s)
    words, fresh = str(change), settings.fresh_trials

    with contextlib.ExitStack() as stack:
        for rig in (healthy, hobbled):
            stack.callback(rig.robot.close)
            rig.robot.connect()
        run = RunFolder.new(out, "demo")
        stack.enter_context(run.kept())
        progress = stack.enter_context(ProgressReport())
        policy_file.save(start, run.policy)
        address = stack.enter_context(serving(run.database))
        progress.say(f"run folder {run.folder}, aggregator on {address}")
        with streamed_session(run, start, identity, address, progress.say, progress.on_trial) as session:
            progress.stage("healthy", fresh)
            session.measure(healthy, Phase.HEALTHY, start.parameters, fresh)
            progress.say(f"hobbled by {words}")
            progress.stage("hobbled", fresh)
            session.measure(hobbled, Phase.HOBBLED, start.parameters, fresh, words)
            progress.stage("adaptation", settings.operator.trials)
            best = session.adapt(hobbled, operator, words)
            progress.stage("adapted", fresh)
            session.measure(hobbled, Phase.ADAPTED, best, fresh, words)
        how = {"session": identity.session, "hobble": words, "seed": seed, "from": policy_file.sha256(start)}
        policy_file.save(start.adapted(best, how), run.adapted_policy)
        progress.say("filming and writing the report")
        trials, _ = read_trials(run)
        scenes = [
            Scene("healthy", Phase.HEALTHY, healthy_body, healthy),
            Scene("hobbled", Phase.HOBBLED, hobbled_body, hobbled),
            Scene("adapted", Phase.ADAPTED, hobbled_body, hobbled),
        ]
        film_session(scenes, trials, start, settings.trial_s, run.walk_gif)
        numbers = write_report(run)
    typer.echo(sentence(numbers))
    typer.echo(str(run.folder))
