"""The answers: one function a call, from the bytes of a request to those of the response.

They run in threads of a `weft.server.reader_pool.ReaderPool` and know nothing of the network.  What they raise is told
to the client by `weft.grpc_failure`.  Threads are in `weft.server.thread_pages`.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from hashlib import sha256
from itertools import islice

from weft import __version__
from weft.core.signing import fingerprint
from weft.errors import ChangedError, InvalidRequestError, NotFoundError, UsageError
from weft.index.change_log import ChangeLog
from weft.model import Explanation, Found, Thread
from weft.server.reader_pool import IndexReader
from weft.v1 import threads_pb2 as wire
from weft.wire import explanation, limits
from weft.wire.page_token import bad_token, page_token, read_page_token
from weft.wire.stated_time import to_stated_time
from weft.wire.threads import to_bytes, to_string, to_text

_NUMBER_BYTES = 8
_VERSION_BYTES = 16


def list_threads(reader: IndexReader, data: bytes) -> bytes:
    """A page of threads."""
    request = limits.parse_request(wire.ListThreadsRequest, data)
    size = limits.check_page_size(request.page_size, limits.THREADS_PAGE, limits.DEFAULT_PAGE)
    name, after = limits.check_list(request.list), read_page_token(request)
    since = request.since_time.seconds if request.HasField("since_time") else None
    try:
        page = reader.index.threads(
            list_name=name,
            since=since,
            missing=request.only_incomplete,
            hidden=False,
            after=None if after is None else to_text(after),
            limit=size + 1,
        )
        threads = list(islice(page, size + 1))
    except NotFoundError:
        raise _gone() from None
    response = wire.ListThreadsResponse(threads=map(_summary, threads[:size]))
    if len(threads) > size:
        response.next_page_token = page_token(request, to_bytes(threads[size - 1].root))
    return response.SerializeToString()


def _gone() -> ChangedError:
    """That a page token leads to an id that is not here any more."""
    return ChangedError("what the page token leads to is gone; begin again with the first page")


def _summary(thread: Thread) -> wire.ThreadSummary:
    held = [message for message in thread.messages if not message.ghost]
    shown = held[0] if held else thread.messages[0]
    dates = [message.date for message in held if message.date]
    return wire.ThreadSummary(
        root_id=to_bytes(thread.root),
        digest=bytes.fromhex(thread.digest),
        message_count=len(held),
        ghost_count=len(thread.messages) - len(held),
        lists=map(to_string, thread.lists),
        subject=to_string(shown.subject),
        author=to_string(shown.author),
        newest_date=to_stated_time(max(dates, key=_moment, default=None)),
    )


def _moment(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()


def search(reader: IndexReader, data: bytes) -> bytes:
    """A page of messages by their words."""
    request = limits.parse_request(wire.SearchMessagesRequest, data)
    words = limits.check_query(request.query)
    size = limits.check_page_size(request.page_size, limits.SEARCH_PAGE, limits.DEFAULT_PAGE)
    name, after = limits.check_list(request.list), read_page_token(request)
    try:
        found = reader.index.search(
            words,
            limit=size + 1,
            list_name=name,
            since=request.since_time.seconds if request.HasField("since_time") else None,
            until=request.until_time.seconds if request.HasField("until_time") else None,
            after=None if after is None else to_text(after),
        )
    except NotFoundError:
        raise _gone() from None
    except UsageError as error:
        raise InvalidRequestError(str(error), "query") from None
    response = wire.SearchMessagesResponse(results=map(_result, found[:size]), incomplete=found.incomplete)
    if len(found) > size:
        response.next_page_token = page_token(request, to_bytes(found[size - 1].message_id))
    return response.SerializeToString()


def _result(one: Found) -> wire.SearchMessagesResponse.Result:
    return wire.SearchMessagesResponse.Result(
        message_id=to_bytes(one.message_id),
        root_id=to_bytes(one.root),
        list=to_string(one.list),
        date=to_stated_time(one.date),
        author=to_string(one.author),
        subject=to_string(one.subject),
        variant_count=one.variants,
    )


def explain(reader: IndexReader, data: bytes) -> bytes:
    """A page of who says what about one id."""
    request = limits.parse_request(wire.ExplainMessageRequest, data)
    size = limits.check_page_size(request.page_size, limits.EXPLAINED)
    message_id, token = limits.check_id(request.message_id), read_page_token(request)
    with reader.snapshot():
        found = reader.kept.get(b"explain " + message_id)
        if not isinstance(found, Explanation):
            found = reader.index.explain(to_text(message_id))
        response, following = explanation.to_message(found, 0 if token is None else _start(token, found), size)
        if following is not None:
            reader.keep(b"explain " + message_id, found)
            where = following.to_bytes(_NUMBER_BYTES, "big") + _version(found)
            response.next_page_token = page_token(request, where)
    return response.SerializeToString()


def _version(found: Explanation) -> bytes:
    """What the pages of an explanation have in common."""
    return sha256(repr(found).encode("utf-8", "surrogatepass")).digest()[:_VERSION_BYTES]


def _start(token: bytes, found: Explanation) -> int:
    """Where a page of an explanation begins."""
    if len(token) != _NUMBER_BYTES + _VERSION_BYTES:
        raise bad_token()
    if token[_NUMBER_BYTES:] != _version(found):
        raise ChangedError("what is said about this id has changed since the first page; begin again with that")
    return min(int.from_bytes(token[:_NUMBER_BYTES], "big"), 1 << 60)


def status(reader: IndexReader, data: bytes) -> bytes:
    """Who this server is."""
    request = limits.parse_request(wire.GetStatusRequest, data)
    with reader.snapshot():
        response = wire.GetStatusResponse(
            version=__version__,
            origin=reader.index.origin,
            origin_fingerprint=fingerprint(reader.index.origin),
            log_position=reader.index.store.position(),
            view_position=reader.view.position(),
        )
        digest = reader.cache.get(b"digest") if request.include_view_digest else b""
    if digest is None:
        digest = reader.index.view_id(common=True)
        reader.remember(b"digest", digest)
    response.view_digest = digest
    return response.SerializeToString()


def list_feeds(reader: IndexReader, data: bytes) -> bytes:
    """A page of the feeds that are held and admitted."""
    request = limits.parse_request(wire.ListFeedsRequest, data)
    size, after = limits.check_page_size(request.page_size, limits.FEEDS_PAGE), read_page_token(request)
    with reader.snapshot():
        counts = reader.index.store.feeds()
    tiers = {feed: tier for feed in counts if (tier := reader.view.policy.tier(feed)) is not None}
    feeds = sorted(tiers, key=lambda feed: feed.origin + feed.list)
    start = 0 if after is None else bisect_right(feeds, after, key=lambda feed: feed.origin + feed.list)
    response = wire.ListFeedsResponse()
    for feed in feeds[start : start + size]:
        response.feeds.add(origin=feed.origin, list=feed.list.decode(), claim_count=counts[feed], tier=tiers[feed])
    if start + size < len(feeds):
        last = feeds[start + size - 1]
        response.next_page_token = page_token(request, last.origin + last.list)
    return response.SerializeToString()


def position(reader: IndexReader) -> int:
    """The end of the log."""
    with reader.snapshot():
        return reader.index.store.position()


def changes(reader: IndexReader, after: int) -> wire.WatchChangesResponse:
    """What the next claims beyond a position did."""
    with reader.snapshot():
        found, reached = ChangeLog(reader.view).after(after)
    return wire.WatchChangesResponse(changes=found, log_position=reached)


def check_after(after: int, end: int) -> int:
    """A position from which a client wants to watch."""
    if after > end:
        reason = f"the log of this server ends at {end}; begin again from there or from 0"
        raise InvalidRequestError(reason, "after_position")
    return after
