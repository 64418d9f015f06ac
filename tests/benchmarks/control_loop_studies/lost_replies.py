"""Claim `lost`: what one lost or damaged reply costs, and that a loop in which many are lost goes on."""

from __future__ import annotations

from robot_adapt.adapt.resetter import make_ready
from robot_adapt.policy.linear import Controller
from robot_adapt.rollout import rollout
from robot_adapt.trial import Status
from tests.benchmarks.control_loop_studies.bench import (
    PERCENTS,
    PERIOD_S,
    NoReturn,
    Tick,
    armed,
    devices,
    percentile,
    policy_at,
    rounded,
    timed,
    twelve_dynamixels,
)


def lost(times: int) -> dict[str, object]:
    """Claim `lost`."""
    claims: dict[str, object] = {}
    with devices(twelve_dynamixels(), byte_time=True) as (config, tell), armed(config) as wired:
        robot, controller = wired.supervisor, Controller(policy_at(PERIOD_S), wired.supervisor.spec)
        tick = Tick(wired, controller)
        healthy_s = percentile(timed(tick, 200), 50)
        for fault, words in (("drop", "lost"), ("corrupt_byte", "damaged")):
            cost_s = []
            for _ in range(times):
                tell(f"{fault} 1.0")
                taken = timed(tick, 1)
                tell(f"{fault} 0.0")
                taken += timed(tick, 3)  # a fast read that failed is made up for by a plain one
                cost_s.append(max(taken) - healthy_s)
                timed(tick, 5)
            claims[f"one {words} reply"] = {
                "claim": "costs at most 5 ms, 19 times out of 20",
                "holds": percentile(cost_s, 95) <= 0.005,
                **{f"{name}_ms": rounded(1e3 * percentile(cost_s, at)) for name, at in PERCENTS.items()},
                "healthy_tick_ms": rounded(1e3 * healthy_s),
                "times": times,
            }
        for fault, share in (("drop", 0.05), ("corrupt_byte", 0.0005)):
            make_ready(robot)
            before = wired.log.counts.copy()
            tell(f"{fault} {share}")
            trial = rollout(robot, wired.clock, policy_at(PERIOD_S), NoReturn(), 3.0)
            tell(f"{fault} 0.0")
            claims[f"a trial with {fault} {share}"] = {
                "claim": "goes on to its end",
                "holds": trial.status is Status.COMPLETED,
                "status": f"{trial.status.value} {trial.reason}".strip(),
                "missed_ticks": trial.missed_ticks,
                "events": dict(wired.log.counts - before),
            }
    return claims
