from __future__ import annotations

from pathlib import Path

import pytest

from robot_adapt.config import shipped
from robot_adapt.policy import policy_file
from robot_adapt.repertoire import gains

DOCS = Path(__file__).parents[3] / "docs"


def test_a_training_is_a_row_and_all_of_them_a_picture(tmp_path: Path) -> None:
    gains.write([(0, "wide", 1.0, 1.25), (0, "weak_leg", 0.5, 1.12345)], tmp_path)
    rows = ["round,family,before_m,after_m", "0,wide,1.0000,1.2500", "0,weak_leg,0.5000,1.1235"]
    assert (tmp_path / "growth.csv").read_text().splitlines() == rows
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("robot", "name"), [("minitaur", "growth.csv"), ("laikago", "growth_laikago.csv"), ("a1", "growth_a1.csv")]
)
def test_the_docs_show_the_gains_of_the_shipped_repertoires(robot: str, name: str, tmp_path: Path) -> None:
    policy = policy_file.load(shipped("policies", f"{robot}.safetensors"))
    gains.write(policy.provenance["repertoire"]["specialists"], tmp_path)
    assert (tmp_path / "growth.csv").read_text() == (DOCS / name).read_text()
