"""The same seed gives the same bytes, and the walks are those they were."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np

from hardware.types import FloatArray
from tests.sim.robots import MODELS, NOISY, Opened, changes, content, path, trot


def test_the_same_seed_gives_the_same_bytes_after_any_other_trial(opened: Opened, model: str) -> None:
    robot = opened(model, **NOISY)
    first = content(trot(robot, 1))
    other = content(trot(robot, 2, duration_s=0.7))
    assert content(trot(robot, 1)) == first
    assert other[: len(first)] != first


def test_a_world_made_anew_gives_the_same_bytes(opened: Opened, model: str) -> None:
    one, other = opened(model, **NOISY), opened(model, **NOISY)
    assert content(trot(one, 1)) == content(trot(other, 1))


def test_a_robot_closed_and_connected_again_gives_the_same_bytes(opened: Opened, model: str) -> None:
    robot = opened(model, **NOISY)
    first = content(trot(robot, 1))
    robot.close()
    robot.connect()
    assert content(trot(robot, 1)) == first


def test_a_change_in_the_middle_leaves_no_trace_in_the_next_trial(opened: Opened, model: str) -> None:
    robot = opened(model, **NOISY)
    first = content(trot(robot, 1))
    weak = robot.dynamics.with_changes(strength={"front_left": 0.3})
    changed = content(trot(robot, 1, on_tick=changes(robot, 10, weak)))
    assert changed != first
    assert content(trot(robot, 1)) == first


def digest_of_every_model() -> str:
    opened, digest = Opened(), hashlib.sha256()
    for name in MODELS:
        digest.update(content(trot(opened(name, **NOISY), 1)))
    opened.close()
    return digest.hexdigest()


def test_another_process_gives_the_same_bytes() -> None:
    code = "import tests.sim.test_determinism as t; print(t.digest_of_every_model())"
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert other.split()[-1] == digest_of_every_model()


# --- golden walks, last
# Open-loop walks as they are today, to 6 decimals: whoever changes physics on purpose renews them by
#     python -c "import tests.sim.test_determinism as t; print({m: t.golden_walk(m) for m in t.MODELS})"
# and says in the commit why they changed; whoever did not mean to has found a mistake. They are of PyBullet 3.2.7 on x86-64.
GOLDEN = {
    "serial": "cd1272ffccda2ae57f5b799e62e1023aa79eea3cbdcf4846a25d1cc1399c47fe",
    "five_bar": "ef61ec3253106eaeb2662d3bf13d78be1cb9db9b7c61835e590a7e2cabad19a2",
    "open_chain": "d015300ea1de32ae219c50427e58567197af36ae56fe7e9d6b89e361b04c611b",
}


def golden_walk(model: str) -> str:
    opened = Opened()
    robot = opened(model)
    rows: list[FloatArray] = []
    states = trot(robot, on_tick=lambda _: rows.append(path(robot)))
    walked = np.concatenate((np.array([state.positions_rad for state in states]), np.array(rows)), axis=1)
    opened.close()
    return hashlib.sha256((np.round(walked, 6) + 0.0).tobytes()).hexdigest()


def test_an_open_loop_walk_is_the_one_it_was(model: str) -> None:
    assert golden_walk(model) == GOLDEN[model]
