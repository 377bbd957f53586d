"""Failures on their way over the wire: what went wrong on a server is a status there, and an error again at a client.

A status names what the caller can mend: the field and its limit, the id that is not here.  What is the server's own
affair (a path, a damaged index, a defect) stays in its log; the client learns that it is the server's, no more.
"""

from __future__ import annotations

from typing import Any, cast

import grpc

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
    WeftError,
)

END: object = cast(Any, grpc.aio).EOF
"""What is read where a stream ends; the stubs do not know it."""
WRITTEN_TOO_LATE = "Internal error from Core"
"""What grpc says of a call that ended while we wrote to it; what the server said is lost then."""
_MOST = 500
"""Characters of a status; what a server says is not kept at any length."""

_CODES: tuple[tuple[type[WeftError], grpc.StatusCode], ...] = (
    (NotFoundError, grpc.StatusCode.NOT_FOUND),
    (InvalidRequestError, grpc.StatusCode.INVALID_ARGUMENT),
    (ChangedError, grpc.StatusCode.ABORTED),
    (OverloadedError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (LateError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (StoppingError, grpc.StatusCode.UNAVAILABLE),
    (DeniedError, grpc.StatusCode.PERMISSION_DENIED),
)
_ERRORS: dict[grpc.StatusCode, type[WeftError]] = {
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.ABORTED: ChangedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.PERMISSION_DENIED: DeniedError,
    grpc.StatusCode.UNAUTHENTICATED: DeniedError,
    grpc.StatusCode.UNAVAILABLE: UnreachableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnreachableError,
    grpc.StatusCode.CANCELLED: UnreachableError,
}


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """What a client is told of an error on the server.

    The text of an error is told only if it is of a kind that is made for clients: others may name files of the server.
    """
    if isinstance(error, StoreError):
        return grpc.StatusCode.UNAVAILABLE, "the server cannot read its index; its log says why"
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code, _one_line(str(error))
    return grpc.StatusCode.INTERNAL, "the server failed; its log says how"


def is_ours(error: Exception) -> bool:
    """Whether the server, not its caller, has to mend what went wrong."""
    return status_of(error)[0] in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE) and not isinstance(
        error, StoppingError
    )


def error_of(address: str, code: grpc.StatusCode, details: str | None) -> WeftError:
    """What a status of the server at ``address`` means to its client; the server chooses the details."""
    if details == WRITTEN_TOO_LATE or code is grpc.StatusCode.OK:
        code, details = grpc.StatusCode.UNAVAILABLE, "the server ended the call"
    kind = _ERRORS.get(code, WeftError)
    text = _one_line(details or code.name.lower())
    return kind(text if kind in (NotFoundError, InvalidRequestError) else f"{address}: {text}")


def _one_line(text: str) -> str:
    """Text that fits into a status: one line, no lone surrogates, not without end."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())[:_MOST]
