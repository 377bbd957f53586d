"""Addresses: ``HOST:PORT`` or ``unix:PATH``, and which of them only this machine reaches."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

from weft.errors import UsageError

DEFAULT_ADDRESS = "127.0.0.1:7430"


UNIX = "unix:"
_LONGEST_PATH = 107
"""Bytes that Linux has for the path of a socket."""


def socket_path(address: str) -> Path | None:
    """The absolute path of ``unix:PATH``; None for any other address.  `UsageError` if no socket can be there."""
    if not address.startswith(UNIX):
        return None
    name = address.removeprefix(UNIX)
    path = Path(os.path.abspath(name))  # noqa: PTH100 - links stay as the user gave them
    if not name or "\0" in name or len(os.fsencode(path)) > _LONGEST_PATH:
        raise UsageError(f"{address!r}: a socket is named by a path of at most {_LONGEST_PATH} bytes")
    return path


def split_address(address: str) -> tuple[str, int]:
    """(host, port) of ``HOST:PORT``; `UsageError` if it is none.  ``localhost`` is 127.0.0.1, whatever else it is."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535 or set(host) & set("/%[] "):
        raise UsageError(f"{address!r} is not an address; give HOST:PORT, such as {DEFAULT_ADDRESS}")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def join_address(host: str, port: int) -> str:
    """The opposite, with brackets where they are needed."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_local(address: str) -> bool:
    """Whether only this machine reaches an address: a unix socket, or one on loopback.  `UsageError` if it is none."""
    return socket_path(address) is not None or is_loopback(split_address(address)[0])


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this machine reaches; a name is none, whatever it resolves to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
