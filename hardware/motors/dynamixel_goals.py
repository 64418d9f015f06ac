"""Goals: what the motors of a bus are told, in their units. Each tick by sync writes, which nobody answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.motors import dynamixel_models as registers
from hardware.motors.dynamixel_config import DynamixelConfig
from hardware.motors.dynamixel_health import HealthBlock
from hardware.motors.dynamixel_link import DynamixelLink
from hardware.motors.dynamixel_setup import MotorLimits
from hardware.motors.dynamixel_units import COUNTS_A_RAD, FULL_PWM, MAX_GAIN, ZERO_COUNT, Units
from hardware.types import FloatArray, JointCommand, RobotFault

Counts = NDArray[np.int64]
_GAINS = np.dtype([("id", "u1"), ("d", "<u2"), ("i", "<u2"), ("p", "<u2")])
_GOAL_2 = np.dtype([("id", "u1"), ("goal", "<i2")])
_GOAL_4 = np.dtype([("id", "u1"), ("goal", "<i4")])
_GOAL_ATTEMPTS = 5
_SENDINGS = 3  # of gains and current limits, which change seldom
_DAMPING_SHARE = 0.1  # of the stall torque


class Goals:
    """One mode's way of telling goals. Raises RobotFault when the cable was pulled out.

    Attributes:
        is_damped: since `damp` nothing was sent.

    """

    def __init__(
        self, link: DynamixelLink, config: DynamixelConfig, units: Sequence[Units], limits: Sequence[MotorLimits]
    ) -> None:
        motors = config.motors
        self._link = link
        self._mode = config.mode
        self._ids = np.array([motor.device_id for motor in motors])
        self._zeros = np.zeros(len(motors))
        self._stall_nm = np.array([unit.stall_nm for unit in units])
        self._kp_nm_per_rad = np.array([unit.kp_nm_per_rad for unit in units])
        self._kd_nm_s_per_rad = np.array([unit.kd_nm_s_per_rad for unit in units])
        self._lower = np.array([limit.lower for limit in limits])
        self._upper = np.array([limit.upper for limit in limits])
        most_nm = np.array([np.inf if motor.torque_limit_nm is None else motor.torque_limit_nm for motor in motors])
        effort_nm = np.array([unit.effort_nm for unit in units])
        self._currents: Counts = np.minimum(most_nm / effort_nm, [limit.current for limit in limits]).astype(np.int64)
        self._few: Counts = np.minimum(_DAMPING_SHARE * self._stall_nm / effort_nm, self._currents).astype(np.int64)
        self._most_duty = np.floor(np.minimum(most_nm / self._stall_nm * FULL_PWM, [limit.pwm for limit in limits]))
        kp, kd = ([getattr(motor, gain) for motor in motors] for gain in ("kp_nm_per_rad", "kd_nm_s_per_rad"))
        self._p = self._held_p = self._gain(np.array(kp), self._kp_nm_per_rad)
        self._d = self._held_d = self._gain(np.array(kd), self._kd_nm_s_per_rad)
        self._current = self._currents
        self._asked = b""  # the gains of the last command; none after `hold` and `damp`
        self._sendings = 0
        self.is_damped = False

    def send(self, command: JointCommand, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> JointCommand:
        """Returns what the motors were told: quantized, and without what the mode cannot do.

        Raises RobotFault for a motor that was damped and does not take its goal: it is not made stiff.
        """
        if self._mode == "pwm":
            self.is_damped = False
            return self._send_duty(command, positions_rad, velocities_rad_s)
        counts = np.rint(command.positions_rad * COUNTS_A_RAD).astype(np.int64) + ZERO_COUNT
        counts = np.minimum(np.maximum(counts, self._lower), self._upper)
        address, rows = self._goal(counts)
        if self.is_damped:  # a motor that keeps its old goal would be driven there as soon as it is stiff
            self._expect_goal(self._confirm([(address, rows)], _GOAL_ATTEMPTS))
            self.is_damped = False
        else:
            self._write(address, rows)
        asked = command.kp_nm_per_rad.tobytes() + command.kd_nm_s_per_rad.tobytes()
        if asked != self._asked:
            self._asked = asked
            self._p = self._gain(command.kp_nm_per_rad, self._kp_nm_per_rad)
            self._d = self._gain(command.kd_nm_s_per_rad, self._kd_nm_s_per_rad)
            self._current = self._currents
            self._sendings = _SENDINGS
        if self._sendings:
            self._sendings -= 1
            for address, rows in self._slow():
                self._write(address, rows)
        kp, kd = self._p * self._kp_nm_per_rad, self._d * self._kd_nm_s_per_rad
        return JointCommand((counts - ZERO_COUNT) / COUNTS_A_RAD, self._zeros, self._zeros, kp, kd)

    def hold(self, counts: Counts, attempts: int) -> set[int]:
        """Stand here, with the gains of the config; read back. Returns the ids of motors that may not have heard."""
        self._p, self._d, self._current = self._held_p, self._held_d, self._currents
        self.is_damped = False
        return self._confirm([self._goal(counts), *self._slow()], attempts)

    def damp(self, counts: Counts, attempts: int) -> set[int]:
        """See DynamixelBus.damp; like `hold`."""
        self.is_damped = True
        if self._mode == "position":
            self._p, self._d = np.zeros_like(counts), self._held_d
        self._current = self._few
        goal = self._goal(np.minimum(np.maximum(counts, self._lower), self._upper))
        return self._confirm([*self._slow(), *([goal] if self._mode != "position" else [])], attempts)

    def missed(self, motor: int, block: HealthBlock) -> bool:
        """Whether a motor has other gains or another current limit than it was sent; then all are sent again."""
        if self._mode == "pwm" or self._sendings:
            return False
        missed = (block[registers.POSITION_D_GAIN], block[registers.POSITION_P_GAIN]) != (self._d[motor], self._p[motor])
        if self._mode == "current_position":
            missed |= block[registers.GOAL_CURRENT] != self._current[motor]
        if missed:
            self._sendings = _SENDINGS
        return missed

    def _send_duty(self, command: JointCommand, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> JointCommand:
        q, dq, tau, kp, kd = command.rows
        torques_nm = kp * (q - positions_rad) + kd * (dq - velocities_rad_s) + tau
        duty = np.clip(np.rint(torques_nm / self._stall_nm * FULL_PWM), -self._most_duty, self._most_duty)
        self._write(registers.GOAL_PWM.address, self._rows(_GOAL_2, goal=duty))
        return command

    def _expect_goal(self, deaf: set[int]) -> None:
        if deaf:
            names = ", ".join(f"Dynamixel {device_id}" for device_id in sorted(deaf))
            raise RobotFault(f"{self._link.path}: {names} did not take a goal, and was left damped")

    def _goal(self, counts: Counts) -> tuple[int, NDArray[np.void]]:
        if self._mode == "pwm":
            return registers.GOAL_PWM.address, self._rows(_GOAL_2, goal=self._zeros)
        return registers.GOAL_POSITION.address, self._rows(_GOAL_4, goal=counts)

    def _slow(self) -> list[tuple[int, NDArray[np.void]]]:
        """What changes seldom."""
        if self._mode == "pwm":
            return []
        slow = [(registers.POSITION_D_GAIN.address, self._rows(_GAINS, d=self._d, i=self._zeros, p=self._p))]
        if self._mode == "current_position":
            slow.append((registers.GOAL_CURRENT.address, self._rows(_GOAL_2, goal=self._current)))
        return slow

    def _rows(self, dtype: np.dtype[np.void], **columns: NDArray[np.generic]) -> NDArray[np.void]:
        rows = np.empty(len(self._ids), dtype)
        rows["id"] = self._ids
        for name, column in columns.items():
            rows[name] = column
        return rows

    def _write(self, address: int, rows: NDArray[np.void]) -> None:
        self._link.sync_write(address, rows.dtype.itemsize - 1, rows.tobytes())

    def _confirm(self, writes: list[tuple[int, NDArray[np.void]]], attempts: int) -> set[int]:
        self._asked, self._sendings = b"", 0
        return set().union(
            *(self._link.confirm(address, rows.dtype.itemsize - 1, rows.tobytes(), attempts) for address, rows in writes)
        )

    @staticmethod
    def _gain(gain: FloatArray, unit: FloatArray) -> Counts:
        registered: Counts = np.minimum(np.maximum(np.rint(gain / unit), 0), MAX_GAIN).astype(np.int64)
        return registered
