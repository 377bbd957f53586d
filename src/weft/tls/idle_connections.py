"""Idle connections: those of whoever has most of them are closed when a port has nearly as many as it takes.

Theory of operation
-------------------
A connection that has finished its handshake and asks for nothing costs whoever opens it next to nothing, and gRPC takes
no more connections than it was told: three thousand of them would keep everybody else out until they are idle for too
long.  So the connections of a port are looked at ten times a second.  When more than three quarters are taken, idle
ones are closed until half are left: again and again one of the client that has most, the oldest first.  A client with
few connections keeps them as long as others have more, and one with a call in flight is never closed.

gRPC does not say which connections it has, so they are found among the descriptors of the process, by the port; what is
closed is the socket (`socket.shutdown`), and gRPC sees that its other end has gone.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from weft.tls.client_address import RemoteEnd, client_network, parse_peer, remote_end

SECONDS = 0.1
"""Between two looks."""
_DESCRIPTORS = "/proc/self/fd"


class OpenConnection(NamedTuple):
    """A connection of a port."""

    descriptor: int
    end: RemoteEnd


class IdleConnections:
    """Watches over the connections of one port, which takes ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_use: Counter[str] = Counter()
        """Calls in flight by the connection that they came by, as gRPC names it."""
        self._seen: dict[RemoteEnd, None] = {}
        """The connections of the last look, the oldest first."""
        self._ended: set[RemoteEnd] = set()
        """Those that were closed, as long as gRPC has not let go of them."""
        self.closed = 0

    @contextmanager
    def in_use(self, peer: str) -> Iterator[None]:
        """A call is in flight; ``peer`` is what gRPC says of its connection."""
        self._in_use[peer] += 1
        try:
            yield
        finally:
            self._in_use[peer] -= 1
            if not self._in_use[peer]:
                del self._in_use[peer]

    async def run(self, port: int) -> None:
        """Look until cancelled; does nothing where descriptors cannot be listed."""
        while os.path.isdir(_DESCRIPTORS):  # noqa: PTH112 - it is no file on a disk
            await asyncio.sleep(SECONDS)
            if len(os.listdir(_DESCRIPTORS)) > _crowded(self._most):  # noqa: PTH208 - as above
                self._close_some(await asyncio.to_thread(lambda: [*connections_of(port)]))

    def _close_some(self, found: Collection[OpenConnection]) -> None:
        self._ended &= {one.end for one in found}
        here = {one.end: one for one in found if one.end not in self._ended}
        self._seen = dict.fromkeys(end for end in (*self._seen, *here) if end in here)
        if len(here) <= _crowded(self._most):
            return
        busy = set(map(parse_peer, self._in_use))
        idle = [end for end in self._seen if end not in busy]
        counts = Counter(client_network(end.address) for end in here)
        for chosen in to_close(idle, counts, len(here) - self._most // 2):
            if close(here[chosen]):
                self._ended.add(chosen)
                self.closed += 1


def _crowded(most: int) -> int:
    return most * 3 // 4


def to_close(idle: Iterable[RemoteEnd], counts: Mapping[str, int], number: int) -> list[RemoteEnd]:
    """Which connections to close, ``number`` at most, so that no client has more than another one if it can be helped.

    ``idle``: those that may be closed, the oldest first; ``counts``: how many each client has, busy ones among them.
    """
    closable: defaultdict[str, deque[RemoteEnd]] = defaultdict(deque)
    for end in idle:
        closable[client_network(end.address)].append(end)
    heap = [(-counts[client], client) for client in closable]
    heapify(heap)
    found: list[RemoteEnd] = []
    while heap and len(found) < number:
        count, client = heap[0]
        found.append(closable[client].popleft())
        if closable[client]:
            heapreplace(heap, (count + 1, client))
        else:
            heappop(heap)
    return found


def connections_of(port: int) -> Iterator[OpenConnection]:
    """The connections that this process has accepted at a port of its own."""
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - there may be thousands
        with suppress(OSError, ValueError):
            descriptor = int(name)
            if not _is_socket(descriptor):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as copy:
                if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getsockname()[1] == port:
                    yield OpenConnection(descriptor, remote_end(*copy.getpeername()[:2]))


def _is_socket(descriptor: int) -> bool:
    return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")  # noqa: PTH115 - as above


def close(connection: OpenConnection) -> bool:
    """End a connection, if the descriptor still stands for it; whether it was ended."""
    try:
        with socket.socket(fileno=os.dup(connection.descriptor)) as copy:
            if remote_end(*copy.getpeername()[:2]) != connection.end:
                return False
            copy.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError):
        return False
    return True
