"""Weft: a distributed mail-thread index.  Servers merge partial reply graphs; none is authoritative."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weft.archive import Archive, rebuild
    from weft.client.aio import connect_async
    from weft.client.client import connect
    from weft.errors import WeftError
    from weft.index.index import Index
    from weft.model import Copy, Message, Thread

__version__ = "0.1.0"

_HOMES = {
    "Archive": "weft.archive",
    "Index": "weft.index.index",
    "connect": "weft.client.client",
    "connect_async": "weft.client.aio",
    "rebuild": "weft.archive",
    "Copy": "weft.model",
    "Message": "weft.model",
    "Thread": "weft.model",
    "WeftError": "weft.errors",
}

__all__ = [
    "Archive",
    "Copy",
    "Index",
    "Message",
    "Thread",
    "WeftError",
    "__version__",
    "connect",
    "connect_async",
    "rebuild",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has that name
    """Import what is asked for only then: start-up of the command line stays short."""
    if name not in _HOMES:
        raise AttributeError(f"module 'weft' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
