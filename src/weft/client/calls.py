"""Asking a server, without input or output: each call as a generator that yields requests and is sent responses.

So the client that blocks and the one for asyncio (`weft.client.client`) are thin, and say and check the same.  What a
server answers is somebody else's bytes: it is checked before it is given to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import Message as Wire
from google.protobuf.timestamp_pb2 import Timestamp

from weft.client.verify import ClaimRanking, SignedClaim, check_part, check_thread
from weft.core.handle import handle_letters, parse_handle
from weft.core.message_id import key as id_key
from weft.errors import AnswerError, ChangedError, UsageError
from weft.model import Explanation, FeedStatus, Found, LogChange, SearchResults, ServerStatus, Thread, ThreadSummary
from weft.policy.rules import Policy
from weft.v1 import threads_pb2 as wire
from weft.wire import explanation
from weft.wire.coverage import coverage_from_message
from weft.wire.explanation import origin_name
from weft.wire.limits import SEARCH_PAGE
from weft.wire.rules import CAUSE_WORDS
from weft.wire.stated_time import from_stated_time, timestamp
from weft.wire.threads import PageJoiner, to_bytes, to_string, to_text

MAX_THREAD = 1 << 30
"""Octets of the pages of one thread; a server that sends more is not believed to have an end."""
MAX_FEEDS = 1 << 20
"""The same for feeds."""
RETRIES = 3
"""How often something is asked for again because it changed between its pages."""

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
    return (yield from _unchanged(lambda: _pages(message_id, prune, verify, policy)))


def _unchanged(ask: Callable[[], Asking[Answer]]) -> Asking[Answer]:
    """What ``ask`` asks for in pages, begun again if it changed between them."""
    for left in reversed(range(RETRIES)):
        try:
            return (yield from ask())
        except ChangedError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _pages(message_id: str, prune: bool, verify: bool, policy: Policy | None) -> Asking[Thread]:
    joiner, data = PageJoiner(), 0
    claims: list[SignedClaim] = []
    ranks: list[wire.FeedRank] = []
    request = wire.GetThreadRequest(
        message_id=to_bytes(message_id),
        view=wire.THREAD_VIEW_COLUMNS,
        omit_empty_ghosts=prune,
        include_claims=verify,
    )
    while True:
        response: wire.GetThreadResponse = yield Call("GetThread", request, wire.GetThreadResponse)
        data += response.ByteSize()
        if data > MAX_THREAD:
            raise AnswerError(f"a thread of more than {MAX_THREAD} bytes")
        if response.HasField("columns"):
            joiner.add(response.columns)
        if verify:
            claims += (proved for part in response.parts for proved in check_part(part))
            ranks += response.ranks
        if not response.next_page_token:
            break
        _go_on(request, response.next_page_token)
    found = joiner.thread(response.digest, coverage_from_message(response.coverage))
    if verify:
        aliases = {to_bytes(alias): to_bytes(one.id) for one in found.messages for alias in one.aliases}
        stance = ClaimRanking.stated(ranks, joiner.muted(), response.profile, aliases)
        if policy is not None:
            stance = ClaimRanking.of(policy)
        _check_asked(found, message_id, claims)
        check_thread(found, claims, stance)
    return found


def _go_on(request: Any, token: str) -> None:  # noqa: ANN401 - any request that has pages
    """Make a request ask for the next page."""
    if token == request.page_token:
        raise AnswerError("a page that leads to itself")
    request.page_token = token


def _check_asked(found: Thread, message_id: str, claims: Sequence[SignedClaim]) -> None:
    """That the thread holds the id, or one that counts as it, or that a message states, or whose handle was asked."""
    letters = parse_handle(message_id)
    if letters and any(handle_letters(to_bytes(message.id)).startswith(letters) for message in found.messages):
        return
    key = id_key(to_bytes(message_id))
    wanted = to_text(key)
    ids = {message.id for message in found.messages}
    stated = any(key in one.claim.aliases and to_text(one.claim.message_id) in ids for one in claims)
    if not stated and wanted not in ids and all(wanted not in message.aliases for message in found.messages):
        raise AnswerError(f"the thread does not hold {message_id!r}, which was asked for")


def threads(
    *, list_name: str | None, since: int | None, missing: bool, page_token: str, page_size: int
) -> Asking[tuple[list[ThreadSummary], str]]:
    """A page of threads, and the token of the next one, or empty."""
    request = wire.ListThreadsRequest(
        list=to_string(list_name or ""),
        since_time=_timestamp(since),
        only_incomplete=missing,
        page_size=page_size,
        page_token=page_token,
    )
    response: wire.ListThreadsResponse = yield Call("ListThreads", request, wire.ListThreadsResponse)
    if response.next_page_token and not response.threads:
        raise AnswerError("a page of threads that is empty, and not the last one")
    if response.next_page_token:
        _go_on(request, response.next_page_token)
    return list(map(_summary, response.threads)), response.next_page_token


def _timestamp(seconds: int | None) -> Timestamp | None:
    """A moment for a request; `UsageError`."""
    if seconds is None:
        return None
    found = timestamp(seconds)
    if found is None:
        raise UsageError(f"{seconds} seconds since 1970 are not in the years 1-9999")
    return found


def _summary(one: wire.ThreadSummary) -> ThreadSummary:
    return ThreadSummary(
        to_text(one.root_id),
        one.digest.hex(),
        one.message_count,
        one.ghost_count,
        tuple(one.lists),
        one.subject,
        one.author,
        from_stated_time(one.newest_date),
    )


def search(
    words: str, *, limit: int, list_name: str | None = None, since: int | None = None, until: int | None = None
) -> Asking[SearchResults]:
    """Messages by their words."""
    request = wire.SearchMessagesRequest(
        query=to_string(words),
        list=to_string(list_name or ""),
        since_time=_timestamp(since),
        until_time=_timestamp(until),
    )
    found = SearchResults()
    while len(found) < limit:
        request.page_size = min(limit - len(found), SEARCH_PAGE)
        response: wire.SearchMessagesResponse = yield Call("SearchMessages", request, wire.SearchMessagesResponse)
        found += map(_found, response.results)
        found.incomplete |= response.incomplete
        if not response.next_page_token:
            break
        if not response.results:
            raise AnswerError("a page of messages that is empty, and not the last one")
        _go_on(request, response.next_page_token)
    del found[limit:]
    return found


def _found(one: wire.SearchMessagesResponse.Result) -> Found:
    return Found(
        to_text(one.message_id),
        to_text(one.root_id),
        one.list,
        from_stated_time(one.date),
        one.author,
        one.subject,
        one.variant_count or 1,
    )


def explain(message_id: str) -> Asking[Explanation]:
    """Who says what about an id."""
    return (yield from _unchanged(lambda: _explanation(message_id)))


def _explanation(message_id: str) -> Asking[Explanation]:
    request = wire.ExplainMessageRequest(message_id=to_bytes(message_id))
    pages: list[wire.ExplainMessageResponse] = []
    data = 0
    while True:
        page: wire.ExplainMessageResponse = yield Call("ExplainMessage", request, wire.ExplainMessageResponse)
        data += page.ByteSize()
        if data > MAX_THREAD:
            raise AnswerError(f"an explanation of more than {MAX_THREAD} bytes")
        pages.append(page)
        if not page.next_page_token:
            return explanation.from_pages(pages)
        _go_on(request, page.next_page_token)


def status(*, digest: bool) -> Asking[ServerStatus]:
    """Who the server is, and the feeds that it holds."""
    request = wire.GetStatusRequest(include_view_digest=digest)
    found: wire.GetStatusResponse = yield Call("GetStatus", request, wire.GetStatusResponse)
    feeds = yield from _feeds()
    origin = origin_name(found.origin)
    return ServerStatus(
        found.version, origin, tuple(feeds), found.log_position, found.view_position, found.view_digest.hex()
    )


def _feeds() -> Asking[list[FeedStatus]]:
    request = wire.ListFeedsRequest()
    feeds: list[FeedStatus] = []
    while True:
        page: wire.ListFeedsResponse = yield Call("ListFeeds", request, wire.ListFeedsResponse)
        feeds += (FeedStatus(origin_name(one.origin), one.list, one.claim_count, one.tier) for one in page.feeds)
        if not page.next_page_token:
            return feeds
        if not page.feeds or len(feeds) > MAX_FEEDS:
            raise AnswerError(f"pages of feeds that are empty, or more than {MAX_FEEDS} feeds")
        _go_on(request, page.next_page_token)


def trees_request(ids: Sequence[str], version: bytes) -> wire.StreamTreesRequest:
    """What asks for trees."""
    return wire.StreamTreesRequest(view_version=version, message_ids=map(to_bytes, ids))


def watch_request(after: int | None, list_name: str | None) -> wire.WatchChangesRequest:
    """What asks for changes."""
    return wire.WatchChangesRequest(after_position=after, list=to_string(list_name or ""))


def changes(response: wire.WatchChangesResponse) -> list[LogChange]:
    """The changes in a response."""
    return [
        LogChange(
            one.log_position,
            tuple(map(_cause, one.causes)),
            to_text(one.message_id),
            to_text(one.root_id),
            one.claim_id.hex(),
            origin_name(one.origin),
            one.list,
        )
        for one in response.changes
    ]


def _cause(number: int) -> str:
    """The name of a cause; one of a later version has a number only."""
    return CAUSE_WORDS.get(number, f"cause {number}")  # type: ignore[call-overload, no-any-return]
