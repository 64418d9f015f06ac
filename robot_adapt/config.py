"""Configs: one YAML, one frozen object. Strict: every error is one line with the file and the key."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from robot_adapt import MAX_SEED
from robot_adapt.errors import Absent, UserError

FROZEN = ConfigDict(frozen=True, strict=True, extra="forbid")
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Port = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]

Model = TypeVar("Model", bound=BaseModel)

# What people mean as numbers and YAML 1.1 reads as something else: 1e-3 (text), 010 (octal), 1:30 (base 60).
_NUMBER_TRAP = re.compile(
    r"[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9]*\.[0-9]*[eE][0-9]+|[-+]?0[0-9]+|[-+]?[0-9]+(:[0-9]+)+(\.[0-9]*)?"
)
_MAX_DEPTH = 20


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys, tags, deep nesting, and numbers that YAML 1.1 would read as text."""

    depth = 0

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
            raise yaml.constructor.ConstructorError(None, None, f"the tag {node.tag} is not allowed", node.start_mark)
        if isinstance(node, yaml.ScalarNode) and node.style is None and _NUMBER_TRAP.fullmatch(node.value):
            message = f"{node.value} is not that number to YAML: write it like 10, 0.001 or 1.0e-3, or in quotes as text"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_object(node, deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.constructor.ConstructorError(None, None, f"nested over {_MAX_DEPTH} levels deep", None)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """The plain values in a YAML file. Raises UserError naming the file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}:" if mark is not None else ""
        raise UserError(f"{path}:{where} {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None


def load(path: Path, model: type[Model]) -> Model:
    """One YAML file as one validated, frozen object. Raises UserError naming the file and key."""
    return validate(read_yaml(path), model, str(path))


def load_json(path: Path, model: type[Model]) -> Model:
    """What this program wrote with `model_dump_json`. Raises UserError naming the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged: {error}") from None
    return validate(values, model, str(path))


def validate(values: Any, model: type[Model], where: str) -> Model:
    """Plain values as a model; `where` (a file's name) begins the error."""
    if not isinstance(values, dict):
        raise UserError(f"{where}: should be a mapping of keys to values")
    try:
        # Through JSON: strict about types, yet a YAML list may become a tuple.
        text = json.dumps(values, default=str)
    except (ValueError, RecursionError):
        raise UserError(f"{where}: holds a value that contains itself") from None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"{where}: {_first_sentence(error, values)}") from None


def _first_sentence(error: ValidationError, values: Any) -> str:
    first = error.errors(include_url=False)[0]
    keys, kind = _keys(first["loc"], values), first["type"]
    if kind == "extra_forbidden":
        return f"unknown key {'.'.join(keys)}"
    if kind == "missing":
        return f"the key {'.'.join([*keys, str(first['loc'][-1])])} is missing"
    message = first["msg"].removeprefix("Value error, ")
    inner, colon, rest = message.partition(": ")
    if kind == "value_error" and colon and " " not in inner:  # a validator of ours that names a key below its own
        keys, message = [*keys, inner], rest
    value = first["input"]
    shown = f", not {value!r}" if not isinstance(value, dict | list) else ""
    return f"{'.'.join(keys)}{': ' if keys else ''}{message}{shown}"


def _keys(location: tuple[int | str, ...], values: Any) -> list[str]:
    """The YAML's own keys on the way to a place; pydantic names the members of unions too."""
    keys = []
    for part in location:
        with contextlib.suppress(LookupError, TypeError):
            values = values[part]
            keys.append(str(part))
    return keys


def shipped(folder: str, name: str) -> Path:
    """A file that ships with the project, in `configs/folder/`.

    Raises Absent naming the command that makes it, UserError listing what there is where no config of the project makes
    it, or saying that a file should be named with its ending.
    """
    path = _CONFIGS / folder / name
    if not path.is_file():
        if "/" in name:
            raise UserError(f"{name.removesuffix(path.suffix)}: the name of a file should end in {path.suffix}")
        verb, product_of = _MAKERS.get(folder, ("", ""))
        if verb and (_CONFIGS / (recipe := product_of.format(path.stem))).is_file():
            product = f"configs/{folder}/{name}"
            raise Absent(f"{product} is not made yet: robot-adapt {verb} configs/{recipe} makes it in runs/: copy it")
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*" + path.suffix)))
        raise UserError(f"no {folder} named {path.stem}: there is {there}")
    return path


def is_shipped(folder: str, name: str) -> bool:
    """Whether `configs/folder/` has this file."""
    return (_CONFIGS / folder / name).is_file()


_CONFIGS = Path(__file__).resolve().parent.parent / "configs"
_MAKERS = {
    "policies": ("meta-train", "meta_train/{}.yaml"),
    "behaviour_maps": ("map-elites", "baselines/{}_map_elites.yaml"),
}


def named(folder: str, model: type[Model]) -> Callable[[Model | str], Model]:
    """For a field that holds a model or the name of one: loads what is named, see `shipped_or_file`."""
    return lambda value: load(shipped_or_file(folder, value), model) if isinstance(value, str) else value


def shipped_or_file(folder: str, name: str) -> Path:
    """What a person named on the command line: a YAML file, or the name of a shipped one."""
    return Path(name) if name.endswith((".yaml", ".yml")) else shipped(folder, f"{name}.yaml")
