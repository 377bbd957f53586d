"""Servers of one process, so that their clocks and stores can be interfered with: live sessions, and slow questions."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from tests.cli.command_runner import mail
from tests.cli.server_home import Home
from tests.peering.peer_harness import STORY, admit, count, fingerprint
from weft.core.signing import parse_fingerprint
from weft.errors import ChangedPolicyError, RemoteProtocolError, StoreError, UnreachableError
from weft.exchange.events import Answer, Request, Scan, SessionReport
from weft.exchange.riblt.sketch import encode_range
from weft.exchange.store_backend import StoreBackend
from weft.index.index import Index
from weft.peering import dialer
from weft.peering.dialer import FIRST, INTERVAL, MOST, STEADY, Backoff
from weft.peering.driver import SessionDriver
from weft.peering.index_backend import BackendThreads
from weft.peering.listener import ExchangeServer
from weft.peering.registry import Outcome, Role, SessionRegistry
from weft.policy.feed_ranges import admitted
from weft.policy.rules import Policy

ADDRESS = "127.0.0.1:0"


class Counting:
    """A `Meter`."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[Role, Outcome]] = Counter()
        self.running = self.most = 0

    def began(self, peer: str, role: Role) -> None:
        self.running += 1
        self.most = max(self.most, self.running)

    def moved(self, peer: str, before: SessionReport, after: SessionReport) -> None:
        pass

    def ended(self, peer: str, role: Role) -> None:
        self.running -= 1

    def came_to(self, peer: str, role: Role, outcome: Outcome) -> None:
        self.outcomes[role, outcome] += 1


def policy(home: Home) -> Policy:
    with Index.open(home.index, policy=home.config) as index:
        return index.policy


def key(home: Home) -> bytes:
    return parse_fingerprint(fingerprint(home))


def with_address(held: Policy, peer: Home, address: str) -> Policy:
    return replace(held, peers={key(peer): replace(held.peers[key(peer)], address=address)})


@asynccontextmanager
async def serving(home: Home) -> AsyncIterator[tuple[ExchangeServer, str, Counting]]:
    meter = Counting()
    server = ExchangeServer(home.index, policy(home), meter=meter)
    try:
        yield server, await server.start(ADDRESS), meter
    finally:
        await server.stop(2)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def test_what_a_live_session_misses_the_next_one_finds(near: Home, far: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(far, near)
    admit(near, far)
    monkeypatch.setattr(dialer, "INTERVAL", 0.4)
    monkeypatch.setattr(SessionRegistry, "committed", lambda _: None)

    async def run() -> None:
        async with serving(far) as (_, address, answering), serving(near) as (caller, _, calling):
            await caller.use(with_address(policy(near), far, address))
            await until(lambda: count(near) == count(far) == 2 * STORY)
            path = near.path / "more.mbox"
            path.write_bytes(mail("more@example.org"))
            with Index.open(near.index, policy=near.config) as index:
                index.ingest("drafts", path)
            await until(lambda: count(far) == 2 * STORY + 1)
            await until(lambda: calling.outcomes["caller", "well"] >= 3)
            assert calling.most == 1
            assert answering.most <= 2, "the one before may still be ending"
            assert calling.outcomes.keys() == {("caller", "well")}
            assert answering.outcomes.keys() == {("answerer", "well")}

    asyncio.run(run())


def test_of_two_that_call_each_other_at_the_same_moment_one_stays(near: Home, far: Home) -> None:
    admit(far, near)
    admit(near, far)

    async def run() -> None:
        async with serving(far) as (one, one_at, first), serving(near) as (other, other_at, second):
            await asyncio.gather(
                one.use(with_address(policy(far), near, other_at)), other.use(with_address(policy(near), far, one_at))
            )
            await until(lambda: first.outcomes.total() + second.outcomes.total() >= 2)
            await asyncio.sleep(0.5)
            assert (first.running, second.running) == (1, 1)
            outcomes = first.outcomes + second.outcomes
            assert outcomes == {("caller", "well"): 1, ("answerer", "well"): 1}
            greater = first if key(far) > key(near) else second
            assert greater.outcomes["caller", "well"] == 1, "it ended its own"

    asyncio.run(run())
    assert count(near) == count(far) == 2 * STORY


def ended(*, synced: float | None = None, lived: bool = False, closed: bool = False) -> SessionDriver:
    since = None if synced is None else time.monotonic() - synced
    return cast(SessionDriver, SimpleNamespace(synced=since, lived=lived, closed=closed))


def test_pauses_grow_with_failures_and_begin_anew_after_a_success() -> None:
    pauses, gone = Backoff(), UnreachableError("gone")
    for times in (1, 2, 4, 8):
        assert 0.8 * FIRST * times <= pauses.after(ended(), gone) <= 1.2 * FIRST * times
    for _ in range(60):
        longest = pauses.after(ended(), gone)
    assert longest <= 1.2 * INTERVAL
    assert pauses.after(ended(), RemoteProtocolError("its fault")) > 0.8 * MOST
    assert pauses.after(ended(), ValueError("a defect")) > 0.8 * MOST
    assert pauses.after(ended(synced=STEADY + 1, lived=True), gone) <= 1.2 * FIRST
    assert pauses.after(ended(synced=1, lived=True), gone) >= 0.8 * FIRST * 2
    assert 0.8 * INTERVAL <= pauses.after(ended(synced=0), None) <= 1.2 * INTERVAL, "it does not stay"
    assert pauses.after(ended(), gone) <= 1.2 * FIRST
    assert pauses.after(ended(), ChangedPolicyError("the policy changed")) == 0
    assert pauses.after(ended(synced=INTERVAL, lived=True, closed=True), None) == 0


def test_a_peer_that_ends_each_live_session_at_once_is_not_called_without_end() -> None:
    pauses = Backoff()
    waited = [pauses.after(ended(synced=0.1, lived=True), None) for _ in range(8)]
    assert all(seconds >= 0.8 * min(FIRST * 2**times, INTERVAL) for times, seconds in enumerate(waited))


def scan(held: Policy, peer: bytes) -> Scan:
    return Scan(admitted(held, peer), bytes(32), 7, 9, STORY)


def test_a_slow_question_does_not_hold_up_other_sessions(
    near: Home, far: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(near, far)
    held = policy(near)
    question = scan(held, key(far))
    begun, go_on = threading.Event(), threading.Event()
    answer = StoreBackend.answer

    def slowly(backend: StoreBackend, request: Request) -> Answer:
        if isinstance(request, Scan):
            begun.set()
            assert go_on.wait(20)
        return answer(backend, request)

    async def run() -> None:
        backend_threads = BackendThreads(near.index, held)
        scanning = asyncio.create_task(backend_threads.scan(question))
        await asyncio.to_thread(begun.wait, 20)
        assert await backend_threads.run(lambda backend: backend.position()) == STORY
        assert not scanning.done()
        go_on.set()
        with Index.open(near.index, policy=near.config) as index:
            elements = [claim.identity[:16] for claim in index.store.log()]
        assert await scanning == encode_range(bytes(32), elements, 7, 9)
        await backend_threads.close()

    monkeypatch.setattr(StoreBackend, "answer", slowly)
    asyncio.run(run())


def test_a_slow_question_ends_with_the_server(near: Home, far: Home) -> None:
    admit(near, far)
    held = policy(near)

    async def run() -> None:
        backend_threads = BackendThreads(near.index, held)
        backend_threads._closing.set()  # as if it were asked just now

        async def ask() -> None:
            for _ in range(1000):  # it is looked at after some thousand instructions
                await backend_threads.scan(scan(held, key(far)))

        with pytest.raises(StoreError):
            await ask()
        await backend_threads.close()

    asyncio.run(run())
