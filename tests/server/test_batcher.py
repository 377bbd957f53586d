"""Requests that wait together are answered with one visit, and nothing of one of them is that of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from tests.store.factories import Origin, mail
from weft.errors import LateError, NotFoundError, OverloadedError, StoreError
from weft.index.index import Index
from weft.index.view import View
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.server import batcher, reader_pool, thread_pages
from weft.server.batcher import Batcher
from weft.server.client_limits import ClientLedger, ClientLimits
from weft.server.limited_client import CLIENT, LimitedClient
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.v1 import threads_pb2 as wire

T = TypeVar("T")
COPIES = 600
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Policy]:
    """An index with ten threads, m0 to m9, and a message with `COPIES` copies."""
    path, near = tmp_path_factory.mktemp("visits") / "index.db", Origin("near")
    parts = [near.batch("l", *(mail(f"m{number}") for number in range(10)))]
    parts += [near.batch(f"l{number}", mail("many")) for number in range(COPIES)]
    with Index.open(path, policy=Policy(origins={near.public: Row(1, None)})) as index:
        policy = replace(index.policy, own=index.origin)
        index.set_policy(policy)
        index.admit(parts)
    return path, policy


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each visit was given."""
    found: list[int] = []
    given = batcher._answers

    def counting(reading: IndexReader, asked: Sequence[batcher._Asked]) -> list[bytes | Exception]:
        found.append(len(asked))
        return given(reading, asked)

    monkeypatch.setattr(batcher, "_answers", counting)
    return found


def request(name: str) -> bytes:
    return wire.GetThreadRequest(message_id=name.encode()).SerializeToString()


def run(made: tuple[Path, Policy], work: Callable[[Batcher, ReaderPool], Awaitable[T]]) -> T:
    """Do something with visits to a pool of one thread."""

    async def inside() -> T:
        pool = ReaderPool(*made, 1, "test")
        try:
            return await work(Batcher(pool), pool)
        finally:
            pool.close()

    return asyncio.run(inside())


async def asked(some: Batcher, *names: str, seconds: float = 30) -> list[bytes | BaseException]:
    """What becomes of requests that come at once."""
    return await asyncio.gather(*(some.answer(request(name), seconds) for name in names), return_exceptions=True)


def test_requests_that_come_at_once_are_answered_with_one_visit_each_with_its_own_answer(
    made: tuple[Path, Policy], sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "_SECONDS", 30)
    names = ["m3", "nobody", "m1", "many", "m3"]
    found = run(made, lambda some, _: asked(some, *names))
    assert sizes == [len(names)]
    assert isinstance(found[1], NotFoundError)
    assert isinstance(found[3], thread_pages.LargeError), "a message with many copies is read where nobody waits"
    reading = IndexReader(*made)
    assert [found[0], found[2], found[4]] == [
        thread_pages.get_large_thread(reading, request(names[at])) for at in (0, 2, 4)
    ]
    reading.close()


def test_a_visit_that_takes_long_ends_and_the_others_are_answered_by_the_next(
    made: tuple[Path, Policy], sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "_SECONDS", -1)
    found = run(made, lambda some, _: asked(some, "m1", "m2", "m3"))
    assert sizes == [3, 2, 1]
    given = [wire.GetThreadResponse.FromString(one) for one in found if isinstance(one, bytes)]
    assert [one.messages[0].message_id for one in given] == [b"m1", b"m2", b"m3"]


def test_a_request_that_takes_too_long_or_whose_caller_goes_is_interrupted_and_the_others_are_answered(
    made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(reading: IndexReader, data: bytes) -> bytes:
        if data == request("m7"):
            reading.view.connection.execute(LONG).fetchall()
        return thread_pages.get_thread(reading, data)

    monkeypatch.setattr(batcher, "get_thread", slow)

    async def work(some: Batcher, _: ReaderPool) -> None:
        late, right = await asyncio.gather(
            some.answer(request("m7"), 0.1), some.answer(request("m1"), 30), return_exceptions=True
        )
        assert isinstance(late, LateError)
        assert isinstance(right, bytes)
        gone = asyncio.create_task(some.answer(request("m7"), 60))
        await asyncio.sleep(0.1)
        gone.cancel()
        assert await asyncio.wait_for(some.answer(request("m1"), 30), 10)
        assert gone.cancelled()

    run(made, work)


def test_more_requests_than_may_wait_are_refused(made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_pool, "MAX_WAITING", 2)
    found = run(made, lambda some, _: asked(some, "m1", "m2", "m3", "m4"))
    assert [isinstance(one, OverloadedError) for one in found] == [False, False, True, True]


def test_an_index_that_cannot_be_read_is_told_to_every_caller_and_the_next_one_may_be_luckier(
    made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(some: Batcher, _: ReaderPool) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(View, "follow", lambda _: (_ for _ in ()).throw(StoreError("the disk failed")))
            found = await asked(some, "m1", "m2")
        assert [str(one) for one in found] == ["the disk failed"] * 2
        assert await some.answer(request("m1"), 30)

    run(made, work)


def test_clients_are_answered_in_turns_and_charged(made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "_SECONDS", -1)
    order: list[str] = []
    ledger = ClientLedger(ClientLimits(work_at_once=1e-9, work_per_second=1e-9))

    async def ask(some: Batcher, client: str, name: str) -> None:
        CLIENT.set(LimitedClient(client, ledger))
        await some.answer(request(name), 30)
        order.append(client)

    async def work(some: Batcher, _: ReaderPool) -> None:
        tasks = [asyncio.create_task(ask(some, "greedy", f"m{number % 10}")) for number in range(30)]
        tasks += [asyncio.create_task(ask(some, client, "m1")) for client in ("b", "c", "b")]
        await asyncio.gather(*tasks)

    run(made, work)
    assert set(order[:3]) == {"greedy", "b", "c"}
    assert order.index("b", order.index("b") + 1) < 6
    assert order.count("greedy") == 30
    assert all(ledger.pause(client, 0.0) > 0 for client in ("greedy", "b", "c"))
