"""Domain randomization: the same training without adaptation in it, at equal compute.

Zero-shot it is a baseline; followed by any operator (`adapt --policy FILE --config CONFIG`) it says what meta-training itself
is good for. configs/meta_train/*_dr.yaml are this function of the configs beside them.
"""

from __future__ import annotations

from robot_adapt.errors import UserError
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.meta.zero_order import StageConfig


def domain_randomization_only(config: MetaTrainConfig) -> MetaTrainConfig:
    """The first stage alone, longer by as many iterations as the trials of all others pay for; tested as often.

    Raises UserError when the first stage is not domain randomization.
    """
    first, *others = config.stages
    if not isinstance(first, StageConfig) or first.adaptation is not None:
        raise UserError(f"stages.0: {first.name} adapts: it is not domain randomization")
    iterations = first.iterations + round(sum(stage.iterations * stage.trials for stage in others) / first.trials)
    every = round(iterations * config.held_out.every / config.plan.iterations)
    return config.model_copy(
        update={
            "stages": (first.model_copy(update={"iterations": iterations}),),
            "held_out": config.held_out.model_copy(update={"every": every}),
        }
    )
