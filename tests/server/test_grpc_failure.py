"""What a failed call tells beside its code: to clients in any language, and nothing that only the command line has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from tests.server.server_harness import Served
from weft import errors
from weft.errors import ChangedError, OverloadedError, StoppingError, StoreError, WeftError
from weft.grpc_failure import Failure
from weft.v1 import threads_pb2 as wire

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, WeftError) and kind.__module__ == "weft.errors"
]


def details(failure: Failure) -> dict[str, Message]:
    """The details by the name of their kind."""
    return {one.DESCRIPTOR.name: one for one in failure.details}


def told(served: Served, ask: Callable[[Any], object]) -> tuple[grpc.StatusCode, dict[str, Any]]:
    """How a call fails over the wire."""
    with served.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        ask(stub)
    call: Any = caught.value
    status = rpc_status.from_call(call)
    assert status is not None
    assert (status.code, status.message) == (call.code().value[0], call.details())
    found: dict[str, Any] = {}
    for packed in status.details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                found[kind.__name__] = kind()
                packed.Unpack(found[kind.__name__])
    return call.code(), found


def test_an_invalid_field_is_named(shared: Served) -> None:
    code, found = told(shared, lambda stub: stub.GetThread(wire.GetThreadRequest()))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (found["ErrorInfo"].domain, found["ErrorInfo"].reason) == ("weft", "INVALID_REQUEST")
    [violation] = found["BadRequest"].field_violations
    assert (violation.field, violation.description) == ("message_id", "it is empty")
    assert "RetryInfo" not in found


def test_streams_fail_with_the_same_details(shared: Served) -> None:
    code, found = told(shared, lambda stub: list(stub.WatchChanges(wire.WatchChangesRequest(after_position=10**9))))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert found["BadRequest"].field_violations[0].field == "after_position"
    code, found = told(shared, lambda stub: list(stub.StreamTrees(wire.StreamTreesRequest(view_version=b"gone"))))
    assert code is grpc.StatusCode.ABORTED
    assert found["ErrorInfo"].reason == "CHANGED"


def test_an_id_that_is_not_here_is_not_found(shared: Served) -> None:
    asked: list[Callable[[Any], object]] = [
        lambda stub: stub.ExplainMessage(wire.ExplainMessageRequest(message_id=b"nobody@x")),
        lambda stub: stub.GetThread(wire.GetThreadRequest(message_id=b"nobody@x")),
    ]
    for ask in asked:
        code, found = told(shared, ask)
        assert (code, found["ErrorInfo"].reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
        with pytest.raises(grpc.RpcError, match=r"names the id 'nobody@x'\"\n"), shared.stub() as stub:
            ask(stub)


@pytest.mark.parametrize(
    ("error", "reason", "seconds"),
    [
        (OverloadedError("much"), "OVERLOADED", 1.0),
        (OverloadedError("much", retry_seconds=2.5), "OVERLOADED", 2.5),
        (ChangedError("other"), "CHANGED", 0.1),
        (StoppingError("soon"), "STOPPING", 5.0),
        (StoreError("locked"), "UNAVAILABLE", 5.0),
    ],
)
def test_what_can_succeed_later_says_when(error: WeftError, reason: str, seconds: float) -> None:
    found = details(Failure.of(error))
    info, retry = found["ErrorInfo"], found["RetryInfo"]
    assert isinstance(info, ErrorInfo)
    assert isinstance(retry, RetryInfo)
    assert info.reason == reason
    assert retry.retry_delay.ToTimedelta().total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_reason_and_none_tells_of_the_command_line(kind: type[WeftError]) -> None:
    failure = Failure.of(kind("the index is damaged; run: weft check --repair"))
    info = details(failure)["ErrorInfo"]
    assert isinstance(info, ErrorInfo)
    assert info.reason.isupper()
    if failure.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE) and kind is not StoppingError:
        assert "weft check" not in failure.text
    code, text, metadata = failure.arguments()
    assert (code, text) == (failure.code, failure.text)
    assert metadata == (("grpc-status-details-bin", failure.status().SerializeToString()),)
