"""`robot-adapt aggregate`: serves a trials database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def aggregate(
    database: Annotated[Path, typer.Option(help="SQLite file; made when it is not there.")] = Path("trials.sqlite"),
    listen: Annotated[str, typer.Option(help="HOST:PORT; the default answers this machine only.")] = "127.0.0.1:50051",
) -> None:
    """Take trials from robots over gRPC and commit each to SQLite before acknowledging it. Ends on Ctrl-C."""
    import asyncio
    import signal

    from robot_adapt.aggregator.server import serve
    from robot_adapt.cli.address import check_address

    check_address("--listen", listen)

    async def main() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await serve(database, listen, lambda bound: typer.echo(f"aggregator on {bound}, trials in {database}"), stop)

    asyncio.run(main())
    raise KeyboardInterrupt(f"; {database} is complete")
