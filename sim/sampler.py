"""DynamicsSampler: a distribution over worlds, written as a world's parameters with distributions in place of numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from sim.dynamics import Dynamics
from sim.hobbles import Change, misfit
from sim.robots.body import Body
from sim.values import Finite, Frozen, Share

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
_MOST_CORNERS = 1000


class Uniform(BaseModel):
    """Uniform between two values."""

    model_config = Frozen
    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        return self


class OneOf(BaseModel):
    """One of these, evenly."""

    model_config = Frozen
    one_of: Annotated[tuple[Any, ...], Field(min_length=1)]


_Draw = Callable[[Uniform | OneOf], Any]


class SometimesHobble(BaseModel):
    """With this probability a world has this change, a hobble's (see sim.hobbles) with distributions for values."""

    model_config = Frozen
    probability: Share
    change: dict[str, Any]

    def changes(self) -> Iterator[Change]:
        """At all its corners."""
        return map(_CHANGE.validate_python, _corners(self.change))


class DynamicsSampler(BaseModel):
    """Worlds around a nominal one.

    `dynamics` has keys of Dynamics; every number in it may be `{low, high}` (uniform), every value `{one_of: [...]}`; `hobbles`
    come on top, one after another, each by its own coin. All corners (see `_corners`) of each key and hobble are checked here.
    """

    model_config = Frozen
    dynamics: dict[str, Any] = {}
    hobbles: tuple[SometimesHobble, ...] = ()

    @model_validator(mode="after")
    def _ends_are_worlds(self) -> DynamicsSampler:
        for key in self.dynamics:
            try:
                list(self._worlds(key))
            except ValidationError as error:
                raise ValueError(_said(error, f"dynamics.{key}")) from None
        for index, hobble in enumerate(self.hobbles):
            try:
                list(hobble.changes())
            except ValidationError as error:
                raise ValueError(_said(error, f"hobbles.{index}.change")) from None
        return self

    def misfit(self, body: Body) -> str | None:
        """The first thing in here that this robot cannot have, with its key; None when all fit."""
        for key in self.dynamics:
            for world in self._worlds(key):
                if (wrong := world.misfit(body)) is not None:
                    return f"dynamics.{wrong}"
        for index, hobble in enumerate(self.hobbles):
            for change in hobble.changes():
                if (wrong := misfit(change, body)) is not None:
                    return f"hobbles.{index}.change.{wrong}"
        return None

    def strata(self) -> tuple[DynamicsSampler, ...]:
        """A sampler for every combination of choices, or for so many as `_corners` has; ranges stay ranges."""
        chosen = _corners(self.model_dump(), lambda span: [span.model_dump()])
        return tuple(DynamicsSampler.model_validate(one) for one in chosen)

    def sample(self, nominal: Dynamics, generator: np.random.Generator) -> Dynamics:
        """Draws one world. Every draw is made whether its coin falls or not, so that worlds of one seed stay alike."""

        def draw(distribution: Uniform | OneOf) -> Any:
            if isinstance(distribution, Uniform):
                return float(generator.uniform(distribution.low, distribution.high))
            return distribution.one_of[int(generator.integers(len(distribution.one_of)))]

        coins = iter([generator.random() < hobble.probability for hobble in self.hobbles])
        return self._world(nominal, draw, lambda: next(coins))

    def _worlds(self, key: str) -> Iterator[Dynamics]:
        return (Dynamics.model_validate({key: corner}) for corner in _corners(self.dynamics[key]))

    def _world(self, nominal: Dynamics, draw: _Draw, has_next_hobble: Callable[[], bool]) -> Dynamics:
        world = nominal.with_changes(**{key: _drawn(value, draw) for key, value in self.dynamics.items()})
        for hobble in self.hobbles:
            change = _CHANGE.validate_python(_drawn(hobble.change, draw))
            if has_next_hobble():
                world = change.apply(world)
        return world


def _distribution(value: dict[str, Any]) -> Uniform | OneOf | None:
    """What a mapping stands for; None is a mapping of values."""
    if set(value) == {"low", "high"}:
        return Uniform.model_validate(value)
    if set(value) == {"one_of"}:
        choices = value["one_of"]
        return OneOf(one_of=tuple(choices) if isinstance(choices, list) else choices)
    return None


def _drawn(value: Any, draw: _Draw) -> Any:
    """A tree of values with every distribution in it replaced by what `draw` gives."""
    if isinstance(value, dict):
        distribution = _distribution(value)
        if distribution is not None:
            return _drawn(draw(distribution), draw)
        return {key: _drawn(one, draw) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_drawn(one, draw) for one in value)
    return value


def _ends(span: Uniform) -> list[Any]:
    return [span.low, span.high]


def _corners(value: Any, of_range: Callable[[Uniform], list[Any]] = _ends) -> list[Any]:
    """What a tree of values can be with every range at one of its ends, whatever was chosen, in all combinations.

    Of more than `_MOST_CORNERS` combinations only so many that every end and every choice is in one.
    """
    if isinstance(value, dict):
        match _distribution(value):
            case Uniform() as span:
                return of_range(span)
            case OneOf(one_of=choices):
                return [corner for choice in choices for corner in _corners(choice, of_range)]
        corners = [_corners(one, of_range) for one in value.values()]
        return [dict(zip(value, corner, strict=True)) for corner in _together(corners)]
    if isinstance(value, list | tuple):
        return list(_together([_corners(one, of_range) for one in value]))
    return [value]


def _together(corners: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
    if math.prod(map(len, corners)) <= _MOST_CORNERS:
        return itertools.product(*corners)
    most = max(map(len, corners))
    return zip(*(itertools.islice(itertools.cycle(one), most) for one in corners), strict=True)


def _said(error: ValidationError, where: str) -> str:
    """The first thing that is wrong below a key, with its own key."""
    first = error.errors(include_url=False)[0]
    message, value = first["msg"].removeprefix("Value error, "), first["input"]
    if error.title in (Uniform.__name__, OneOf.__name__):  # anywhere below the key
        keys = [f"{where}:", *(f"{part}:" for part in first["loc"])]
    else:  # where the key, or the kind of change, comes first
        keys = [".".join(map(str, (where, *first["loc"][1:]))) + ":"]
    shown = "" if isinstance(value, dict | list | tuple) else f", not {value!r}"
    return f"{' '.join(keys)} {message}{shown}"
