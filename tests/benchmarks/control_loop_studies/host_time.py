"""Claim `host`: our tick against the same bytes through the bare SDK, byte time switched off."""

from __future__ import annotations

import statistics

from dynamixel_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

from hardware.motors.dynamixel_models import GOAL_POSITION, PRESENT_POSITION
from hardware.motors.dynamixel_present import PRESENT_BYTES, PRESENT_FROM
from robot_adapt.policy.linear import Controller
from tests.benchmarks.control_loop_studies.bench import (
    IDS,
    PERIOD_S,
    Tick,
    armed,
    devices,
    percentile,
    policy_at,
    rounded,
    timed,
    twelve_dynamixels,
)


class BareSdk:
    """What the SDK's own classes take for the same bytes: its port handler, one group read, one group write."""

    def __init__(self, path: str, baud: int, fast: bool) -> None:
        self.failures = 0
        self._port, packets = PortHandler(path), PacketHandler(2.0)
        self._port.setBaudRate(baud)
        self._read = GroupSyncRead(self._port, packets, PRESENT_FROM, PRESENT_BYTES)
        self._write = GroupSyncWrite(self._port, packets, GOAL_POSITION.address, GOAL_POSITION.size)
        self._exchange = self._read.fastSyncRead if fast else self._read.txRxPacket
        for motor in IDS:
            self._read.addParam(motor)

    def tick(self) -> None:
        """Each motor is told to go where it is."""
        if self._exchange() != COMM_SUCCESS:
            self.failures += 1  # no answer within its 34 ms: on a busy machine
            return
        for motor in IDS:
            goal = self._read.getData(motor, PRESENT_POSITION.address, PRESENT_POSITION.size)
            self._write.addParam(motor, list(goal.to_bytes(GOAL_POSITION.size, "little")))
        self._write.txPacket()
        self._write.clearParam()

    def close(self) -> None:
        self._port.closePort()


def host(rounds: int, ticks: int) -> dict[str, object]:
    """Claim `host`."""
    claims: dict[str, object] = {}
    for fast in (True, False):
        ours, bare, ratios = [], [], []
        # As patient as the SDK, so that a busy machine makes nobody faster by giving up.
        described = twelve_dynamixels(fast, reply_timeout_s=0.034, silent_s=5.0)
        with devices(described, byte_time=False) as (config, _), armed(config) as wired:
            tick = Tick(wired, Controller(policy_at(PERIOD_S), wired.supervisor.spec))
            sdk = BareSdk(config.motors.port, config.motors.baud, fast)
            timed(tick, 50)
            for _ in range(rounds):
                one, other = timed(tick, ticks), timed(sdk.tick, ticks)
                ours.append((percentile(one, 50), percentile(one, 99)))
                bare.append((percentile(other, 50), percentile(other, 99)))
                ratios.append(tuple(a / b for a, b in zip(ours[-1], bare[-1], strict=True)))
            sdk.close()
        for at, (name, limit) in enumerate((("median", 2.0), ("p99", 3.0))):
            ratio = statistics.median(pair[at] for pair in ratios)
            claims[f"{'fast' if fast else 'plain'} sync read, {name}"] = {
                "claim": f"at most {limit} times the bare SDK",
                "holds": ratio <= limit,
                "ratio": rounded(ratio),
                "rounds": [rounded(pair[at]) for pair in ratios],
                "ours_ms": rounded(1e3 * statistics.median(pair[at] for pair in ours)),
                "sdk_ms": rounded(1e3 * statistics.median(pair[at] for pair in bare)),
                "failures": {"ours": sum(wired.log.counts[why] for why in ("reply lost", "bad packet")), "sdk": sdk.failures},
            }
    return claims
