"""The emulated servos, by the maker's unmodified library over a pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from hardware.emulators.emulator import Emulator
from hardware.emulators.line import Line
from hardware.emulators.moteus import MoteusChain
from hardware.emulators.moteus_servo import STOPPED
from tests.hardware.moteus_rig import MOTORS, STANCE_RAD, plant

if TYPE_CHECKING:
    import moteus
else:
    moteus = pytest.importorskip("moteus")

Use = Callable[[dict[int, "moteus.Controller"]], Awaitable[None]]


def by_the_makers_library(use: Use) -> None:
    """Runs with the library's own transport, as it opens any UART."""
    emulator = Emulator(MoteusChain(plant(), MOTORS), Line(None))

    async def run() -> None:
        async with _transport(emulator.path) as transport:
            await use({m.device_id: moteus.Controller(m.device_id, transport=transport) for m in MOTORS})

    try:
        asyncio.run(run())
    finally:
        emulator.close()


@contextlib.asynccontextmanager
async def _transport(path: str) -> AsyncIterator[moteus.Transport]:
    transport = moteus.Fdcanusb(path)
    yield transport
    transport.close()
    await asyncio.sleep(0)  # its reader ends


def test_the_makers_library_queries_and_commands_it() -> None:
    async def use(servos: dict[int, moteus.Controller]) -> None:
        for k, servo in enumerate(servos.values()):
            values = (await servo.query()).values
            assert values[moteus.Register.MODE] == STOPPED
            expected_rev = STANCE_RAD[k] * MOTORS[k].gear_ratio / math.tau
            assert values[moteus.Register.POSITION] == pytest.approx(expected_rev, abs=1e-5)
            assert values[moteus.Register.VOLTAGE] == 16.0
            assert values[moteus.Register.FAULT] == 0
        start = STANCE_RAD[0] / math.tau
        for _ in range(200):
            result = await servos[1].set_position(position=start + 0.05, watchdog_timeout=math.nan, query=True)
            if abs(result.values[moteus.Register.POSITION] - start - 0.05) < 1e-3:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("it did not follow")
        assert result.values[moteus.Register.MODE] == moteus.Mode.POSITION
        await servos[1].set_stop()
        assert (await servos[1].query()).values[moteus.Register.MODE] == moteus.Mode.STOPPED

    by_the_makers_library(use)


def test_the_makers_library_cycles_all_servos_at_once_and_reads_identities() -> None:
    async def use(servos: dict[int, moteus.Controller]) -> None:
        transport = next(iter(servos.values())).transport
        results = await transport.cycle([servo.make_query() for servo in servos.values()])
        assert sorted(result.id for result in results) == [1, 7, 126]
        result = await servos[7].custom_query({moteus.Register.FIRMWARE_VERSION: moteus.INT32, 0x102: moteus.INT32})
        assert result.values == {0x101: 0x010100, 0x102: 5}

    by_the_makers_library(use)


def test_the_makers_console_stream_tells_the_configuration() -> None:
    async def use(servos: dict[int, moteus.Controller]) -> None:
        stream = moteus.Stream(servos[7], use_flow_control=False)  # it would ask a UART and choke on the empty answer
        await stream.write_message(b"conf get servo.pid_position.kp")
        assert float(await stream.readline()) == 200.0
        await stream.write_message(b"conf get servo.nothing")
        with pytest.raises(moteus.CommandError):
            await stream.read_until_OK()

    by_the_makers_library(use)
