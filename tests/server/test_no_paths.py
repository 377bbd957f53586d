"""Whatever goes wrong, no answer to a client or a peer names a file of the server."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import grpc
import pytest
from google.protobuf.message import Message

from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.server.server_harness import Served, serving
from weft import errors
from weft.grpc_failure import Failure
from weft.v1 import threads_pb2 as wire

PATH = "/var/lib/weft/index.db"
FOR_CLIENTS = {
    "AmbiguousError", "ChangedError", "DeniedError", "InvalidRequestError", "LateError", "NotFoundError",
    "OverloadedError", "StoppingError",
}  # fmt: skip
"""Errors whose texts are made for clients, where they are raised."""

REQUESTS: dict[str, list[Message]] = {
    "GetThread": [
        wire.GetThreadRequest(message_id=ROOT.encode()),
        wire.GetThreadRequest(message_id=ROOT.encode(), include_claims=True),
        wire.GetThreadRequest(message_id=b"x" * 10_000),
        wire.GetThreadRequest(message_id=b"none@example.org"),
        wire.GetThreadRequest(message_id=ROOT.encode(), page_token="bad"),
    ],
    "ListThreads": [wire.ListThreadsRequest(), wire.ListThreadsRequest(page_token="bad", page_size=-1)],
    "SearchMessages": [wire.SearchMessagesRequest(query="re"), wire.SearchMessagesRequest(query='"')],
    "ExplainMessage": [wire.ExplainMessageRequest(message_id=ROOT.encode())],
    "GetStatus": [wire.GetStatusRequest(include_view_digest=True)],
    "ListFeeds": [wire.ListFeedsRequest()],
    "WatchChanges": [wire.WatchChangesRequest(after_position=0), wire.WatchChangesRequest(after_position=10**9)],
    "StreamDigests": [wire.StreamDigestsRequest()],
    "StreamTrees": [wire.StreamTreesRequest(message_ids=[ROOT.encode()], view_version=b"x")],
}


ERRORS = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda one: one.__name__)
def test_an_error_that_is_not_made_for_clients_is_not_told_to_them(kind: type[Exception]) -> None:
    failure = Failure.of(kind(f"{PATH}: what is wrong"))
    assert (PATH in failure.text) == (kind.__name__ in FOR_CLIENTS)
    assert failure.code.name in ("UNAVAILABLE", "INTERNAL") or kind.__name__ in FOR_CLIENTS


def told(served: Served) -> list[str]:
    """What clients are told of each request that fails."""
    found = []
    with served.stub() as stub:
        for method, requests in REQUESTS.items():
            for request in requests:
                try:
                    answer = getattr(stub, method)(request, timeout=10)
                    if hasattr(answer, "__next__"):
                        next(answer)
                        if method == "WatchChanges":
                            answer.cancel()
                except grpc.RpcError as error:
                    found.append(f"{error.code().name} {error.details()} {error.trailing_metadata()}")
                except StopIteration:
                    pass
    return found


def remove(home: Home) -> None:
    home.index.unlink()


def damage(home: Home) -> None:
    data = bytearray(home.index.read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    home.index.write_bytes(data)


def empty(home: Home) -> None:
    home.index.write_bytes(b"")


def replace_by_text(home: Home) -> None:
    home.index.write_text("no database " * 1000)


@pytest.mark.parametrize("spoil", [remove, damage, empty, replace_by_text], ids=lambda one: one.__name__)
def test_no_answer_of_a_server_with_a_spoiled_index_names_a_file(home: Home, spoil: Callable[[Home], None]) -> None:
    with serving(home) as served:
        spoil(home)
        found = told(served)
        _, log = served.stop()
    assert len(found) > 5, "wrong requests are refused, and others cannot be answered"
    assert not [line for line in found if str(home.path) in line or ".db" in line]
    assert str(home.index) in log, "the operator learns it"
