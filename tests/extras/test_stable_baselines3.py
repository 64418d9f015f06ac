from __future__ import annotations

import numpy as np
import torch
from stable_baselines3 import PPO

import robot_adapt.environments  # noqa: F401  registers


def test_ppo_learns_on_the_environment_and_its_actions_are_valid() -> None:
    model = PPO("MlpPolicy", "robot_adapt/Minitaur-v0", n_steps=64, batch_size=64, seed=0, device="cpu")
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    model.learn(total_timesteps=128)
    assert model.num_timesteps == 128
    after = model.policy.state_dict()
    assert any(not torch.equal(before[name], value) for name, value in after.items() if name.startswith("mlp_extractor"))
    environment = model.get_env()
    assert environment is not None
    actions, _ = model.predict(environment.reset(), deterministic=True)
    assert actions.shape == (1, 8)
    assert np.isfinite(actions).all()
    assert environment.action_space.contains(actions[0])
    environment.close()
