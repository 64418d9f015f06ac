"""Pictures of a walk: each format, opened again, and what cannot be drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builders import write_yaml
from tests.robot_adapt.cli.verbs import refused, run

FRAMES = 5  # of 0.2 s, 25 a second
SIZE = (480, 430)


def render(out: Path, *options: str | Path, robot: str = "minitaur") -> str:
    """Renders 0.2 s; returns what was said."""
    done = run("render", robot, "--seconds", "0.2", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}\n"
    return done.stderr


def test_a_gif_has_the_walk_s_frames_at_its_pace(tmp_path: Path) -> None:
    said = render(tmp_path / "new" / "walk.gif")
    assert said.startswith("minitaur: completed after 0.2 s, return 0.")
    with Image.open(tmp_path / "new" / "walk.gif") as walk:
        assert (getattr(walk, "n_frames", 1), walk.size, walk.info["duration"]) == (FRAMES, SIZE, 40)


def test_an_mp4_has_the_walk_s_frames_at_its_pace(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    render(tmp_path / "walk.mp4")
    with av.open(str(tmp_path / "walk.mp4")) as walk:
        stream = walk.streams.video[0]
        assert float(stream.average_rate) == 25.0
        assert [(frame.width, frame.height) for frame in walk.decode(stream)] == [SIZE] * FRAMES


def test_a_folder_gets_one_picture_a_frame_and_a_png_the_middle_one(tmp_path: Path) -> None:
    render(tmp_path / "frames")
    render(tmp_path / "walk.png")
    pictures = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in pictures] == [f"{number:04d}.png" for number in range(FRAMES)]
    with Image.open(tmp_path / "walk.png") as middle, Image.open(pictures[FRAMES // 2]) as same:
        assert middle.size == SIZE
        assert np.array_equal(np.asarray(middle), np.asarray(same))


def orange(path: Path) -> int:
    """How many pixels above the path walked are of a hobbled part."""
    with Image.open(path) as picture:
        red, green, blue = np.asarray(picture.convert("RGB"), dtype=int)[40:360].transpose(2, 0, 1)
    return int(((red > 150) & (green < 100) & (blue < 60)).sum())


def test_a_hobble_after_a_while_is_seen_from_then_on(tmp_path: Path) -> None:
    said = render(tmp_path / "frames", "--hobble", "weak_leg", "--after", "0.1")
    assert said.startswith("minitaur, weak leg after 0.1 s: ")
    counts = [orange(path) for path in sorted((tmp_path / "frames").iterdir())]
    assert max(counts[:3]) < 50  # of the motors
    assert min(counts[3:]) > 300


def test_another_policy_or_none_is_used_and_said(tmp_path: Path) -> None:
    assert "is for the robot minitaur, not for a1" in refused(
        "render", "a1", "--out", tmp_path / "x.gif", "--policy", "configs/policies/minitaur.safetensors"
    )
    robot = (
        Path("configs/robots/minitaur.yaml")
        .read_text()
        .replace("name: minitaur", "name: nobody")
        .replace("serial", "open_chain")
    )
    (tmp_path / "nobody.yaml").write_text(robot)
    rig = write_yaml(tmp_path / "rig.yaml", {"backend": "simulated", "robot": str(tmp_path / "nobody.yaml")})
    said = render(tmp_path / "walk.png", robot=str(rig))
    assert said.startswith("no policies named nobody: there is ")
    assert "walking as the trajectory generator alone does" in said


def test_what_cannot_be_drawn_is_one_line_and_nothing_is_made(tmp_path: Path) -> None:
    out = tmp_path / "walk.avi"
    assert refused("render", "minitaur", "--out", out).startswith(f"{out}: should end in .gif, .mp4 or .png")
    assert refused("render", "minitaur") == "either --out FILE or --gui"
    late = refused("render", "minitaur", "--out", tmp_path / "x.gif", "--hobble", "pull", "--after", "5")
    assert late == "--after 5 is not before the walk's end: --seconds 3"
    assert refused("render", "minitaur", "--out", tmp_path / "x.gif", "--after", "1").startswith("--after says when")
    (tmp_path / "full" / "precious").mkdir(parents=True)
    assert refused("render", "minitaur", "--out", tmp_path / "full").startswith(f"{tmp_path}/full: is there already")
    assert "no rigs named cat: there is a1" in refused("render", "cat", "--out", tmp_path / "x.gif")
    tail = write_yaml(tmp_path / "tail.yaml", {"name": "tail", "changes": [{"kind": "dead_motor", "joint": "tail.0"}]})
    for option in ([], ["--after", "0.1"]):
        said = refused("render", "minitaur", "--out", tmp_path / "x.gif", "--hobble", tail, *option)
        assert said.startswith(f"{tail}: changes.0.joint: minitaur has no joint tail.0; it has motor_front_leftL_joint")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "tail.yaml"]


@pytest.mark.parametrize("option", ["--after", "--seconds"])
@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_time_without_an_end_is_refused(tmp_path: Path, option: str, value: str) -> None:
    said = refused("render", "minitaur", "--out", tmp_path / "x.gif", "--hobble", "weak_leg", option, value)
    assert said.startswith(f"Invalid value for '{option}': ")
    assert not (tmp_path / "x.gif").exists()


def test_mp4_without_pyav_says_what_to_install(tmp_path: Path) -> None:
    done = run("render", "minitaur", "--out", tmp_path / "walk.mp4", blocked="av")
    assert (done.returncode, done.stderr) == (
        2, "robot-adapt: MP4 needs PyAV: pip install 'robot-adapt[video]', or write a .gif\n"
    )  # fmt: skip


@pytest.mark.parametrize("display", [None, ":4321"])
def test_a_window_without_a_display_is_one_line(display: str | None) -> None:
    surroundings = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    if display is not None:
        surroundings["DISPLAY"] = display
    command = [sys.executable, "-m", "robot_adapt", "render", "minitaur", "--gui"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("robot-adapt: ")
