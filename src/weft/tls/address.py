"""Addresses: ``HOST:PORT``, and which of them only this machine reaches."""

from __future__ import annotations

from ipaddress import ip_address

from weft.errors import UsageError

DEFAULT_ADDRESS = "127.0.0.1:7430"


def split_address(address: str) -> tuple[str, int]:
    """(host, port) of ``HOST:PORT``; `UsageError` if it is none.  ``localhost`` is 127.0.0.1, whatever else it is."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535 or set(host) & set("/%[] "):
        raise UsageError(f"{address!r} is no address; give HOST:PORT, such as {DEFAULT_ADDRESS}")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def join_address(host: str, port: int) -> str:
    """The opposite, with brackets where they are needed."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this machine reaches; a name is none, whatever it resolves to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
