"""Requests that nobody honest makes: each is refused with the limit that it breaks, or clamped; the server goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import weft
from tests.cli.command_runner import ROOT
from tests.server.server_harness import Served
from weft.v1 import threads_pb2 as wire

_MIB = 1 << 20
_ROOT = ROOT.encode()


def refused(served: Served, ask: Callable[[Any], object]) -> tuple[grpc.StatusCode, str]:
    """How a call is refused; the server answers others afterwards."""
    with served.stub() as stub:
        with pytest.raises(grpc.RpcError) as caught:
            ask(stub)
        assert stub.Status(wire.StatusRequest()).position
    error: Any = caught.value
    return error.code(), error.details()


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda stub: stub.GetThread(wire.GetThreadRequest(id=b"a" * _MIB)), "id: it has 1048576 bytes, at most 8192"),
        (lambda stub: stub.GetThread(wire.GetThreadRequest()), "id: it is empty"),
        (lambda stub: stub.Explain(wire.ExplainRequest(id=b"a" * _MIB)), "id: it has 1048576 bytes"),
        (lambda stub: stub.Search(wire.SearchRequest(words=b"\xff\xfe")), "words: they are not UTF-8"),
        (lambda stub: stub.Search(wire.SearchRequest(words=b"a " * 501)), "words: they have 1002 bytes, at most 1000"),
        (lambda stub: stub.Search(wire.SearchRequest(words=b"\"'*()")), "words: nothing to search for"),
        (lambda stub: stub.ListThreads(wire.ListThreadsRequest(list=b"\xff")), "list: it is not UTF-8"),
        (lambda stub: stub.ListThreads(wire.ListThreadsRequest(list=b"../etc")), "list: it holds a slash"),
        (lambda stub: stub.ListThreads(wire.ListThreadsRequest(after=b"a" * 9000)), "id: it has 9000 bytes"),
        (lambda stub: list(stub.Watch(wire.WatchRequest(after=2**64 - 1))), "after: the log of this server ends at"),
        (lambda stub: list(stub.Watch(wire.WatchRequest(list=b"\0"))), "list: it holds U+0000"),
        (
            lambda stub: stub.GetThread(wire.GetThreadRequest(id=_ROOT, prune=True, with_claims=True)),
            "prune: not together with with_claims",
        ),
    ],
)
def test_what_breaks_a_limit_is_refused_with_its_name(shared: Served, ask: Callable[[Any], object], named: str) -> None:
    code, details = refused(shared, ask)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(named)


def test_bytes_that_are_no_request_are_refused(shared: Served) -> None:
    with grpc.insecure_channel(shared.address) as channel:
        for name in ("GetThread", "ListThreads", "Search", "Explain", "Status"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/weft.v1.Threads/{name}", None, None)(b"\xff" * 40)
            error: Any = caught.value
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, name
        with pytest.raises(grpc.RpcError):
            list(channel.unary_stream("/weft.v1.Threads/Watch", None, None)(b"\xff" * 40))


def test_a_request_larger_than_any_is_not_even_read(shared: Served) -> None:
    code, _ = refused(shared, lambda stub: stub.GetThread(wire.GetThreadRequest(id=b"a" * (3 * _MIB))))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_huge_pages_and_times_are_clamped(shared: Served) -> None:
    most = 2**32 - 1
    with shared.stub() as stub:
        assert len(stub.ListThreads(wire.ListThreadsRequest(page_size=most)).threads) == 3
        assert len(stub.ListThreads(wire.ListThreadsRequest(since=-(2**63))).threads) == 3
        assert len(stub.ListThreads(wire.ListThreadsRequest(since=2**63 - 1)).threads) == 0
        assert len(stub.Search(wire.SearchRequest(words=b"re", limit=most)).found) <= 500


@pytest.mark.parametrize("words", ["x'; DROP TABLE claims; --", '" OR 1=1', "subject:re NEAR(a b)", "re* AND NOT x"])
def test_nothing_that_is_searched_for_is_a_query(shared: Served, words: str) -> None:
    with weft.connect(shared.address) as peer:
        assert peer.search(words) == [], "all of it are words, and nobody wrote them"
        assert peer.status().position == 26


@pytest.mark.parametrize(
    "cursor", [wire.Cursor(messages=2**32 - 1), wire.Cursor(claims=1), wire.Cursor(version=b"x"), wire.Cursor()]
)
def test_a_cursor_that_no_page_gave_is_refused(shared: Served, cursor: wire.Cursor) -> None:
    request = wire.GetThreadRequest(id=_ROOT, cursor=cursor)
    code, details = refused(shared, lambda stub: stub.GetThread(request))
    assert (code, "ask for it again" in details) == (grpc.StatusCode.ABORTED, True)


def test_an_id_with_any_bytes_in_it_is_only_not_found(shared: Served) -> None:
    for name in (b"\xff\xfe@x", b"a\0b@x", b"'; --@x", b"%s%n@x", b"a\n\r\tb", b"x" * 8192):
        code, details = refused(shared, partial(_get_thread, wire.GetThreadRequest(id=name)))
        assert code == grpc.StatusCode.NOT_FOUND
        assert details.isprintable()


def _get_thread(request: wire.GetThreadRequest, stub: Any) -> object:  # noqa: ANN401 - no types are generated
    return stub.GetThread(request)


def test_watching_the_health_of_services_that_are_none_leaves_nothing_behind(shared: Served) -> None:
    with grpc.insecure_channel(shared.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for number in range(20):
            request = health_pb2.HealthCheckRequest(service=f"{number}" * 1000)
            [answer] = stub.Watch(request)
            assert answer.status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
