"""Requests that nobody honest makes: each is refused with the limit that it breaks, or clamped; the server goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc

import weft
from tests.cli.command_runner import ROOT
from tests.server.server_harness import Served
from weft.v1 import threads_pb2 as wire

_MIB = 1 << 20
_ROOT = ROOT.encode()
_CALLS = {
    "GetThread": wire.GetThreadRequest,
    "ListThreads": wire.ListThreadsRequest,
    "SearchMessages": wire.SearchMessagesRequest,
    "ExplainMessage": wire.ExplainMessageRequest,
    "ListFeeds": wire.ListFeedsRequest,
}
"""Those that have pages, with their requests."""


def refused(served: Served, ask: Callable[[Any], object]) -> tuple[grpc.StatusCode, str]:
    """How a call is refused; the server answers others afterwards."""
    with served.stub() as stub:
        with pytest.raises(grpc.RpcError) as caught:
            ask(stub)
        assert stub.GetStatus(wire.GetStatusRequest()).log_position
    error: Any = caught.value
    return error.code(), error.details()


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (
            lambda stub: stub.GetThread(wire.GetThreadRequest(message_id=b"a" * _MIB)),
            "message_id: it has 1048576 bytes, at most",
        ),
        (lambda stub: stub.GetThread(wire.GetThreadRequest()), "message_id: it is empty"),
        (
            lambda stub: stub.ExplainMessage(wire.ExplainMessageRequest(message_id=b"a" * _MIB)),
            "message_id: it has 1048576 bytes",
        ),
        (
            lambda stub: stub.SearchMessages(wire.SearchMessagesRequest(query="a " * 501)),
            "query: it has 1002 bytes, at",
        ),
        (lambda stub: stub.SearchMessages(wire.SearchMessagesRequest(query="\"'*()")), "query: nothing to search for"),
        (lambda stub: stub.SearchMessages(wire.SearchMessagesRequest(query="a", list="a/b")), "list: it holds a slash"),
        (lambda stub: stub.ListThreads(wire.ListThreadsRequest(list="../etc")), "list: it holds a slash"),
        (
            lambda stub: list(stub.WatchChanges(wire.WatchChangesRequest(after_position=2**64 - 1))),
            "after_position: the",
        ),
        (lambda stub: list(stub.WatchChanges(wire.WatchChangesRequest(list="\0"))), "list: it holds U+0000"),
        (lambda stub: stub.GetThread(wire.GetThreadRequest(message_id=_ROOT, view=cast(Any, 9))), "view: not one"),
        (
            lambda stub: stub.GetThread(
                wire.GetThreadRequest(message_id=_ROOT, omit_empty_ghosts=True, include_claims=True)
            ),
            "omit_empty_ghosts: not together with include_claims",
        ),
    ],
)
def test_what_breaks_a_limit_is_refused_with_its_name(shared: Served, ask: Callable[[Any], object], named: str) -> None:
    code, details = refused(shared, ask)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(named)


def test_bytes_that_are_no_request_are_refused(shared: Served) -> None:
    with grpc.insecure_channel(shared.address) as channel:
        for name in (*_CALLS, "GetStatus"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/weft.v1.ThreadService/{name}", None, None)(b"\xff" * 40)
            error: Any = caught.value
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, name
        with pytest.raises(grpc.RpcError):
            list(channel.unary_stream("/weft.v1.ThreadService/WatchChanges", None, None)(b"\xff" * 40))


def test_a_request_larger_than_any_is_not_even_read(shared: Served) -> None:
    code, _ = refused(shared, lambda stub: stub.GetThread(wire.GetThreadRequest(message_id=b"a" * (3 * _MIB))))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_huge_pages_and_times_are_clamped(shared: Served) -> None:
    most = 2**31 - 1
    with shared.stub() as stub:
        assert len(stub.ListThreads(wire.ListThreadsRequest(page_size=most)).threads) == 3
        for seconds, found in ((-(2**63), 3), (2**63 - 1, 0)):
            since = Timestamp(seconds=seconds)
            assert len(stub.ListThreads(wire.ListThreadsRequest(since_time=since)).threads) == found
        assert len(stub.SearchMessages(wire.SearchMessagesRequest(query="re", page_size=most)).results) <= 500
        assert len(stub.ListFeeds(wire.ListFeedsRequest(page_size=most)).feeds) == 2


@pytest.mark.parametrize(
    "words", ["x'; DROP TABLE claims; --", 'zzz" OR 1=1', "subject:re NEAR(a b)", "zzz* AND NOT x"]
)
def test_nothing_that_is_searched_for_is_a_query_of_the_database(shared: Served, words: str) -> None:
    with weft.connect(shared.address) as peer:
        assert peer.search(words) == [], "nobody wrote that"
        assert peer.status().position == 26


@pytest.mark.parametrize("words", ['" OR 1=1', "OR", "-", "date:x", "has:x", "x:y", "has:missing"])
def test_a_search_that_is_not_understood_is_refused(shared: Served, words: str) -> None:
    code, details = refused(shared, lambda stub: stub.SearchMessages(wire.SearchMessagesRequest(query=words)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("query: ")


@pytest.mark.parametrize("name", _CALLS)
@pytest.mark.parametrize("token", ["x", "again", "A" * 40, "?", "é", "A" * 2000, "A" * 1025])
def test_a_page_token_that_no_page_gave_is_refused(shared: Served, name: str, token: str) -> None:
    code, details = refused(shared, lambda stub: getattr(stub, name)(_request(name, page_token=token)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details == "page_token: not one that this server gave for this request, but for page_size"


@pytest.mark.parametrize("name", _CALLS)
def test_a_page_token_is_that_of_its_request(shared: Served, name: str) -> None:
    with shared.stub() as stub:
        token = getattr(stub, name)(_request(name, page_size=1)).next_page_token
        assert token
        assert getattr(stub, name)(_request(name, page_size=2, page_token=token))
    for other in {"ListThreads", "SearchMessages"} - {name}:
        code, _ = refused(shared, partial(_call, other, _request(other, page_token=token)))
        assert code == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("name", _CALLS)
def test_pages_of_less_than_nothing_are_refused(shared: Served, name: str) -> None:
    code, details = refused(shared, lambda stub: getattr(stub, name)(_request(name, page_size=-1)))
    assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "page_size: it is less than 0")


def _request(name: str, **fields: object) -> Any:  # noqa: ANN401 - of any kind
    """A request that is answered with more than one page of one entry."""
    needed: dict[str, dict[str, Any]] = {
        "SearchMessages": {"query": "re"},
        "GetThread": {"message_id": _ROOT},
        "ExplainMessage": {"message_id": _ROOT},
    }
    return cast(Any, _CALLS[name])(**fields, **needed.get(name, {}))


def _call(name: str, request: object, stub: Any) -> object:  # noqa: ANN401 - no types are generated
    return getattr(stub, name)(request)


def test_an_id_with_any_bytes_in_it_is_only_not_found(shared: Served) -> None:
    for name in (b"\xff\xfe@x", b"a\0b@x", b"'; --@x", b"%s%n@x", b"a\n\r\tb", b"x" * 8192):
        code, details = refused(shared, partial(_get_thread, wire.GetThreadRequest(message_id=name)))
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
