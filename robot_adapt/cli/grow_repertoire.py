"""`robot-adapt grow-repertoire`: a policy and a config in, the policy with a repertoire of specialists out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from robot_adapt import MAX_SEED


def grow_repertoire(
    config: Annotated[Path, typer.Argument(help="YAML file, such as configs/repertoire/minitaur.yaml.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoint, policy and gains; default runs/repertoire-CONFIG[-seed-SEED].")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="In place of the config's.")] = None,
    join: Annotated[
        list[Path] | None,
        typer.Option(help="Policy grown by this config with another seed: its members join. May be repeated."),
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this one.")] = os.cpu_count() or 1,
) -> None:
    """Grow a repertoire of specialists around a policy, in simulation. Run again, it goes on to the same bytes."""
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.cli.run_folder import run_folder
    from robot_adapt.config import load
    from robot_adapt.errors import named_by
    from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
    from robot_adapt.policy import policy_file
    from robot_adapt.repertoire import checkpoint, gains, joining
    from robot_adapt.repertoire.config import RepertoireConfig
    from robot_adapt.repertoire.growth import Growth

    settings, name = load(config, RepertoireConfig), config.stem
    if seed is not None:
        settings, name = settings.model_copy(update={"seed": seed}), f"{name}-seed-{seed}"
    model = settings.robot.robot
    with named_by(f"{config}: policy"):
        around = policy_file.to_train_around(settings.policy, model.body.spec, model.trot, settings.trial_s)
    policy = replace(around, repertoire=None)
    others = joining.read(join or (), settings, policy)
    folder = out if out is not None else Path("runs") / f"repertoire-{name}"
    saved = folder / "checkpoint.safetensors"
    executor = LocalProcessesExecutor(processes) if processes else InProcessExecutor()
    with run_folder(folder), ProgressReport() as progress:
        growth = Growth(settings, policy, executor, progress.advance)
        try:
            if saved.exists():
                state = checkpoint.load(saved, settings, policy)
            else:
                if settings.generalists is not None:
                    progress.stage("generalists", len(settings.generalists.worlds))
                state = growth.start()
                checkpoint.save(state, settings, policy, saved)
            while (stage := growth.next_stage(state)) is not None:
                progress.stage(stage.name, stage.items)
                state = stage.advance(state)
                checkpoint.save(state, settings, policy, saved)
            progress.stage("return matrix", settings.matrix.tasks)
            repertoire, trials = growth.finish(state, [one.members for one in others])
        except KeyboardInterrupt:
            raise KeyboardInterrupt("; the same command goes on after the last stage that was done") from None
        finally:
            executor.close()
    how = {"config": settings.model_dump(mode="json"), "trials": trials, "specialists": state.log}
    if others:
        how["joined"] = [one.how for one in others]
    grown = replace(policy, repertoire=repertoire, provenance={**policy.provenance, "repertoire": how})
    policy_file.save(grown, folder / "policy.safetensors")
    gains.write(state.log, folder)
    typer.echo(str(folder / "policy.safetensors"))
