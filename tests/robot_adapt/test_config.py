from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, model_validator

from robot_adapt.adapt.config import AdaptConfig
from robot_adapt.backends import RobotConfig, SimulatedRobotConfig
from robot_adapt.bench.config import RecoveryBenchConfig
from robot_adapt.config import FROZEN, Positive, load, read_yaml, shipped, shipped_or_file, validate
from robot_adapt.errors import UserError
from robot_adapt.hardware_config import HardwareConfig
from robot_adapt.meta.config import MetaTrainConfig
from robot_adapt.repertoire.config import RepertoireConfig
from robot_adapt.robot_model import RobotModel
from sim.hobbles import Hobble
from sim.sampler import DynamicsSampler

CONFIGS = Path(__file__).parents[2] / "configs"
KINDS: list[tuple[str, type[BaseModel]]] = [
    ("adapt", AdaptConfig),
    ("bench", RecoveryBenchConfig),
    ("hardware", HardwareConfig),
    ("hobbles", Hobble),
    ("meta_train", MetaTrainConfig),
    ("repertoire", RepertoireConfig),
    ("rigs", RobotConfig),
    ("robots", RobotModel),
]


class Inner(BaseModel):
    """A part."""

    model_config = FROZEN
    rate: Positive


class Outer(BaseModel):
    """A whole, with a rule of its own."""

    model_config = FROZEN
    name: str
    inner: Inner | str
    sizes: tuple[int, ...] = ()
    part: Outer | None = None

    @model_validator(mode="after")
    def _sizes_are_few(self) -> Outer:
        if len(self.sizes) > 3:
            raise ValueError("sizes.3: one more than fits")
        if self.name == "nobody":
            raise ValueError("name nobody: is nobody's")
        return self


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load(path, Outer)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_a_good_file_is_one_frozen_object(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("name: a\ninner: {rate: 1.0e-3}\nsizes: [1, 2]\n")
    assert load(path, Outer) == Outer(name="a", inner=Inner(rate=0.001), sizes=(1, 2))


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\ninner: {rate: 1.0, speed: 2}\n") == "unknown key inner.speed"


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\ninner: {}\n") == "the key inner.rate is missing"


def test_a_duplicate_key_is_named_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\ninner: {rate: 1.0}\nname: b\n") == "line 3: the key name stands twice"


@pytest.mark.parametrize("value", ["fast", "'1.0'", "true", "[1.0]", "2001-01-01"])
def test_a_wrong_type_is_named_with_its_key(tmp_path: Path, value: str) -> None:
    assert refused(tmp_path, f"name: a\ninner: {{rate: {value}}}\n").startswith("inner.rate: Input should be a valid number")


@pytest.mark.parametrize(("value", "why"), [("-1.0", "greater than 0"), (".nan", ""), (".inf", "")])
def test_a_value_out_of_range_is_named_with_its_key(tmp_path: Path, value: str, why: str) -> None:
    message = refused(tmp_path, f"name: a\ninner: {{rate: {value}}}\n")
    assert message.startswith("inner.rate: ")
    assert why in message


def test_an_error_of_our_own_has_its_whole_key(tmp_path: Path) -> None:
    bad = "name: a, inner: {rate: 1.0}, sizes: [1, 2, 3, 4]"
    assert refused(tmp_path, f"{{{bad}}}") == "sizes.3: one more than fits"
    assert refused(tmp_path, f"name: a\ninner: {{rate: 1.0}}\npart: {{{bad}}}") == "part.sizes.3: one more than fits"


def test_an_error_of_our_own_without_a_key_stands_for_itself(tmp_path: Path) -> None:
    bad = "name: nobody, inner: {rate: 1.0}"
    assert refused(tmp_path, f"{{{bad}}}") == "name nobody: is nobody's"
    assert refused(tmp_path, f"name: a\ninner: {{rate: 1.0}}\npart: {{{bad}}}") == "part: name nobody: is nobody's"


TAIL = {"name": "tail", "changes": [{"kind": "weak_leg", "leg": "tail", "strength": 0.5}]}
STRONG = {"name": "strong", "changes": [{"kind": "weak_leg", "leg": "front_left", "strength": 1.5}]}


@pytest.mark.parametrize(
    ("rig", "why"),
    [
        ({"later": {"after_s": 1.0, "hobble": TAIL}}, "later.hobble.changes.0.leg: minitaur has no leg tail"),
        ({"later": {"after_s": 1.0, "hobble": STRONG}}, "later.hobble.changes.0.strength: Input should be less"),
        ({"dynamics": {"strength": {"tail": 0.5}}}, "dynamics.strength: minitaur has no joint or leg tail"),
        (
            {"simulation": {"legs": "open_chain", "time_step_s": 0.002, "iterations": 5}},
            "simulation.legs: the Minitaur's are five_bar, five_bar_full or serial",
        ),
        (
            {"robot": "a1", "simulation": {"legs": "serial", "time_step_s": 0.002, "iterations": 5}},
            "simulation.legs: serial legs are the Minitaur's; others have open_chain legs",
        ),
    ],
)
def test_what_is_wrong_with_a_rig_has_its_whole_key_in_a_training_config_too(rig: dict[str, object], why: str) -> None:
    rig = {"backend": "simulated", "robot": "minitaur", **rig}
    with pytest.raises(UserError, match=rf"^rig\.yaml: {re.escape(why)}"):
        validate(rig, SimulatedRobotConfig, "rig.yaml")
    training = {**read_yaml(shipped("meta_train", "minitaur.yaml")), "robot": rig}
    with pytest.raises(UserError, match=rf"^train\.yaml: robot\.{re.escape(why)}"):
        validate(training, MetaTrainConfig, "train.yaml")


def test_what_is_wrong_with_a_body_in_a_rig_has_its_whole_key() -> None:
    robot = read_yaml(shipped("robots", "minitaur.yaml"))
    robot["body"]["joints"]["foo"] = robot["body"]["joints"]["motor_back_leftL_joint"]
    with pytest.raises(UserError, match=r"^rig\.yaml: robot\.body\.joints\.foo: quadruped/minitaur\.urdf has no such joint"):
        validate({"backend": "simulated", "robot": robot}, SimulatedRobotConfig, "rig.yaml")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!!python/tuple [1]", "!secret x"])
def test_a_tag_is_refused(tmp_path: Path, tag: str) -> None:
    assert "is not allowed" in refused(tmp_path, f"name: {tag}\ninner: {{rate: 1.0}}\n")


@pytest.mark.parametrize("number", ["1e-3", "1e3", "2.5e3", "-1E5", "010", "1:30", "-09"])
def test_a_number_that_yaml_takes_for_text_is_explained(tmp_path: Path, number: str) -> None:
    assert f"{number} is not that number to YAML: write it like" in refused(tmp_path, f"name: a\ninner: {{rate: {number}}}\n")


def test_such_a_number_in_quotes_is_text(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("name: '1e-3'\ninner: {rate: 1.0}\n")
    assert load(path, Outer).name == "1e-3"


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text) == "should be a mapping of keys to values"


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\ninner: {rate: 1.0\n").startswith("line 3: ")


def test_a_value_that_contains_itself_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\ninner: &me {rate: *me}\n") == "holds a value that contains itself"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "levels deep" in refused(tmp_path, "name: " + "[" * 500 + "]" * 500)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.yaml: no such file"):
        load(tmp_path / "absent.yaml", Outer)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.yaml: cannot be read"):
        load(path, Outer)


@pytest.mark.parametrize(
    ("path", "model"), [(path, model) for folder, model in KINDS for path in sorted((CONFIGS / folder).glob("*.yaml"))]
)
def test_every_shipped_config_loads(path: Path, model: type[BaseModel]) -> None:
    load(path, model)


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONFIGS / "bench").glob("*.yaml")))
def test_a_hobble_s_families_are_all_in_which_a_change_of_its_kind_occurs(name: str) -> None:
    bench = load(shipped("bench", f"{name}.yaml"), RecoveryBenchConfig)
    grown = load(shipped("repertoire", f"{name}.yaml"), RepertoireConfig)
    for label, hobble in bench.hobbles.items():
        kinds = _kinds(hobble.draw)
        assert set(hobble.families) == {family for family, one in grown.families.items() if _kinds(one) & kinds}, label


def _kinds(sampler: DynamicsSampler) -> set[str]:
    return {change.kind for hobble in sampler.hobbles for change in hobble.changes()}


def test_a_shipped_name_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(UserError, match=r"no hobbles named broken_heart: there is .*mass_voltage, "):
        shipped("hobbles", "broken_heart.yaml")


def test_a_file_without_its_ending_is_no_name() -> None:
    with pytest.raises(UserError, match=r"^runs/mine/policy: the name of a file should end in \.safetensors$"):
        shipped("policies", "runs/mine/policy.safetensors")


def test_a_path_is_taken_as_it_is_and_a_name_from_the_shipped_ones() -> None:
    assert shipped_or_file("hobbles", "mine/own.yaml") == Path("mine/own.yaml")
    assert shipped_or_file("hobbles", "payload") == CONFIGS / "hobbles" / "payload.yaml"
