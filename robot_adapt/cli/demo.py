"""`robot-adapt demo`: a simulated Minitaur walks, is hobbled, adapts, and its recovery is reported."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from robot_adapt import MAX_SEED


def demo(
    hobble: Annotated[
        str, typer.Option(help="What happens to the robot: a name from configs/hobbles/, or a YAML file.")
    ] = "default",
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Decides every random number.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/demo-DATE-TIME.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default the shipped Minitaur policy.")] = None,
) -> None:
    """Walk a simulated Minitaur, hobble it, adapt it in 50 trials, and report its recovery."""
    from robot_adapt.adapt.config import AdaptConfig
    from robot_adapt.adapt.record import Phase
    from robot_adapt.adapt.session import SessionConfig
    from robot_adapt.adapt.streamed_session import streamed_session
    from robot_adapt.aggregator.server import serving
    from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.config import load, shipped, shipped_or_file
    from robot_adapt.optim.batch_hill_climbing import BatchHillClimbing
    from robot_adapt.policy import policy_file
    from robot_adapt.report.film import Scene, film_session
    from robot_adapt.report.page import read_trials, sentence, write_report
    from robot_adapt.run_folder import RunFolder
    from sim.hobbles import Hobble

    change = load(shipped_or_file("hobbles", hobble), Hobble)
    healthy_config = load(shipped("robots", "minitaur_five_bar.yaml"), SimulatedRobotConfig)
    hobbled_config = healthy_config.model_copy(update={"dynamics": change.apply(healthy_config.dynamics)})
    config = load(shipped("adapt", "minitaur.yaml"), AdaptConfig)
    start = policy_file.load(policy if policy is not None else shipped("policies", "minitaur.safetensors"))
    healthy, healthy_body = simulated_rig(healthy_config, visuals=True)
    hobbled, hobbled_body = simulated_rig(hobbled_config, visuals=True)
    start.check_fits(healthy.robot.spec)
    run = RunFolder.new(out, "demo")
    policy_file.save(start, run.policy)
    identity = SessionConfig(start.robot, f"demo-{change.name}-{seed}", seed, config.trial_s)
    words, fresh = str(change), config.fresh_trials

    with contextlib.ExitStack() as stack:
        stack.enter_context(run.kept())
        progress = stack.enter_context(ProgressReport())
        for rig in (healthy, hobbled):
            stack.callback(rig.robot.close)
            rig.robot.connect()
        address = stack.enter_context(serving(run.database))
        progress.say(f"run folder {run.folder}, aggregator on {address}")
        with streamed_session(run, start, identity, address, progress.say, progress.on_trial) as session:
            progress.stage("healthy", fresh)
            session.measure(healthy, Phase.HEALTHY, start.parameters, fresh)
            progress.say(f"hobbled by {words}")
            progress.stage("hobbled", fresh)
            session.measure(hobbled, Phase.HOBBLED, start.parameters, fresh, words)
            progress.stage("adaptation", config.operator.trials)
            operator = BatchHillClimbing(config.operator, start.parameters, seed)
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
            Scene("recovered", Phase.ADAPTED, hobbled_body, hobbled),
        ]
        film_session(scenes, trials, start, config.trial_s, run.walk_gif)
        numbers = write_report(run)
    typer.echo(sentence(numbers))
    typer.echo(str(run.folder))
