"""Closing a port under gRPC, so that who calls at the last moment learns that the server is not there any more.

gRPC ends the calls that have reached it and were given to nobody yet, when a server stops, with CANCELLED, which says
that the caller itself has ended them.  So the sockets are closed first: the one that listens, and then the connections.
What was written before still arrives, and what is not answered ends with UNAVAILABLE at the client.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

from weft.tls.address import socket_path, split_address

_DESCRIPTORS = "/proc/self/fd"


def close_port(address: str) -> None:
    """Close what this process has at an address of its own, ``HOST:PORT`` or ``unix:PATH``.

    Does nothing where descriptors cannot be listed; gRPC closes them then.
    """
    path = socket_path(address)
    place = str(path) if path is not None else split_address(address)[1]
    if not os.path.isdir(_DESCRIPTORS):  # noqa: PTH112 - it is no file on a disk
        return
    for listens in (True, False):
        for found in _sockets(place):
            with found, suppress(OSError):
                if bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) is listens:
                    found.shutdown(socket.SHUT_RDWR)


def _sockets(place: str | int) -> Iterator[socket.socket]:
    """Copies of the sockets of this process whose own end is a port, or a path."""
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - there may be thousands
        with suppress(OSError, ValueError):
            if not os.readlink(f"{_DESCRIPTORS}/{name}").startswith("socket:"):  # noqa: PTH115 - as above
                continue
            copy = socket.socket(fileno=os.dup(int(name)))
            if copy.type == socket.SOCK_STREAM and _place(copy.getsockname()) == place:
                yield copy
            else:
                copy.close()


def _place(own: object) -> object:
    """The path or the port of an address as the system has it."""
    return own[1] if isinstance(own, tuple) and len(own) > 1 else own
