"""QuadrupedEnv: a Gymnasium environment around a SimulatedRobot: measured observations, joint targets, forward progress."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from hardware.types import RobotFault, RobotState
from sim.simulated_robot import SimulatedRobot, Truth

Array = NDArray[np.float32]

PERIOD_S = 0.02
REACH_RAD = 0.5
_FRAME = (320, 240)

# Ends of the observation's ranges; a sensor says no more than its end. The gyro's is 2000 degrees a second.
_ANGLE_RAD, _RATE_RAD_S, _JOINT_RAD, _JOINT_RAD_S = math.pi, 34.9, 2.0 * math.pi, 200.0


class QuadrupedEnv(gymnasium.Env[Array, Array]):
    """Walk forward, as fast as is paid for, on little energy.

    Action: joint targets (n,) in -1 to 1, times `REACH_RAD` from the stance; the robot clips them to its joint limits.
    Observation: roll, pitch (rad); body rates (3,) (rad/s); joint angles from the stance (n,) (rad); joint velocities (n,)
    (rad/s); the last action (n,): what a real robot measures, with the noise and latency of the robot's dynamics.
    Reward: progress along x (m), counted up to `top_speed_m_s`, less `energy_weight_per_j` times the step's work, less
    `drift_weight` times what it went further aside. An episode's rewards add up to the return of a trial.
    A fallen robot is `terminated`; nothing here truncates. A measurement or an action that is not finite raises RobotFault.

    Args:
        robot: connected at the first reset. With `visuals` when `render_mode` is rgb_array.

    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1.0 / PERIOD_S)}  # noqa: RUF012  as Gymnasium declares it

    def __init__(
        self, robot: SimulatedRobot, *, top_speed_m_s: float, energy_weight_per_j: float, drift_weight: float = 0.0,
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode: should be rgb_array or None, not {render_mode!r}")
        self.robot = robot
        self.render_mode = render_mode
        self._top_speed_m_s = top_speed_m_s
        self._energy_weight_per_j = energy_weight_per_j
        self._drift_weight = drift_weight
        n = len(robot.spec.joints)
        ends = [_ANGLE_RAD] * 2 + [_RATE_RAD_S] * 3 + [_JOINT_RAD] * n + [_JOINT_RAD_S] * n + [1.0] * n
        self._ends = np.array(ends, dtype=np.float32)
        of_joints = (f"{what} of {joint}" for what in ("angle", "velocity", "action") for joint in robot.spec.joint_names)
        self._names = ("roll", "pitch", "roll rate", "pitch rate", "yaw rate", *of_joints)
        self.observation_space = Box(-self._ends, self._ends, dtype=np.float32)
        self.action_space = Box(-1.0, 1.0, (n,), dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self.robot.connect()
        self.robot.reset(self.np_random)
        self._start_s, self._tick = self.robot.now(), 0
        self._start = self._truth = self.robot.truth()
        return self._observation(self.robot.read(), np.zeros(len(self.robot.spec.joints))), _info(self._truth)

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        robot, spec, before = self.robot, self.robot.spec, self._truth
        action = np.clip(action, -1.0, 1.0)
        robot.write(spec.position_command(spec.stance_rad + REACH_RAD * action.astype(np.float64)))
        # Counted from the reset: a period need not be whole physics steps.
        self._tick += 1
        robot.sleep_until(self._start_s + self._tick * PERIOD_S)
        state, self._truth = robot.read(), robot.truth()
        fell = state.imu.tilt_rad > spec.max_tilt_rad
        return self._observation(state, action), self._reward(before, self._truth), fell, False, _info(self._truth)

    def render(self) -> NDArray[np.uint8] | None:
        """The robot from its right front, (height, width, 3); None without a render mode."""
        if self.render_mode is None:
            return None
        width, height = _FRAME
        return self.robot.image(width=width, height=height)

    def close(self) -> None:
        self.robot.close()

    def _reward(self, before: Truth, after: Truth) -> float:
        progress_m = min(after.x_m - before.x_m, self._top_speed_m_s * PERIOD_S)
        drift_m = abs(after.y_m - self._start.y_m) - abs(before.y_m - self._start.y_m)
        work_j = after.energy_j - before.energy_j
        return progress_m - self._energy_weight_per_j * work_j - self._drift_weight * drift_m

    def _observation(self, state: RobotState, action: NDArray[Any]) -> Array:
        imu = state.imu
        body = (imu.roll_rad, imu.pitch_rad, *imu.angular_velocity_rad_s)
        joints = (state.positions_rad - self.robot.spec.stance_rad, state.velocities_rad_s)
        measured: Array = np.concatenate((body, *joints, action)).astype(np.float32)
        if not (finite := np.isfinite(measured)).all():
            raise RobotFault(f"{self.robot.spec.name}: {self._names[int(np.argmin(finite))]} is not finite")
        return measured.clip(-self._ends, self._ends)


def _info(truth: Truth) -> dict[str, Any]:
    return {"x_m": truth.x_m, "y_m": truth.y_m, "energy_j": truth.energy_j}
