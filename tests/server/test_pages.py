"""Pages of everything that has pages: together they are the whole, in order, whatever their size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

import weft
from tests.cli.command_runner import ROOT, mail
from tests.cli.server_home import Home
from tests.server.server_harness import Served, serving
from weft.index.index import Index
from weft.v1 import threads_pb2 as wire

_ROOT = ROOT.encode()


@pytest.fixture
def index(ingested: Home) -> Iterator[Index]:
    """The same index, read here."""
    with Index.open(ingested.index) as opened:
        yield opened


def all_pages(stub: Any, name: str, request: Any) -> list[Any]:  # noqa: ANN401 - no types are generated
    """The pages of a call."""
    found = []
    while True:
        found.append(getattr(stub, name)(request))
        if not found[-1].next_page_token:
            return found
        assert found[-1].next_page_token != request.page_token
        request.page_token = found[-1].next_page_token


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pages_together_are_the_whole(shared: Served, size: int) -> None:
    requests: dict[str, tuple[Any, str]] = {
        "ListThreads": (wire.ListThreadsRequest(), "threads"),
        "SearchMessages": (wire.SearchMessagesRequest(query="re"), "results"),
        "ListFeeds": (wire.ListFeedsRequest(), "feeds"),
        "GetThread": (wire.GetThreadRequest(message_id=_ROOT), "messages"),
    }
    with shared.stub() as stub:
        for name, (request, field) in requests.items():
            whole = getattr(getattr(stub, name)(request), field)
            assert len(whole) > 1
            request.page_size = size
            pages = all_pages(stub, name, request)
            assert [len(getattr(page, field)) for page in pages[:-1]] == [size] * (len(pages) - 1)
            assert [one for page in pages for one in getattr(page, field)] == list(whole)


@pytest.mark.parametrize("view", [wire.THREAD_VIEW_ROWS, wire.THREAD_VIEW_COLUMNS])
def test_the_last_page_of_a_thread_has_its_digest_and_all_say_how_large_it_is(
    shared: Served, index: Index, view: wire.ThreadView
) -> None:
    thread = index.thread(ROOT)
    request = wire.GetThreadRequest(message_id=_ROOT, view=view, include_claims=True, page_size=4)
    with shared.stub() as stub:
        *pages, last = all_pages(stub, "GetThread", request)
    assert len(pages) >= 3
    assert {page.total_size for page in (*pages, last)} == {len(thread.messages)}
    assert last.digest.hex() == thread.digest
    assert last.HasField("coverage")
    assert not any(page.digest or page.HasField("coverage") for page in pages)
    ranked = [(rank.origin, rank.list) for page in (*pages, last) for rank in page.ranks]
    assert len(ranked) == len(set(ranked)) > 0


def test_rows_are_what_the_index_says(shared: Served, index: Index) -> None:
    with shared.stub() as stub:
        response = stub.GetThread(wire.GetThreadRequest(message_id=_ROOT))
    messages = index.thread(ROOT).messages
    assert [(row.message_id.decode(), row.depth) for row in response.messages] == [
        (one.id, one.depth) for one in messages
    ]
    assert [row.subject for row in response.messages] == [one.subject for one in messages]
    assert [row.ghost for row in response.messages] == [one.ghost for one in messages]
    assert response.profile == wire.PROFILE_WEFT


def test_an_explanation_goes_on_page_by_page(shared: Served, index: Index) -> None:
    with shared.stub() as stub:
        for message in index.thread(ROOT).messages:
            request = wire.ExplainMessageRequest(message_id=message.id.encode(), page_size=1)
            pages = all_pages(stub, "ExplainMessage", request)
            found = index.explain(message.id)
            beside = (found.rivals, found.lookalikes, found.alias_of)
            entries = (found.statements, found.witnesses, found.children, *beside)
            assert len(pages) == max(1, sum(map(len, entries)))
            assert [one.decode() for page in pages for one in page.child_ids] == list(found.children)


def test_messages_are_searched_for_by_list_and_time(shared: Served, index: Index) -> None:
    everything = index.search("re")
    with weft.connect(shared.address) as peer:
        assert peer.search("re") == everything
        assert peer.search("re", limit=3) == everything[:3]
        for name in ("drafts", "smtp-ops"):
            assert peer.search("re", list_name=name) == index.search("re", list_name=name) != []
        moments = sorted(int(_moment(one.date)) for one in everything if one.date)
        middle = moments[len(moments) // 2]
        later, earlier = peer.search("re", since=middle), peer.search("re", until=middle)
        assert later == index.search("re", since=middle) != []
        assert earlier == index.search("re", until=middle) != []
        assert {one.message_id for one in (*later, *earlier)} == {one.message_id for one in everything}
        assert not {one.message_id for one in later} & {one.message_id for one in earlier}
        assert peer.search("re", since=middle, until=middle) == []


def _moment(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()


def test_a_fraction_of_a_second_does_not_count(shared: Served) -> None:
    with shared.stub() as stub:
        whole = stub.ListThreads(wire.ListThreadsRequest(since_time=Timestamp(seconds=1044918000)))
        part = stub.ListThreads(wire.ListThreadsRequest(since_time=Timestamp(seconds=1044918000, nanos=999)))
    assert whole == part


def test_a_page_whose_beginning_is_gone_asks_to_begin_again(home: Home) -> None:
    path = home.path / "list.mbox"
    path.write_bytes(b"".join(mail(f"m{number}@example.org", subject="a word") for number in range(3)))
    assert home.weft("ingest", "-q", path).code == 0
    assert home.weft("search", "word").code == 0, "its words are in the table before it is served"
    with serving(home) as served, served.stub() as stub:
        threads, words = wire.ListThreadsRequest(page_size=1), wire.SearchMessagesRequest(query="word", page_size=1)
        threads.page_token = stub.ListThreads(threads).next_page_token
        words.page_token = stub.SearchMessages(words).next_page_token
        assert threads.page_token
        assert words.page_token
        for number in range(3):
            assert home.weft("expunge", "--yes", f"m{number}@example.org").code == 0
        assert stub.ListThreads(threads).threads
        with pytest.raises(grpc.RpcError) as caught:
            stub.SearchMessages(words)
        error: Any = caught.value
        assert (error.code(), "begin again" in error.details()) == (grpc.StatusCode.ABORTED, True)
