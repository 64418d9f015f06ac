"""HOST:PORT as people give it."""

from __future__ import annotations

from robot_adapt.errors import UserError


def check_address(option: str, address: str) -> None:
    """Raises UserError naming the option when this is no HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UserError(f"{option} {address or chr(39) * 2}: should be HOST:PORT, like 127.0.0.1:50051")
