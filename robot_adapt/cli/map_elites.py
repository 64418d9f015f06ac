"""`robot-adapt map-elites`: a policy and a config in, a map of behaviours for intelligent trial and error out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer


def map_elites(
    config: Annotated[Path, typer.Argument(help="YAML file, such as configs/baselines/minitaur_map_elites.yaml.")],
    out: Annotated[Path | None, typer.Option(help="Folder for checkpoint and map; default runs/map-elites-CONFIG.")] = None,
    processes: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this one.")] = os.cpu_count() or 1,
) -> None:
    """Make a map of behaviours around a policy, in simulation: a baseline. Run again, it goes on to the same bytes."""
    from robot_adapt.baselines import behaviour_map
    from robot_adapt.baselines.map_elites import MapElites, MapElitesConfig, load, save
    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.cli.run_folder import run_folder
    from robot_adapt.config import load as load_config
    from robot_adapt.errors import named_by
    from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
    from robot_adapt.policy import policy_file

    settings = load_config(config, MapElitesConfig)
    model = settings.robot.robot
    with named_by(f"{config}: policy"):
        around = policy_file.to_train_around(settings.policy, model.body.spec, model.trot, settings.trial_s)
    policy = replace(around, repertoire=None)
    folder = out if out is not None else Path("runs") / f"map-elites-{config.stem}"
    saved = folder / "checkpoint.safetensors"
    executor = LocalProcessesExecutor(processes) if processes else InProcessExecutor()
    with run_folder(folder), ProgressReport() as progress:
        algorithm = MapElites(settings, policy, executor, progress.advance)
        state = load(saved, settings, policy) if saved.exists() else algorithm.start()
        each = algorithm.items_in(settings.batch)
        progress.stage("generations", each * settings.generations, each * state.generations)
        try:
            while state.generations < settings.generations:
                state = algorithm.advance(state)
                save(state, settings, policy, saved)
            progress.stage("fresh trials", algorithm.items_in(1 + len(state.returns)))
            found = algorithm.finish(state)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f" after generation {state.generations}; run the same command to go on") from None
        finally:
            executor.close()
    behaviour_map.save(found, folder / "behaviours.safetensors")
    typer.echo(str(folder / "behaviours.safetensors"))
