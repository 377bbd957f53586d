"""Threads too large for one page, and servers with too much to do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import weft
from tests.server.lying_server import lying
from tests.store.factories import Origin, mail
from weft.errors import ChangedError, LateError, OverloadedError, StoreError
from weft.index import large_thread
from weft.index.index import Index
from weft.index.thread_reader import CountedClaim, ThreadReader
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.server import handlers, reader_pool, thread_pages, watch
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.server.server import fill_search
from weft.server.watch import ChangeWatch
from weft.v1 import threads_pb2 as wire
from weft.wire import limits
from weft.wire.coverage import coverage_from_message

SIZE = 3000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Policy]:
    """An index with one thread of `SIZE` messages, each with a long subject of its own."""
    path, near = tmp_path_factory.mktemp("large") / "index.db", Origin("near")
    claims = [mail("m0"), *(mail(f"m{n}", f"m{n // 2}", subject=f"{n} " * 100) for n in range(1, SIZE))]
    with Index.open(path, policy=Policy(origins={near.public: Row(1, None)})) as index:
        policy = replace(index.policy, own=index.origin)
        index.set_policy(policy)
        index.admit([near.batch("l", *claims[start : start + 256]) for start in range(0, SIZE, 256)])
    return path, policy


@pytest.fixture
def reader(large: tuple[Path, Policy]) -> Iterator[IndexReader]:
    opened = IndexReader(*large)
    yield opened
    opened.close()


def test_a_thread_of_many_pages_comes_whole_and_verifies(large: tuple[Path, Policy]) -> None:
    path, policy = large
    sizes: list[int] = []
    with (
        lying(path, lambda response: sizes.append(response.ByteSize()), policy) as address,
        weft.connect(address, verify=True) as peer,
        Index.open(path, policy=policy) as index,
    ):
        assert peer.thread("m7") == index.thread("m7")
    assert len(sizes) > 2
    assert max(sizes) < limits.ANSWER_BYTES


def test_a_large_thread_is_not_read_where_others_wait(reader: IndexReader) -> None:
    request = wire.GetThreadRequest(message_id=b"m1").SerializeToString()
    with pytest.raises(thread_pages.LargeError):
        thread_pages.get_thread(reader, request)
    assert thread_pages.get_large_thread(reader, request)
    assert thread_pages.get_thread(reader, request), "remembered by now"


def test_pages_of_a_thread_that_changed_meanwhile_are_not_mixed(
    reader: IndexReader, large: tuple[Path, Policy]
) -> None:
    path, policy = large
    request = wire.GetThreadRequest(message_id=b"m1")
    first = wire.GetThreadResponse.FromString(thread_pages.get_large_thread(reader, request.SerializeToString()))
    request.page_token = first.next_page_token
    near = Origin("near")
    with Index.open(path, policy=policy) as index:
        index.admit([near.batch("l", mail(f"new{time.time_ns()}", "m1"))])
    with pytest.raises(ChangedError):
        thread_pages.get_large_thread(reader, request.SerializeToString())


def test_a_copy_more_of_a_message_is_a_change_too(large: tuple[Path, Policy]) -> None:
    path, policy = large
    request = wire.GetThreadRequest(message_id=b"m1")
    reader = IndexReader(path, policy)
    try:
        request.page_token = page(reader, request).next_page_token
        with Index.open(path, policy=policy) as index:
            index.admit([Origin("near").batch("another", mail("m2999", "m1499"))])
        with pytest.raises(ChangedError):
            page(reader, request)
    finally:
        reader.close()


def page(reader: IndexReader, request: wire.GetThreadRequest) -> wire.GetThreadResponse:
    """A page of any thread."""
    data = thread_pages.get_large_thread(reader, request.SerializeToString())
    return wire.GetThreadResponse.FromString(data)


@pytest.mark.parametrize("view", [wire.THREAD_VIEW_ROWS, wire.THREAD_VIEW_COLUMNS])
@pytest.mark.parametrize("size", [0, 700])
def test_each_page_may_be_read_by_another_reader(
    large: tuple[Path, Policy], view: wire.ThreadView, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_thread, "RUN", 999)
    monkeypatch.setattr(thread_pages, "RUN", 999)
    request = wire.GetThreadRequest(message_id=b"m1", view=view, page_size=size, include_claims=True)
    ids: list[bytes] = []
    copies = claims = 0
    while True:
        reader = IndexReader(*large)
        response = page(reader, request)
        reader.close()
        found = [row.message_id for row in response.messages] or response.columns.messages.message_ids
        assert not size or len(found) <= size
        assert not (found and response.parts) or len(ids) + len(found) == response.total_size
        assert all(place < len(ids) + len(found) for place in response.columns.copies.places)
        ids += found
        copies += len(response.columns.copies.places) + sum(len(row.copies) for row in response.messages)
        claims += sum(len(part.claims) for part in response.parts)
        if not response.next_page_token:
            break
        request.page_token = response.next_page_token
    with Index.open(large[0], policy=large[1]) as index:
        thread = index.thread("m1")
    assert [name.decode() for name in ids] == [one.id for one in thread.messages]
    assert copies == claims == sum(len(one.copies) for one in thread.messages)
    assert response.digest.hex() == thread.digest
    assert coverage_from_message(response.coverage) == thread.coverage


def test_the_first_page_of_a_large_thread_reads_the_claims_of_one_run(
    reader: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_thread, "RUN", 600)
    monkeypatch.setattr(thread_pages, "RUN", 600)
    read: list[int] = []
    claims_about = ThreadReader.claims_about

    def counting(one: ThreadReader, nodes: Sequence[int]) -> dict[int, list[CountedClaim]]:
        read.append(len(nodes))
        return claims_about(one, nodes)

    monkeypatch.setattr(ThreadReader, "claims_about", counting)
    request = wire.GetThreadRequest(message_id=b"m1", include_claims=True)
    response = page(reader, request)
    assert len(response.messages) == 600
    assert response.total_size >= SIZE
    assert read == [600]


def test_a_call_that_takes_too_long_is_interrupted_and_the_next_one_is_answered(large: tuple[Path, Policy]) -> None:
    def long(one: IndexReader) -> None:
        with one.snapshot():
            one.view.connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
            ).fetchall()

    async def ask() -> None:
        pool = ReaderPool(*large, 1, "test")
        try:
            with pytest.raises(LateError):
                await pool.call(long, 0.1)
            assert await pool.call(handlers.position, 10)
            abandoned = asyncio.create_task(pool.call(long, 60))
            await asyncio.sleep(0.1)
            abandoned.cancel()
            assert await pool.call(handlers.position, 10), "what nobody waits for any more is ended"
        finally:
            pool.close()

    asyncio.run(ask())


def test_more_calls_than_a_server_takes_are_refused(
    large: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_pool, "MAX_WAITING", 2)

    async def ask() -> None:
        pool = ReaderPool(*large, 1, "test")
        try:
            found = await asyncio.gather(*(pool.call(handlers.position, 10) for _ in range(5)), return_exceptions=True)
        finally:
            pool.close()
        assert sum(isinstance(one, OverloadedError) for one in found) == 3

    asyncio.run(ask())


def test_more_streams_than_a_server_takes_are_refused(
    large: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WATCHERS", 1)

    async def ask() -> None:
        pool = ReaderPool(*large, 1, "test")
        watched = ChangeWatch(pool)
        first, second = (watched.stream(wire.WatchChangesRequest()) for _ in range(2))
        try:
            assert (await anext(first)).log_position
            with pytest.raises(OverloadedError, match="1 streams"):
                await anext(second)
            await first.aclose()
            assert watched.watchers == 0
        finally:
            pool.close()

    asyncio.run(ask())


def test_a_thousand_idle_streams_read_the_log_once(large: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    path, policy = large
    monkeypatch.setattr(watch, "INTERVAL", 0.01)
    calls: list[int] = []
    changes = handlers.changes

    def counted(one: IndexReader, after: int) -> wire.WatchChangesResponse:
        calls.append(after)
        return changes(one, after)

    monkeypatch.setattr(handlers, "changes", counted)

    async def ask() -> None:
        pool = ReaderPool(path, policy, 1, "test")
        watched = ChangeWatch(pool)
        running = asyncio.create_task(watched.run())
        streams = [watched.stream(wire.WatchChangesRequest()) for _ in range(1000)]
        for stream in streams:
            await anext(stream)
        pending = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await asyncio.sleep(0.3)
        before = len(calls)
        with Index.open(path, policy=policy) as index:
            index.admit([Origin("near").batch("l", mail(f"another{time.time_ns()}"))])
        found = await asyncio.gather(*pending)
        assert len({one.changes[0].message_id for one in found}) == 1
        assert len(calls) - before <= 3
        running.cancel()
        for stream in streams:
            await stream.aclose()
        pool.close()

    asyncio.run(ask())


def test_a_server_that_ends_does_not_wait_until_search_is_up_to_date(large: tuple[Path, Policy]) -> None:
    ending = threading.Event()
    ending.set()
    with pytest.raises(StoreError, match="interrupted"):
        fill_search(*large, ending)
    with Index.open(large[0], policy=large[1], read_only=True) as index:
        before = index.search("2999")
        assert before.incomplete
    fill_search(*large, threading.Event())
    with Index.open(large[0], policy=large[1], read_only=True) as index:
        assert index.search("2999")
        assert not index.search("2999").incomplete
