"""Asking a server, without input or output: each call as a generator that yields requests and is sent responses.

So the client that blocks and the one for asyncio (`weft.client.client`) are thin, and say and check the same.  What a
server answers is somebody else's bytes: it is checked before it is given to anybody.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import Message as Wire

from weft.client.verify import ClaimRanking, SignedClaim, check_part, check_thread
from weft.core.message_id import key as id_key
from weft.errors import AnswerError, ChangedError
from weft.model import Coverage, Explanation, FeedStatus, Found, LogChange, ServerStatus, Thread, ThreadSummary
from weft.policy.rules import Policy
from weft.v1 import threads_pb2 as wire
from weft.wire import explanation
from weft.wire.explanation import origin_name
from weft.wire.threads import PageJoiner, to_bytes, to_text

MAX_THREAD = 1 << 30
"""Octets of the pages of one thread; a server that sends more is not believed to have an end."""
RETRIES = 3
"""How often a thread is asked for again because it changed between its pages."""

Answer = TypeVar("Answer")


class Call(NamedTuple):
    """One call to make: a method of the service, its request, and the kind of its response."""

    method: str
    request: Wire
    response: type[Wire]


Asking = Generator[Call, Any, Answer]
"""Yields calls, is sent their responses (or thrown their errors), returns the answer."""


def thread(message_id: str, *, prune: bool, verify: bool, policy: Policy | None) -> Asking[Thread]:
    """A whole thread."""
    for left in reversed(range(RETRIES)):
        try:
            return (yield from _pages(message_id, prune, verify, policy))
        except ChangedError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _pages(message_id: str, prune: bool, verify: bool, policy: Policy | None) -> Asking[Thread]:
    joiner, data = PageJoiner(), 0
    claims: list[SignedClaim] = []
    ranks: list[wire.Rank] = []
    profile, covered = b"", Coverage((), (), ())
    request = wire.GetThreadRequest(id=to_bytes(message_id), prune=prune, with_claims=verify)
    while True:
        response: wire.GetThreadResponse = yield Call("GetThread", request, wire.GetThreadResponse)
        data += response.ByteSize()
        if data > MAX_THREAD:
            raise AnswerError(f"a thread of more than {MAX_THREAD} bytes")
        joiner.add(response.page)
        if verify:
            claims += (proved for part in response.parts for proved in check_part(part))
        if not request.HasField("cursor"):
            ranks, profile = list(response.ranks), response.profile
            covered = explanation.coverage_from_message(response.coverage)
        if not response.HasField("next"):
            break
        if response.next == request.cursor:
            raise AnswerError("a page of a thread that leads to itself")
        request.cursor.CopyFrom(response.next)
    found = joiner.thread(covered)
    if verify:
        aliases = {to_bytes(alias): to_bytes(one.id) for one in found.messages for alias in one.aliases}
        stance = ClaimRanking.stated(ranks, joiner.muted(), profile, aliases)
        if policy is not None:
            stance = ClaimRanking.of(policy)
        _check_asked(found, message_id, claims)
        check_thread(found, claims, stance)
    return found


def _check_asked(found: Thread, message_id: str, claims: Sequence[SignedClaim]) -> None:
    """That the thread holds the id, or one that counts as it, or that one of its messages states."""
    key = id_key(to_bytes(message_id))
    wanted = to_text(key)
    ids = {message.id for message in found.messages}
    stated = any(key in one.claim.aliases and to_text(one.claim.message_id) in ids for one in claims)
    if not stated and wanted not in ids and all(wanted not in message.aliases for message in found.messages):
        raise AnswerError(f"the thread does not hold {message_id!r}, which was asked for")


def threads(
    *, list_name: str | None, since: int | None, missing: bool, after: str | None, page_size: int
) -> Asking[tuple[list[ThreadSummary], str | None]]:
    """A page of threads, and where the next one begins."""
    request = wire.ListThreadsRequest(
        list=to_bytes(list_name or ""),
        since=since,
        missing=missing,
        page_size=page_size,
        after=to_bytes(after or ""),
    )
    response: wire.ListThreadsResponse = yield Call("ListThreads", request, wire.ListThreadsResponse)
    following = to_text(response.next) or None
    if following is not None and (following == after or not response.threads):
        raise AnswerError("a page of threads that leads to itself")
    return list(map(_summary, response.threads)), following


def _summary(one: wire.Summary) -> ThreadSummary:
    return ThreadSummary(
        to_text(one.root),
        one.digest.hex(),
        one.messages,
        one.ghosts,
        tuple(map(to_text, one.lists)),
        to_text(one.subject),
        to_text(one.author),
        to_text(one.newest) or None,
    )


def search(words: str, *, limit: int) -> Asking[list[Found]]:
    """Messages by their words."""
    request = wire.SearchRequest(words=to_bytes(words), limit=limit)
    response: wire.SearchResponse = yield Call("Search", request, wire.SearchResponse)
    return [
        Found(
            to_text(one.id),
            to_text(one.root),
            to_text(one.list),
            to_text(one.date) or None,
            to_text(one.author),
            to_text(one.subject),
            one.variants or 1,
        )
        for one in response.found
    ]


def explain(message_id: str) -> Asking[Explanation]:
    """Who says what about an id."""
    request = wire.ExplainRequest(id=to_bytes(message_id))
    found: wire.ExplainResponse = yield Call("Explain", request, wire.ExplainResponse)
    return explanation.from_message(found)


def status(*, digest: bool) -> Asking[ServerStatus]:
    """Who the server is."""
    found: wire.StatusResponse = yield Call("Status", wire.StatusRequest(with_digest=digest), wire.StatusResponse)
    feeds = (FeedStatus(origin_name(one.origin), to_text(one.list), one.claims, one.tier) for one in found.feeds)
    version, origin = to_text(found.version), origin_name(found.origin)
    return ServerStatus(version, origin, tuple(feeds), found.position, found.viewed, found.digest.hex())


def trees_request(ids: Sequence[str], version: bytes) -> wire.TreesRequest:
    """What asks for trees."""
    return wire.TreesRequest(version=version, ids=map(to_bytes, ids))


def watch_request(after: int | None, list_name: str | None) -> wire.WatchRequest:
    """What asks for changes."""
    return wire.WatchRequest(after=after, list=to_bytes(list_name or ""))


def changes(response: wire.WatchResponse) -> list[LogChange]:
    """The changes in a response."""
    return [
        LogChange(
            one.position,
            tuple(map(_cause, one.causes)),
            to_text(one.id),
            to_text(one.root),
            one.claim.hex(),
            origin_name(one.origin),
            to_text(one.list),
        )
        for one in response.changes
    ]


def _cause(number: int) -> str:
    """The name of a cause; one of a later version has a number only."""
    known = wire.Change.Cause.values()
    return wire.Change.Cause.Name(number).lower().replace("_", " ") if number in known else f"cause {number}"
