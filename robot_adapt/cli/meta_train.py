"""`robot-adapt meta-train`: a config in, a policy and its learning curve out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def meta_train(
    config: Annotated[Path, typer.Argument(help="YAML file, such as configs/meta_train/minitaur.yaml.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoint, curve and policy; default runs/meta-train-CONFIG.")
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this one.")] = os.cpu_count() or 1,
) -> None:
    """Meta-train a policy in simulation. Run again after an interruption, it goes on to the same bytes."""
    import functools

    from robot_adapt.cli.progress import ProgressReport
    from robot_adapt.cli.run_folder import run_folder
    from robot_adapt.config import load
    from robot_adapt.meta import checkpoint, curve
    from robot_adapt.meta.config import MetaTrainConfig
    from robot_adapt.meta.es_maml import DivergedError, EsMaml
    from robot_adapt.meta.executors.local import InProcessExecutor, LocalProcessesExecutor
    from robot_adapt.meta.robot_arena import RobotArena
    from robot_adapt.policy import policy_file

    settings = load(config, MetaTrainConfig)
    folder = out if out is not None else Path("runs") / f"meta-train-{config.stem}"
    executor = LocalProcessesExecutor(processes) if processes else InProcessExecutor()
    plan, arena = settings.plan, RobotArena(settings)
    algorithm = EsMaml(plan, arena, executor)
    saved, good = folder / "checkpoint.safetensors", folder / "good_checkpoint.safetensors"
    arena.check()
    total = sum(plan.trials_in(k) for k in range(plan.iterations))
    with run_folder(folder), ProgressReport() as progress:
        state = checkpoint.load(saved, settings, arena.start_sha256) if saved.exists() else algorithm.start()
        done = sum(plan.trials_in(k) for k in range(state.iteration))
        try:
            if state.iteration:
                progress.say(f"going on from iteration {state.iteration} of {plan.iterations} in {saved}")
            progress.stage("meta-training", total, done)
            while state.iteration < plan.iterations:
                points = len(state.curve)
                state = algorithm.iterate(state, functools.partial(progress.advance, f"iteration {state.iteration}"))
                for path in (saved, good) if algorithm.is_good(state) else (saved,):
                    checkpoint.save(state, settings, path, arena.start_sha256)
                if len(state.curve) > points:
                    p = state.curve[-1]
                    progress.say(f"iteration {p.iteration}: held-out return {p.before:.3f} -> adapted {p.after:.3f} m")
                    curve.write(state.curve, folder)
        except DivergedError as error:
            last = good if good.exists() else saved
            raise DivergedError(f"{error}; the last good checkpoint is {last if last.exists() else 'none'}") from None
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f" after iteration {state.iteration}; run the same command to go on") from None
        finally:
            executor.close()
    policy_file.save(arena.policy(state), folder / "policy.safetensors")
    curve.write(state.curve, folder)
    typer.echo(str(folder / "policy.safetensors"))
