"""Which connections are closed when there are many, and that they are."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.tls.client_address import RemoteEnd, client_network, remote_end
from weft.tls.idle_connections import SECONDS, IdleConnections, OpenConnection, close, connections_of, to_close

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it looks at descriptors in /proc")

clients = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=60)


@given(clients, st.integers(0, 70))
def test_idle_ones_of_who_has_most_are_closed_the_oldest_first(made: list[tuple[int, bool]], number: int) -> None:
    ends = [RemoteEnd(IPv4Address(client), port) for port, (client, _) in enumerate(made)]
    idle = [end for end, (_, busy) in zip(ends, made, strict=True) if not busy]
    before = Counter(client_network(end.address) for end in ends)
    closed = to_close(idle, before, number)
    assert len(closed) == min(number, len(idle))
    assert len(set(closed)) == len(closed)
    assert set(closed) <= set(idle)
    for client in before:
        own = [end for end in idle if client_network(end.address) == client]
        chosen = [end for end in own if end in set(closed)]
        assert chosen == own[: len(chosen)], "the oldest first"
    after = before - Counter(client_network(end.address) for end in closed)
    left = Counter(client_network(end.address) for end in idle if end not in set(closed))
    touched = {client_network(end.address) for end in closed}
    for client in touched:
        for other in left:
            assert after[client] + 1 >= after[other], "who has more idle ones is closed before"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_connections_are_found_by_the_port_and_closed(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as far, listener.accept()[0] as near:
        [found] = connections_of(port)
        assert found == OpenConnection(near.fileno(), remote_end(*far.getsockname()))
        assert not close(found._replace(end=found.end._replace(port=1))), "it stands for another one by now"
        assert close(found)
        assert far.recv(1) == b""


def test_a_connection_with_a_call_in_flight_is_never_closed_and_few_are_left_alone(listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    async def look(count: int) -> tuple[IdleConnections, list[bool]]:
        watched = IdleConnections(8)
        with ExitStack() as stack:
            far = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
            near = [stack.enter_context(listener.accept()[0]) for _ in far]
            stack.enter_context(watched.in_use(f"ipv4:127.0.0.1:{far[0].getsockname()[1]}"))
            task = asyncio.create_task(watched.run(port))
            until = monotonic() + 30
            while count == 8 and watched.closed < 4 and monotonic() < until:
                await asyncio.sleep(0.05)
            await asyncio.sleep(3 * SECONDS)  # it does no more, or nothing at all
            task.cancel()
            return watched, [_is_open(one) for one in far[: len(near)]]

    watched, alive = asyncio.run(look(8))
    assert alive == [True, *[False] * 4, *[True] * 3], "half are left, the oldest idle ones are closed"
    assert watched.closed == 4
    assert all(asyncio.run(look(6))[1])


def _is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
