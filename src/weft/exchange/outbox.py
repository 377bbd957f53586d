"""The line between the parts of a session and its outside: frames that go out, questions and who waits for the answer.

Each part of a session sends and asks through one `Outbox`.  What is collected here is handed over by the session when
an event has been dealt with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.core.id_digest import ID_DIGEST_BYTES
from weft.errors import LocalProtocolError, RemoteProtocolError
from weft.exchange.events import Answer, Ask, Output, Request, Send, SessionReport
from weft.exchange.limits import Limits
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.v1 import exchange_pb2 as wire


class Outbox:
    """Outputs in order, and questions without an answer."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        """In force: ours at first, the smaller of both after the hellos."""
        self.report = SessionReport()
        self._outputs: list[Output] = []
        self._asked: dict[int, Callable[[Any], None]] = {}
        self._questions = 0

    @property
    def has_questions(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._asked)

    def put(self, output: Output) -> None:
        """Hand something to the shell."""
        self._outputs.append(output)

    def send(self, frame: wire.Frame) -> int:
        """Send a frame; its bytes."""
        data = frame.SerializeToString(deterministic=True)
        self.report.frames_sent += 1
        self.report.bytes_sent += len(data)
        self.put(Send(data))
        return len(data)

    def ask(self, request: Request, then: Callable[[Any], None]) -> None:
        """Ask the store; ``then`` gets the answer, of the type that the request names."""
        self._questions += 1
        self._asked[self._questions] = then
        self.put(Ask(self._questions, request))

    def answer(self, number: int, answer: Answer) -> None:
        """Hand an answer to who asked."""
        then = self._asked.pop(number, None)
        if then is None:
            raise LocalProtocolError(f"there is no question {number} without an answer in this session")
        then(answer)

    def outputs(self) -> list[Output]:
        """What came together since the last time."""
        outputs, self._outputs = self._outputs, []
        return outputs


def split_digests(data: bytes, most: int) -> list[bytes]:
    """The digests of message ids in a frame; `RemoteProtocolError` if they are more than ``most``."""
    count, rest = divmod(len(data), ID_DIGEST_BYTES)
    if rest:
        raise RemoteProtocolError(f"ids: {len(data)} bytes are not some digests of {ID_DIGEST_BYTES} each")
    if count > most:
        raise RemoteProtocolError(f"ids: there are more than {most} in a frame", "frame_ids")
    return [data[start : start + ID_DIGEST_BYTES] for start in range(0, len(data), ID_DIGEST_BYTES)]


def split_ids(data: bytes, most: int) -> list[bytes]:
    """The elements in a frame; `RemoteProtocolError` unless they are 1 to ``most``."""
    if not data or len(data) % ELEMENT_BYTES:
        raise RemoteProtocolError(f"ids: {len(data)} bytes are not some of {ELEMENT_BYTES} each")
    if len(data) > most * ELEMENT_BYTES:
        raise RemoteProtocolError(f"ids: there are more than {most} in a frame", "frame_ids")
    return [data[start : start + ELEMENT_BYTES] for start in range(0, len(data), ELEMENT_BYTES)]
