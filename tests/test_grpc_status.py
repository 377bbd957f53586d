"""What goes wrong on a server is a status, and the same error at the client; its own affairs stay its own."""

from __future__ import annotations

import grpc
import pytest

from weft.errors import (
    ChangedError,
    DeniedError,
    InvalidRequestError,
    LateError,
    NotFoundError,
    OverloadedError,
    StoppingError,
    StoreError,
    UnreachableError,
    UsageError,
    WeftError,
)
from weft.grpc_status import error_of, is_ours, status_of

SAME: list[type[WeftError]] = [
    NotFoundError,
    InvalidRequestError,
    ChangedError,
    OverloadedError,
    DeniedError,
]


@pytest.mark.parametrize("kind", SAME)
def test_an_error_is_the_same_at_both_ends(kind: type[WeftError]) -> None:
    code, details = status_of(kind("what and why"))
    error = error_of("127.0.0.1:1", code, details)
    assert type(error) is kind
    assert "what and why" in str(error)
    assert not is_ours(kind(""))


@pytest.mark.parametrize("kind", [LateError, StoppingError])
def test_what_may_work_later_is_unreachable_to_the_client(kind: type[WeftError]) -> None:
    code, details = status_of(kind("later"))
    assert code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
    assert isinstance(error_of("a:1", code, details), UnreachableError)
    assert not is_ours(kind(""))


@pytest.mark.parametrize("error", [StoreError("/home/x/index.db: damaged"), ValueError("/home/x"), KeyError(b"x")])
def test_the_servers_own_affairs_are_not_told(error: Exception) -> None:
    _, details = status_of(error)
    assert "/home" not in details
    assert "log" in details
    assert is_ours(error)


@pytest.mark.parametrize("text", ["a\nb\x00", "\udcff\ud800", "x" * 10**6, ""])
def test_a_status_is_one_short_line_that_can_be_sent(text: str) -> None:
    _, details = status_of(UsageError(text))
    assert len(details.encode()) <= 2000
    assert "\n" not in details
    assert "\n" not in str(error_of("a:1", grpc.StatusCode.UNKNOWN, text))
