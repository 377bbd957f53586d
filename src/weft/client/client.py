"""The client: ``with weft.connect("127.0.0.1:7430") as peer: peer.thread("a@x")``.

It is a thin shell around `weft.client.calls`, as the one for asyncio is (`weft.client.aio`).  On loopback and unix
sockets they speak plain text; anywhere else TLS with a server that is known by its name, or pinned by its fingerprint.
A client that verifies asks for the claims behind each thread and checks them (`weft.client.verify`); then it need not
trust the server, but for what it withholds.

Errors: `weft.errors.NotFoundError` for an id that nobody there names; those of `weft.grpc_status`;
`weft.errors.ClaimError` and `weft.errors.AnswerError` for a server that lies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import grpc
from google.protobuf.message import Message as Wire

from weft.client import calls
from weft.client.calls import Asking, Call
from weft.client.channel import (
    COMPARE_TIMEOUT,
    PAGE,
    THREADS_OF_STREAM,
    TIMEOUT,
    AnswerChecks,
    Target,
    ask_thread,
    both,
    parsed,
    stream,
    unary,
)
from weft.client.pipeline import PipelinedRequests
from weft.errors import WeftError
from weft.grpc_status import error_of
from weft.model import (
    CommonSummary,
    Explanation,
    LogChange,
    SearchResults,
    ServerStatus,
    Thread,
    ThreadDigest,
    ThreadSummary,
)
from weft.policy.rules import Policy
from weft.thread_tree import ThreadTree
from weft.v1 import threads_pb2 as wire
from weft.wire.digests import DigestReader
from weft.wire.trees import TreeJoiner

Answer = TypeVar("Answer")
_LET_GO = 1.0
"""Seconds that closing may take after an interrupt."""


def connect(
    address: str,
    *,
    fingerprint: str | None = None,
    index: str | Path | None = None,
    roots: str | Path | None = None,
    verify: bool = False,
    policy: Policy | None = None,
    timeout: float = TIMEOUT,
) -> Client:
    """A client of the server at ``HOST:PORT`` or ``unix:PATH``; it connects when it is first asked for something.

    On loopback and on a unix socket plain text is spoken, unless one of the next three is given; anywhere else TLS is.

    ``fingerprint``: of the server's origin, and nobody else is spoken with; without it the server must show a
    certificate of its name, issued by an authority that this machine trusts, or by one in the file ``roots`` (PEM).
    ``index``: the one whose identity is shown to a server that lets only those in who have rights.
    ``verify``: check each thread against the claims behind it, under ``policy`` if given (`weft.client.verify`).
    ``timeout``: seconds for each call.
    """
    target = Target.of(address, fingerprint, index, roots)
    if target.credentials is None:
        channel = grpc.insecure_channel(target.address, options=target.options)
    else:
        channel = grpc.secure_channel(target.address, target.credentials, options=target.options)
    return Client(channel, address, AnswerChecks(verify or policy is not None, policy), timeout)


class Client:
    """Asks one server; a context manager.  Any number of threads may use it."""

    def __init__(self, channel: grpc.Channel, address: str, checks: AnswerChecks, timeout: float) -> None:
        """Use `connect`."""
        self._channel = channel
        self._address = address
        self._checks = checks
        self._timeout = timeout
        self._methods: dict[str, Callable[..., bytes]] = {}

    def thread(self, message_id: str, *, hidden: bool = True) -> Thread:
        """The whole thread in which an id stands.  ``hidden``: with ghosts that have no held descendant."""
        return self._run(ask_thread(message_id, hidden, self._checks))

    def threads(
        self,
        *,
        list_name: str | None = None,
        since: int | None = None,
        missing: bool = False,
        page_size: int = PAGE,
    ) -> Iterator[ThreadSummary]:
        """Threads, the one with the newest message first; pages are asked for when they are needed.

        ``since``: seconds since 1970; ``missing``: only those that lack a message.
        """
        token = ""
        while True:
            page, token = self._run(
                calls.threads(list_name=list_name, since=since, missing=missing, page_token=token, page_size=page_size)
            )
            yield from page
            if not token:
                return

    def threads_of(self, ids: Iterable[str], *, hidden: bool = True) -> Iterator[Thread | WeftError]:
        """The threads in which some ids stand, in the order of the ids, over one stream: quicker than one by one.

        An error stands in its place, and the others go on; for an id that nobody there names, that is
        `weft.errors.NotFoundError`.  ``ids`` is read while threads are given.
        """
        left = iter(ids)
        for first in left:
            yield from self._together(chain((first,), islice(left, THREADS_OF_STREAM - 1)), hidden)

    def _together(self, ids: Iterator[str], hidden: bool) -> Iterator[Thread | WeftError]:
        together, requests = PipelinedRequests(self._address), SimpleQueue[bytes | None]()
        call = both(self._channel, "GetThreads")(iter(requests.get, None), timeout=COMPARE_TIMEOUT)
        responses = _received(call, self._address)
        try:
            while True:
                yield from together.ready()
                while together.has_room and (name := next(ids, None)) is not None:
                    for request in together.begin(ask_thread(name, hidden, self._checks)):
                        requests.put(request)
                if not together.waits:
                    break
                for request in together.take(next(responses, None)):
                    requests.put(request)
            requests.put(None)
            call.code()  # waits for the end
        finally:
            requests.put(None)
            call.cancel()

    def search(
        self,
        words: str,
        *,
        limit: int = 100,
        list_name: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> SearchResults:
        """Messages whose subject and author hold all the words, the newest first.

        ``list_name``: only copies on this list; ``since``: only messages of that date or a later one, in seconds since
        1970; ``until``: only earlier ones.  The answer says whether it is ``incomplete``.
        """
        return self._run(calls.search(words, limit=limit, list_name=list_name, since=since, until=until))

    def explain(self, message_id: str) -> Explanation:
        """Who says what about an id, and which rule decided its edge."""
        return self._run(calls.explain(message_id))

    def status(self, *, digest: bool = False) -> ServerStatus:
        """Who the server is and what it holds; ``digest`` makes it read every claim."""
        return self._run(calls.status(digest=digest))

    def common_view(self) -> CommonSummary:
        """The common view of the server as a whole; makes it read every claim, once for each state of its index."""
        call = self._open("StreamDigests", wire.StreamDigestsRequest(summary_only=True))
        return DigestStream(call, self._address).summary

    def digests(self) -> DigestStream:
        """Every thread of the server's common view by its root, in the order of the roots' bytes, with its digest.

        Equal threads have equal digests anywhere.  Nothing here is signed: a server can state any digest.
        """
        return DigestStream(self._open("StreamDigests", wire.StreamDigestsRequest()), self._address)

    def trees(self, ids: Sequence[str], version: bytes) -> Iterator[ThreadTree]:
        """The trees of the common view in which the ids stand, at most 1000 of them; those not there are passed over.

        ``version`` is that of the digests; `weft.errors.ChangedError` if the server has let go of that state.
        """
        call = self._open("StreamTrees", calls.trees_request(ids, version))
        joiner = TreeJoiner()
        try:
            for data in _received(call, self._address):
                yield from joiner.take(parsed(wire.StreamTreesResponse, data))
            yield from joiner.finish()
        finally:
            call.cancel()

    def watch(self, *, after: int | None = None, list_name: str | None = None) -> ChangeStream:
        """What comes into the log: beyond a position, or from now on.  It listens when this returns."""
        call = stream(self._channel)(calls.watch_request(after, list_name).SerializeToString())
        return ChangeStream(call, self._address)

    def close(self) -> None:
        """End the connection, and all watches."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            self.close()
        else:
            self._let_go()

    def _let_go(self) -> None:
        """Close, but do not wait for ever: gRPC would, if a signal has interrupted a call that was just beginning."""
        closing = threading.Thread(target=self.close, daemon=True)
        closing.start()
        closing.join(_LET_GO)

    def _open(self, method: str, request: Wire) -> Any:  # noqa: ANN401 - the stubs know no call that is a stream
        timeout = max(self._timeout, COMPARE_TIMEOUT)
        return stream(self._channel, method)(request.SerializeToString(), timeout=timeout)

    def _run(self, asking_it: Asking[Answer]) -> Answer:
        try:
            call = next(asking_it)
            while True:
                try:
                    response = self._invoke(call)
                except Exception as error:  # the one who asks may try again
                    call = asking_it.throw(error)
                else:
                    call = asking_it.send(response)
        except StopIteration as end:
            return cast(Answer, end.value)

    def _invoke(self, call: Call) -> Wire:
        method = self._methods.get(call.method)
        if method is None:
            method = self._methods[call.method] = unary(self._channel, call.method)
        try:
            data = method(call.request.SerializeToString(), timeout=self._timeout)
        except grpc.RpcError as error:
            status = cast(grpc.Call, error)
            raise error_of(self._address, status.code(), status.details()) from None
        return cast(Wire, parsed(call.response, data))


class ChangeStream(Iterator[LogChange]):
    """Changes as they come; `close` ends it."""

    def __init__(self, call: Any, address: str) -> None:  # noqa: ANN401 - the stubs know no call that is a stream
        """Use `Client.watch`."""
        self._call = call
        self._address = address
        self._waiting: list[LogChange] = []
        self.position = 0
        """Up to here the log has been looked at."""
        self._take()

    def __next__(self) -> LogChange:
        while not self._waiting:
            self._take()
        return self._waiting.pop()

    def close(self) -> None:
        """Listen no more."""
        self._call.cancel()

    def _take(self) -> None:
        try:
            data = next(self._call)
        except grpc.RpcError as error:
            status = cast(grpc.Call, error)
            raise error_of(self._address, status.code(), status.details()) from None
        response = parsed(wire.WatchChangesResponse, data)
        self._waiting = calls.changes(response)[::-1]
        self.position = response.log_position


class DigestStream(Iterator[ThreadDigest]):
    """Digests as they come; `close` ends them."""

    def __init__(self, call: Any, address: str) -> None:  # noqa: ANN401 - as above
        """Use `Client.digests`."""
        self._call = call
        self._responses = _received(call, address)
        self._reader = DigestReader(parsed(wire.StreamDigestsResponse, next(self._responses, b"")))
        self._waiting: Iterator[ThreadDigest] = iter(())
        self.summary = self._reader.summary
        """Of all that comes."""

    def __next__(self) -> ThreadDigest:
        while True:
            for one in self._waiting:
                return one
            data = next(self._responses, None)
            if data is None:
                self._reader.finish()
                raise StopIteration
            self._waiting = self._reader.take(parsed(wire.StreamDigestsResponse, data))

    def close(self) -> None:
        """Take no more."""
        self._call.cancel()


def _received(call: Any, address: str) -> Iterator[bytes]:  # noqa: ANN401 - as above
    """The responses of a stream; the errors of `weft.grpc_status`."""
    try:
        yield from call
    except grpc.RpcError as error:
        status = cast(grpc.Call, error)
        raise error_of(address, status.code(), status.details()) from None
