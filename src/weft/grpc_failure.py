"""Failures as gRPC tells them to clients: a status with `google.rpc.ErrorInfo` and what else is known, as details.

The reasons are listed at the head of ``weft/v1/threads.proto``.
"""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from weft.errors import InvalidRequestError, RetryableError, StoppingError
from weft.grpc_status import status_of

DOMAIN = "weft"
_REASONS = {
    grpc.StatusCode.INVALID_ARGUMENT: "INVALID_REQUEST",
    grpc.StatusCode.NOT_FOUND: "NOT_FOUND",
    grpc.StatusCode.ABORTED: "CHANGED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "OVERLOADED",
    grpc.StatusCode.DEADLINE_EXCEEDED: "LATE",
    grpc.StatusCode.PERMISSION_DENIED: "DENIED",
    grpc.StatusCode.UNAVAILABLE: "UNAVAILABLE",
    grpc.StatusCode.INTERNAL: "FAILED",
}
_UNAVAILABLE_SECONDS = 5.0

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """What a client is told."""

    code: grpc.StatusCode
    text: str
    details: tuple[Message, ...]

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """That a call has failed with this error."""
        code, text = status_of(error)
        reason = "STOPPING" if isinstance(error, StoppingError) else _REASONS[code]
        details: list[Message] = [ErrorInfo(reason=reason, domain=DOMAIN)]
        if isinstance(error, InvalidRequestError) and error.field:
            violation = BadRequest.FieldViolation(field=error.field, description=error.reason)
            details.append(BadRequest(field_violations=[violation]))
        if isinstance(error, RetryableError):
            details.append(_retry(error.retry_seconds))
        elif code is grpc.StatusCode.UNAVAILABLE:
            details.append(_retry(_UNAVAILABLE_SECONDS))
        return cls(code, text, tuple(details))

    def status(self) -> Status:
        """As a message."""
        packed = []
        for detail in self.details:
            packed.append(Any())
            packed[-1].Pack(detail)
        return Status(code=self.code.value[0], message=self.text, details=packed)

    def arguments(self) -> tuple[grpc.StatusCode, str, Metadata]:
        """What `grpc.aio.ServicerContext.abort` takes."""
        status = rpc_status.to_status(self.status())
        return status.code, status.details, tuple(status.trailing_metadata)


def _retry(seconds: float) -> RetryInfo:
    whole = int(seconds)
    return RetryInfo(retry_delay=Duration(seconds=whole, nanos=int((seconds - whole) * 1e9)))
