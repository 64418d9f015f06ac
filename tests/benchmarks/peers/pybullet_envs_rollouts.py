"""Rollouts of the public quadruped environments in the pybullet wheel, timed: what our simulation's speed is compared with.

A child process of a benchmark, run by the Python of an environment of its own:

    python3.11 -m venv VENV
    VENV/bin/pip install -r tests/benchmarks/peers/requirements.txt
    echo "minitaur_gym 3 0" | VENV/bin/python tests/benchmarks/peers/pybullet_envs_rollouts.py

Each line of stdin, `PEER SECONDS SEED`, is answered by one line of JSON. `wall_s` includes the resets (`reset_s`; one at the
start, one after each fall: `resets`), while `simulated_s` and `steps` (of physics) leave out what resets simulate. A peer is
built at its first request, untimed. Peers print to stdout, also from C and when imported: answers go to a duplicate of stdout,
the rest to stderr, and the peers are imported after that.

- `minitaur_gym`: `MinitaurGymEnv` with the accurate motor model (2 ms, 60 iterations, 100 Hz control), no hard reset; a trot
  plus a linear policy, drawn by the seed.
- `envs_v2_minitaur`, `envs_v2_laikago`: `envs_v2` as the wheel's PMTG example builds it from gin files, for both robots, with
  constant parameters of the trajectory generator. 1 ms; 50 iterations and 167 Hz control, 150 iterations and 500 Hz. Falls do
  not end an episode; nothing depends on the seed.
- `naive_laikago`: what one writes first: the wheel's URDF, self-collision, 2 ms, 60 iterations, one call a joint, a 3 Hz trot;
  the seed perturbs the first posture.
"""

from __future__ import annotations

import enum
import json
import math
import os
import sys
import time
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray


class Peer(Protocol):
    """One environment; a `step` simulates `control_s` in `steps_per_action` steps of physics."""

    control_s: float
    steps_per_action: int

    def reset(self, seed: int) -> None:
        """Puts the robot back at the start."""

    def step(self, now_s: float) -> bool:
        """Acts once, this long after the request's start; whether the episode ended."""


class MinitaurGym:
    """A 2 Hz trot in leg coordinates (4 swings, 4 extensions) plus a small linear policy drawn from the seed."""

    def __init__(self) -> None:
        from pybullet_envs.minitaur.envs.minitaur_gym_env import MinitaurGymEnv

        # A reset allocates the log's steps though none is written, and protobuf for 3.11 is pure Python: not held against it.
        self._env: Any = MinitaurGymEnv(accurate_motor_model_enabled=True, hard_reset=False, render=False, num_steps_to_log=1)
        self.control_s = float(self._env.control_time_step)
        self.steps_per_action = 5
        self._diagonals = np.array([1.0, -1.0, -1.0, 1.0])
        self._observation = np.zeros(int(self._env.observation_space.shape[0]))
        self._weights: NDArray[np.float64] = np.zeros((8, len(self._observation)))

    def reset(self, seed: int) -> None:
        """Draws the policy and starts over."""
        self._weights = np.random.default_rng(seed).normal(scale=0.002, size=(8, len(self._observation)))
        self._env.seed(seed)
        self._observation = np.asarray(self._env.reset())

    def step(self, now_s: float) -> bool:
        """Walks on."""
        phase = 4.0 * math.pi * now_s
        trot = 0.3 * np.concatenate([math.sin(phase) * self._diagonals, math.cos(phase) * self._diagonals])
        action = np.clip(trot + self._weights @ self._observation, -1.0, 1.0)
        self._observation, _, done, _ = self._env.step(action)
        return bool(done)


class EnvsV2:
    """The trajectory generator (PMTG) with residuals of zero and a step small enough to stay on its feet."""

    def __init__(self, robot: str) -> None:
        # gin names constants by str() of enum members, which Python 3.11 changed for IntEnum.
        enum.IntEnum.__str__ = enum.Enum.__str__  # type: ignore[method-assign]
        import gin
        import pybullet_data
        from pybullet_envs.minitaur.envs_v2 import env_loader

        gin.clear_config()
        for file in (robot, "tasks/fwd_task_no_termination", "wrappers/pmtg_wrapper", "scenes/simple_scene"):
            gin.parse_config_file(f"{pybullet_data.getDataPath()}/configs_v2/{file}.gin")
        gin.bind_parameter("terminal_conditions.maxstep_terminal_condition.max_step", 10000)
        self._env: Any = env_loader.load()
        self.control_s = float(self._env.env_time_step)
        self.steps_per_action = int(gin.query_parameter("%NUM_ACTION_REPEAT"))
        # Residuals, then the generator's frequency factor, intensity, height, and swing over stance.
        self._action = np.zeros(self._env.action_space.shape)
        self._action[-4:] = (2.0, 0.3, -0.3, 2.0)

    def reset(self, seed: int) -> None:
        """Starts over."""
        self._env.seed(seed)
        self._env.reset()

    def step(self, now_s: float) -> bool:
        """Walks on; a copy, for the wrapper may write into its action."""
        _, _, done, _ = self._env.step(self._action.copy())
        return bool(done)


class NaiveLaikago:
    """Plain pybullet and numpy: joint by joint, torques from a PD controller in every physics step, commands at 50 Hz."""

    def __init__(self) -> None:
        import pybullet
        import pybullet_data

        self.control_s = 0.02
        self.steps_per_action = 10
        self._bullet: Any = pybullet
        self._client = pybullet.connect(pybullet.DIRECT)
        pybullet.setAdditionalSearchPath(pybullet_data.getDataPath(), physicsClientId=self._client)
        pybullet.setPhysicsEngineParameter(numSolverIterations=60, fixedTimeStep=0.002, physicsClientId=self._client)
        pybullet.setGravity(0.0, 0.0, -9.81, physicsClientId=self._client)
        pybullet.loadURDF("plane.urdf", physicsClientId=self._client)
        self._robot = pybullet.loadURDF(
            "laikago/laikago_toes_zup.urdf",
            [0.0, 0.0, 0.48],
            flags=pybullet.URDF_USE_SELF_COLLISION,
            physicsClientId=self._client,
        )
        infos = [
            pybullet.getJointInfo(self._robot, joint, physicsClientId=self._client)
            for joint in range(pybullet.getNumJoints(self._robot, physicsClientId=self._client))
        ]
        names = [
            f"{leg}_{joint}_joint"
            for leg in ("FR", "FL", "RR", "RL")
            for joint in ("hip_motor_2_chassis", "upper_leg_2_hip_motor", "lower_leg_2_upper_leg")
        ]
        by_name = {info[1].decode(): info[0] for info in infos}
        self._joints = [by_name[name] for name in names]
        self._stance = np.array([0.0, 0.07, -0.59] * 4)
        for joint in self._joints:
            pybullet.setJointMotorControl2(
                self._robot, joint, pybullet.VELOCITY_CONTROL, force=0.0, physicsClientId=self._client
            )

    def reset(self, seed: int) -> None:
        """Puts the base and the joints back; the first posture is a little off, by the seed."""
        bullet, client = self._bullet, self._client
        posture = self._stance + np.random.default_rng(seed).normal(scale=0.01, size=12)
        bullet.resetBasePositionAndOrientation(self._robot, [0.0, 0.0, 0.48], [0.0, 0.0, 0.0, 1.0], physicsClientId=client)
        bullet.resetBaseVelocity(self._robot, [0.0] * 3, [0.0] * 3, physicsClientId=client)
        for joint, angle in zip(self._joints, posture, strict=True):
            bullet.resetJointState(self._robot, joint, angle, 0.0, physicsClientId=client)

    def step(self, now_s: float) -> bool:
        """Walks on; fallen when the body is low or tilted by more than about 60 degrees."""
        bullet, client = self._bullet, self._client
        desired = self._trot(now_s)
        for _ in range(self.steps_per_action):
            states = [bullet.getJointState(self._robot, joint, physicsClientId=client) for joint in self._joints]
            angles = np.array([state[0] for state in states])
            velocities = np.array([state[1] for state in states])
            torques = np.clip(400.0 * (desired - angles) - 6.0 * velocities, -60.0, 60.0)
            for joint, torque in zip(self._joints, torques, strict=True):
                bullet.setJointMotorControl2(self._robot, joint, bullet.TORQUE_CONTROL, force=torque, physicsClientId=client)
            bullet.stepSimulation(physicsClientId=client)
        position, orientation = bullet.getBasePositionAndOrientation(self._robot, physicsClientId=client)
        up = bullet.getMatrixFromQuaternion(orientation)[8]
        return bool(position[2] < 0.2 or up < 0.5)

    def _trot(self, now_s: float) -> NDArray[np.float64]:
        """3 Hz, diagonal legs in turn: the hip swings, the knee bends while the leg comes forward."""
        desired = self._stance.copy()
        phase = 6.0 * math.pi * now_s
        for leg, sign in enumerate((1.0, -1.0, -1.0, 1.0)):
            lift = max(0.0, sign * math.cos(phase))
            desired[3 * leg + 1] += -0.15 * sign * math.sin(phase) + 0.2 * lift
            desired[3 * leg + 2] -= 0.4 * lift
        return desired


def build(name: str) -> Peer:
    """The peer of this name."""
    if name == "minitaur_gym":
        return MinitaurGym()
    if name == "envs_v2_minitaur":
        return EnvsV2("robots/minitaur")
    if name == "envs_v2_laikago":
        return EnvsV2("base/laikago_with_imu")
    if name == "naive_laikago":
        return NaiveLaikago()
    raise SystemExit(f"no peer {name}")


def rollout(peer: Peer, seconds: float, seed: int) -> dict[str, float]:
    """Resets, then acts until the simulated time is done, with a reset after each fall."""
    actions = round(seconds / peer.control_s)
    begin = time.perf_counter()
    peer.reset(seed)
    reset_s, resets = time.perf_counter() - begin, 1
    for action in range(actions):
        if peer.step(action * peer.control_s) and action + 1 < actions:
            fallen = time.perf_counter()
            peer.reset(seed)
            reset_s, resets = reset_s + time.perf_counter() - fallen, resets + 1
    return {
        "wall_s": time.perf_counter() - begin,
        "simulated_s": actions * peer.control_s,
        "steps": actions * peer.steps_per_action,
        "reset_s": reset_s,
        "resets": resets,
    }


def answers() -> TextIO:
    """The original stdout; from here on, file descriptor 1 is stderr."""
    original = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return original


def main() -> None:
    """Answers requests until stdin ends."""
    out = answers()
    peers: dict[str, Peer] = {}
    for line in sys.stdin:
        name, seconds, seed = line.split()
        if name not in peers:
            peers[name] = build(name)
        out.write(json.dumps({"peer": name, **rollout(peers[name], float(seconds), int(seed))}) + "\n")


if __name__ == "__main__":
    main()
