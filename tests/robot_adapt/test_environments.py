from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, VectorEnv

import robot_adapt.environments
from robot_adapt.adapt.return_source import MeasuredProgress, Progress
from robot_adapt.backends import SimulatedRobotConfig
from robot_adapt.config import load, shipped
from robot_adapt.errors import UserError
from sim.env import QuadrupedEnv

NAMES = [f"robot_adapt/{name}-v0" for name in robot_adapt.environments.RIGS]
MINITAUR = NAMES[0]


def observations(steps: int, name: str = MINITAUR, **options: Any) -> Iterator[np.ndarray[Any, Any]]:
    env = gymnasium.make(name, **options)
    env.action_space.seed(0)
    yield env.reset(seed=0)[0]
    for _ in range(steps):
        yield env.step(env.action_space.sample())[0]
    env.close()


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_s_own_checks_pass_without_a_warning(name: str) -> None:
    env = gymnasium.make(name)
    check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_robot_that_keeps_its_stance_stands_until_its_time_is_over(name: str) -> None:
    env = gymnasium.make(name)
    env.reset(seed=0)
    still = np.zeros(env.action_space.shape or (), dtype=np.float32)
    ends = [env.step(still)[2:4] for _ in range(150)]
    assert ends == [(False, False)] * 149 + [(False, True)]
    env.close()


def test_a_name_with_its_module_needs_no_import() -> None:
    code = f"import gymnasium; print(gymnasium.make('robot_adapt.environments:{MINITAUR}').action_space.shape)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "(8,)"


@pytest.mark.parametrize(("name", "rig"), robot_adapt.environments.RIGS.items())
def test_an_episode_s_rewards_add_up_to_the_return_of_a_trial(name: str, rig: str) -> None:
    env = gymnasium.make(f"robot_adapt/{name}-v0")
    env.reset(seed=0)
    inner = env.unwrapped
    assert isinstance(inner, QuadrupedEnv)

    def measure() -> Progress:
        truth = inner.robot.truth()
        return Progress(truth.x_m, truth.y_m, truth.energy_j)

    source = MeasuredProgress("truth", measure, load(shipped("rigs", f"{rig}.yaml"), SimulatedRobotConfig).robot.returns)
    source.begin()
    rewards = []
    for tick in range(50):
        action = np.full(env.action_space.shape or (), 0.6 * (-1) ** (tick // 10), dtype=np.float32)
        rewards.append(float(env.step(action)[1]))
        source.tick(0.02)
    assert sum(rewards) == pytest.approx(source.finish())
    env.close()


def test_another_rig_is_another_world_of_the_same_robot() -> None:
    trained_on, stand_in = list(observations(5)), list(observations(5, rig="minitaur"))
    assert trained_on[0].shape == stand_in[0].shape
    assert not np.allclose(trained_on[-1], stand_in[-1])


def test_the_engine_is_the_one_asked_for() -> None:
    bullet, mujoco = (list(observations(10, engine=engine)) for engine in ("pybullet", "mujoco"))
    assert not np.array_equal(bullet[-1], mujoco[-1])
    np.testing.assert_allclose(bullet[-1][5:13], mujoco[-1][5:13], atol=0.5)


def test_a_hobble_changes_the_robot_from_the_start() -> None:
    plain, weak = (list(observations(20, hobble=hobble)) for hobble in (None, "weak_leg"))
    assert not np.allclose(plain[0], weak[0])
    assert np.abs(plain[-1] - weak[-1]).max() > 0.05


def test_a_hobble_after_0_s_is_one_from_the_start() -> None:
    at_0, at_once = (list(observations(5, hobble="weak_leg", hobble_after_s=after_s)) for after_s in (0.0, None))
    np.testing.assert_array_equal(at_0, at_once)


def test_a_hobble_in_the_middle_of_an_episode_leaves_what_was_before_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dead.yaml"
    path.write_text("name: dead\nchanges: [{kind: weak_leg, leg: front_left, strength: 0.0}]\n")
    plain, later = list(observations(20)), list(observations(20, hobble=str(path), hobble_after_s=0.2))
    np.testing.assert_array_equal(plain[:10], later[:10])
    assert np.abs(plain[-1] - later[-1]).max() > 0.1


def test_a_hobble_happens_in_the_middle_of_every_episode() -> None:
    env = gymnasium.make(MINITAUR, hobble="weak_leg", hobble_after_s=0.1)
    bytes_of: list[list[bytes]] = []
    for _ in range(2):
        env.reset(seed=0)
        bytes_of.append([env.step(np.full(8, 0.3, dtype=np.float32))[0].tobytes() for _ in range(10)])
    assert bytes_of[0] == bytes_of[1]
    env.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hobble": "no_such"}, r"^no hobbles named no_such: there is .*weak_leg"),
        ({"hobble": "no_such.yaml"}, r"^no_such\.yaml: no such file$"),
        ({"hobble": "no_such", "hobble_after_s": 1.0}, r"^no hobbles named no_such: there is .*weak_leg"),
        ({"hobble": "weak_leg", "hobble_after_s": -1.0}, r"^hobble_after_s: should be seconds .* 0 or more, not -1\.0$"),
        ({"hobble": "weak_leg", "hobble_after_s": float("nan")}, r"^hobble_after_s: .* not nan$"),
        ({"hobble": "weak_leg", "hobble_after_s": float("inf")}, r"^hobble_after_s: .* not inf$"),
        ({"hobble_after_s": 1.0}, r"^hobble_after_s: there is no hobble to happen then$"),
        ({"rig": "mock"}, r"mock\.yaml: backend: Input should be 'simulated', not 'mock'$"),
        ({"engine": "ode"}, r"minitaur_training\.yaml: engine: Input should be 'pybullet' or 'mujoco', not 'ode'$"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        gymnasium.make(MINITAUR, **options)
    assert "\n" not in str(caught.value)


def test_a_hobble_of_another_robot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hobble.yaml"
    path.write_text("name: odd\nchanges: [{kind: weak_leg, leg: tail, strength: 0.5}]\n")
    for after_s in (None, 1.0):
        with pytest.raises(UserError, match=rf"^{path}: changes\.0\.leg: minitaur has no leg tail"):
            gymnasium.make(MINITAUR, hobble=str(path), hobble_after_s=after_s)


def test_a_picture_shows_the_robot_s_visual_shapes() -> None:
    env = gymnasium.make(MINITAUR, render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    assert (picture.max(axis=2) < 90).sum() > 500
    env.close()


def test_environments_run_side_by_side_in_processes_as_they_do_alone() -> None:
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (5, 2, 8)).astype(np.float32)

    def together(envs: VectorEnv[Any, Any, Any]) -> list[Any]:
        seen = [envs.reset(seed=3)[0], *(envs.step(action)[0] for action in actions)]
        envs.close()
        return seen

    apart = gymnasium.make_vec(MINITAUR, num_envs=2, vectorization_mode="async", vector_kwargs={"context": "spawn"})
    assert isinstance(apart, AsyncVectorEnv)
    np.testing.assert_array_equal(
        together(apart), together(gymnasium.make_vec(MINITAUR, num_envs=2, vectorization_mode="sync"))
    )


def test_a_rig_of_another_robot_is_refused() -> None:
    with pytest.raises(UserError, match="rig: laikago is a laikago, not a minitaur"):
        gymnasium.make("robot_adapt/Minitaur-v0", rig="laikago")
