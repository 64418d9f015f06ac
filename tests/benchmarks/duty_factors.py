"""Claim: legs' duty factors can be told from the motors' torques alone, which is how MAP-Elites here tells behaviours apart.

A leg counts as in stance while its motors push it longer with over a share of the mean push (baselines/behaviour_map.py).
Here each tick of 12 walks of 3 s, of the shipped policy with its weights perturbed, is compared with PyBullet's contacts.

    python tests/benchmarks/duty_factors.py --json tests/benchmarks/results/duty_factors.json
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path

import numpy as np
import pybullet
from numpy.typing import NDArray

from hardware.types import FloatArray
from robot_adapt.backends import SimulatedRobotConfig, simulated_rig
from robot_adapt.baselines.behaviour_map import LOADED, in_stance
from robot_adapt.config import load, shipped
from robot_adapt.policy import policy_file
from robot_adapt.randomness import generator
from robot_adapt.rollout import rollout
from sim.world import World

WALKS, TRIAL_S, SIGMA = 12, 3.0, 0.05
SHARES = (0.0, 0.1, LOADED, 0.5, 1.0)


def walks(robot: str) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
    """Of every walk the torques (ticks, joints), and which feet stood on the ground (ticks, legs)."""
    rig, simulated = simulated_rig(load(shipped("rigs", f"{robot}_training.yaml"), SimulatedRobotConfig))
    policy = policy_file.load(shipped("policies", f"{robot}.safetensors"))
    rig.robot.connect()
    body = simulated.body
    legs = {joint.leg: body.joints[name].leg for name, joint in policy.trot.joints.items()}
    results = []
    for walk in range(WALKS):
        steps = SIGMA * generator(0, "duty factors", walk).standard_normal(policy.parameters.size)
        contacts: list[list[bool]] = []

        def on_tick(_: int, seen: list[list[bool]] = contacts) -> None:
            world = simulated.physics
            assert isinstance(world, World)
            links_of = simulated._connected().assembly.feet
            feet = [[world._links[link] for link in links_of[legs[leg]]] for leg in range(policy.trot.legs)]
            touching = {point[3] for point in pybullet.getContactPoints(bodyA=world._body, physicsClientId=world._client)}
            seen.append([any(link in touching for link in links) for links in feet])

        rig.reset(generator(0, "duty factors' noise", walk))
        trial = rollout(rig.robot, rig.clock, policy.with_parameters(policy.parameters + steps), rig.returns, TRIAL_S, on_tick)
        results.append((trial.telemetry["torque_nm"].astype(np.float64), np.array(contacts)))
    rig.robot.close()
    return results


def agreement(robot: str) -> dict[str, object]:
    """By the share of the mean push: right ticks, and the correlation of duty factors over walks and legs."""
    trot = policy_file.load(shipped("policies", f"{robot}.safetensors")).trot
    seen = walks(robot)
    rows = {}
    for share in SHARES:
        told = [in_stance(torques, trot, share) for torques, _ in seen]
        right = np.concatenate([one == stood for one, (_, stood) in zip(told, seen, strict=True)])
        duty = [np.concatenate([one.mean(axis=0) for one in ones]) for ones in (told, [stood for _, stood in seen])]
        rows[str(share)] = {"right": round(float(right.mean()), 3), "correlation": round(float(np.corrcoef(duty)[0, 1]), 3)}
    return {"ticks": sum(len(stood) for _, stood in seen), "by_share_of_mean_push": rows}


def main() -> None:
    """Both robots with a shipped policy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the results go")
    options = parser.parse_args()
    report = {"date": datetime.date.today().isoformat(), **{robot: agreement(robot) for robot in ("minitaur", "laikago")}}
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
