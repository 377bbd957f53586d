"""Asking for many threads over one stream, without input or output: requests out, responses in, threads in order.

A thread may take several requests, one for each of its pages, so the responses of some threads come between those of
others.  At most `IN_FLIGHT` threads are begun and not given yet; more wait with the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message as Wire

from weft.client.calls import Asking
from weft.client.channel import parsed
from weft.errors import WeftError
from weft.grpc_status import error_of
from weft.model import Thread
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import IN_FLIGHT

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(slots=True)
class _Asked:
    """One thread."""

    asking: Asking[Thread]
    found: Thread | WeftError | None = None


class PipelinedRequests:
    """The threads that are asked for over one stream."""

    def __init__(self, address: str) -> None:
        """``address`` is that of the server, for its errors."""
        self._address = address
        self._begun: deque[_Asked] = deque()
        self._sent: deque[_Asked] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another thread may be begun."""
        return len(self._begun) < IN_FLIGHT

    @property
    def waits(self) -> bool:
        """Whether responses are due."""
        return bool(self._sent)

    def begin(self, asking: Asking[Thread]) -> list[bytes]:
        """Ask for one more thread: the request to send, if any."""
        asked = _Asked(asking)
        self._begun.append(asked)
        return self._go_on(asked, None)

    def take(self, data: bytes | None) -> list[bytes]:
        """Take the next response: the request to send for it, if any.  None: there is none, which is an error."""
        if data is None:
            raise error_of(self._address, grpc.StatusCode.OK, None)
        return self._go_on(self._sent.popleft(), parsed(wire.GetThreadsResponse, data))

    def ready(self) -> Iterator[Thread | WeftError]:
        """The threads that can be given now, or why not, in the order in which they were begun."""
        while self._begun and (found := self._begun[0].found) is not None:
            self._begun.popleft()
            yield found

    def _go_on(self, asked: _Asked, response: wire.GetThreadsResponse | None) -> list[bytes]:
        try:
            if response is None:
                call = next(asked.asking)
            elif response.HasField("error"):
                call = asked.asking.throw(self._error(response.error))
            else:
                call = asked.asking.send(response.thread)
        except StopIteration as end:
            asked.found = end.value
        except WeftError as error:
            asked.found = error
        else:
            self._sent.append(asked)
            return [_bytes(call.request)]
        return []

    def _error(self, failure: wire.RequestError) -> WeftError:
        code = _CODES.get(failure.code, grpc.StatusCode.UNKNOWN)
        return error_of(self._address, code, failure.message)


def _bytes(request: Wire) -> bytes:
    """A request as it is now: who asks goes on using it."""
    return wire.GetThreadsRequest(request=request).SerializeToString()  # type: ignore[arg-type]  # only threads are asked for
