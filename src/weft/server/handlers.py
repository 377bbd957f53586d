"""The answers: one function a call, from the bytes of a request to those of the response.

They run in threads of a `weft.server.reader_pool.ReaderPool` and know nothing of the network.  What they raise is told
to the client by `weft.grpc_status`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice

from weft import __version__
from weft.errors import ChangedError, InvalidRequestError, UsageError
from weft.index.change_log import ChangeLog
from weft.model import Coverage, Thread
from weft.server.evidence import claims_behind, parts_from, ranks_of
from weft.server.reader_pool import IndexReader
from weft.store.interface import StoredClaim
from weft.v1 import threads_pb2 as wire
from weft.wire import explanation, limits
from weft.wire.threads import ColumnOffsets, ThreadColumns, to_bytes, to_text

LARGE = 500
"""Copies and ghosts of a thread that is read in a thread of the slow pool, and kept for its next page."""
_KEPT = 2
"""Large threads that are kept for their next pages."""


class LargeError(Exception):
    """The thread is large; ask for it with `get_large_thread`, where nobody waits behind it."""


def get_thread(reader: IndexReader, data: bytes) -> bytes:
    """A page of a thread that is not large, else `LargeError`.  Remembered for as long as the index is the same."""
    known = reader.remembered(data)
    if known is not None:
        return known
    with reader.snapshot():
        return _get_thread(reader, data, large=False)


def get_large_thread(reader: IndexReader, data: bytes) -> bytes:
    """A page of any thread."""
    with reader.snapshot():
        return reader.cache.get(data) or _get_thread(reader, data, large=True)


def _get_thread(reader: IndexReader, data: bytes, *, large: bool) -> bytes:
    request = limits.parse_request(wire.GetThreadRequest, data)
    if request.prune and request.with_claims:
        raise InvalidRequestError("prune: not together with with_claims, which is about the whole thread")
    root = reader.view.reader.root_of(reader.node(limits.check_id(request.id)))
    key = b"%d %d %d" % (root, request.prune, request.with_claims)
    first = not request.HasField("cursor")
    answer = reader.cache.get(key) if first else None
    if answer is None:
        answer = _thread_page(reader, request, _whole(reader, request, root, key, large=large)).SerializeToString()
        if first:
            reader.remember(key, answer)
    reader.remember(data, answer)
    return answer


@dataclass(frozen=True, slots=True)
class _Whole:
    """A thread with what belongs to its pages."""

    flat: ThreadColumns
    claims: list[StoredClaim]
    coverage: Coverage

    @property
    def version(self) -> bytes:
        """What the pages have in common: over all claims that a thread is made of, also those of its ghosts."""
        thread = self.flat.thread
        digest = sha256(bytes.fromhex(thread.digest))
        digest.update(len(thread.messages).to_bytes(8, "big"))
        for held in self.claims:
            digest.update(held.identity)
        return digest.digest()[:16]


def _thread_page(reader: IndexReader, request: wire.GetThreadRequest, whole: _Whole) -> wire.GetThreadResponse:
    cursor = request.cursor
    start = ColumnOffsets(cursor.messages, cursor.copies, cursor.facts)
    if request.HasField("cursor"):
        _check_cursor(cursor, whole)
    page, end, room = whole.flat.page(start, limits.PAGE_BYTES)
    parts, given = parts_from(reader, whole.claims, cursor.claims, room)
    response = wire.GetThreadResponse(
        page=page,
        parts=parts,
        position=reader.position(),
        profile=reader.view.policy.view.profile.encode(),
    )
    if not request.HasField("cursor"):
        response.ranks.extend(ranks_of(reader, whole.claims))
        response.coverage.CopyFrom(explanation.coverage_to_message(whole.coverage))
    if end != whole.flat.end or given < len(whole.claims):
        response.next.CopyFrom(
            wire.Cursor(messages=end.messages, copies=end.copies, facts=end.facts, claims=given, version=whole.version)
        )
    return response


def _whole(reader: IndexReader, request: wire.GetThreadRequest, root: int, key: bytes, *, large: bool) -> _Whole:
    """The thread that is asked for; kept for the pages to come if it is large."""
    kept = reader.kept.get(key)
    if isinstance(kept, _Whole):
        return kept
    rows = reader.view.reader.rows(root, -1 if large else LARGE + 1)
    if len(rows) > LARGE and not large:
        raise LargeError
    thread = reader.view.reader.built(rows, hidden=not request.prune, coverage_reader=reader.view.coverage_reader())
    assert thread.coverage is not None
    claims = claims_behind(reader, thread) if request.with_claims else []
    whole = _Whole(ThreadColumns.of(thread, _muted(reader)), claims, thread.coverage)
    if len(rows) > LARGE:
        reader.kept[key] = whole
        while len(reader.kept) > _KEPT:
            reader.kept.popitem(last=False)
    return whole


def _check_cursor(cursor: wire.Cursor, whole: _Whole) -> None:
    if cursor.version != whole.version:
        raise ChangedError("the thread has changed since its first page; ask for it again")
    ends = (*whole.flat.end, len(whole.claims))
    if any(
        at > end for at, end in zip((cursor.messages, cursor.copies, cursor.facts, cursor.claims), ends, strict=True)
    ):
        raise InvalidRequestError("cursor: it lies beyond the end of the thread")


def _muted(reader: IndexReader) -> Iterator[tuple[str, str]]:
    return ((to_text(child), to_text(parent)) for child, parent in sorted(reader.view.policy.muted_edges))


def list_threads(reader: IndexReader, data: bytes) -> bytes:
    """A page of threads."""
    request = limits.parse_request(wire.ListThreadsRequest, data)
    size = limits.clamp(request.page_size, limits.THREADS_PAGE)
    after = to_text(limits.check_id(request.after)) if request.after else None
    page = reader.index.threads(
        list_name=limits.check_list(request.list),
        since=request.since if request.HasField("since") else None,
        missing=request.missing,
        hidden=False,
        after=after,
        limit=size + 1,
    )
    threads = list(islice(page, size + 1))
    response = wire.ListThreadsResponse(threads=map(_summary, threads[:size]))
    if len(threads) > size:
        response.next = to_bytes(threads[size - 1].root)
    return response.SerializeToString()


def _summary(thread: Thread) -> wire.Summary:
    held = [message for message in thread.messages if not message.ghost]
    shown = held[0] if held else thread.messages[0]
    dates = [message.date for message in held if message.date]
    return wire.Summary(
        root=to_bytes(thread.root),
        digest=bytes.fromhex(thread.digest),
        messages=len(held),
        ghosts=len(thread.messages) - len(held),
        lists=map(to_bytes, thread.lists),
        subject=to_bytes(shown.subject),
        author=to_bytes(shown.author),
        newest=to_bytes(max(dates, key=_moment, default="")),
    )


def _moment(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()


def search(reader: IndexReader, data: bytes) -> bytes:
    """Messages by their words."""
    request = limits.parse_request(wire.SearchRequest, data)
    words, limit = limits.check_words(request.words), limits.clamp(request.limit, limits.SEARCH_LIMIT)
    try:
        found = reader.index.search(words, limit=limit)
    except UsageError as error:
        raise InvalidRequestError(f"words: {error}") from None
    response = wire.SearchResponse()
    for one in found:
        response.found.add(
            id=to_bytes(one.message_id),
            root=to_bytes(one.root),
            list=to_bytes(one.list),
            date=to_bytes(one.date or ""),
            author=to_bytes(one.author),
            subject=to_bytes(one.subject),
            variants=one.variants,
        )
    return response.SerializeToString()


def explain(reader: IndexReader, data: bytes) -> bytes:
    """Who says what about one id."""
    request = limits.parse_request(wire.ExplainRequest, data)
    found = reader.index.explain(to_text(limits.check_id(request.id)))
    return explanation.to_message(found).SerializeToString()


def status(reader: IndexReader, data: bytes) -> bytes:
    """Who this server is, and what it holds."""
    request = limits.parse_request(wire.StatusRequest, data)
    with reader.snapshot():
        store, policy = reader.index.store, reader.view.policy
        response = wire.StatusResponse(
            version=__version__.encode(),
            origin=reader.index.origin,
            position=store.position(),
            viewed=reader.view.position(),
        )
        for feed, count in sorted(store.feeds().items()):
            tier = policy.tier(feed)
            if tier is not None:
                response.feeds.add(origin=feed.origin, list=feed.list, claims=count, tier=tier)
        digest = reader.cache.get(b"digest") if request.with_digest else b""
    if digest is None:
        digest = reader.index.view_id(common=True)
        reader.remember(b"digest", digest)
    response.digest = digest
    return response.SerializeToString()


def position(reader: IndexReader) -> int:
    """The end of the log."""
    with reader.snapshot():
        return reader.index.store.position()


def changes(reader: IndexReader, after: int) -> wire.WatchResponse:
    """What the next claims beyond a position did."""
    with reader.snapshot():
        found, reached = ChangeLog(reader.view).after(after)
    return wire.WatchResponse(changes=found, position=reached)


def check_after(after: int, end: int) -> int:
    """A position from which a client wants to watch."""
    if after > end:
        raise InvalidRequestError(f"after: the log of this server ends at {end}; begin again from there or from 0")
    return after
