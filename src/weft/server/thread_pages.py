"""Pages of threads: from the bytes of a request to those of the response, for single calls and for streams.

Theory of operation
-------------------
Answers of one page are remembered, by their request and by what it asks for.  A thread that is large is read in a
thread of the slow pool and kept there for its next pages (`LargeError`).  All pages of a thread are of one state: a
token names it, and ends with it.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from weft.errors import ChangedError, InvalidRequestError
from weft.model import Coverage, Thread
from weft.server.evidence import claims_behind, parts_from, ranks_of
from weft.server.reader_pool import IndexReader
from weft.store.interface import StoredClaim
from weft.v1 import threads_pb2 as wire
from weft.wire import limits
from weft.wire.coverage import coverage_to_message
from weft.wire.page_token import bad_token, page_token, read_page_token
from weft.wire.rows import fill_rows
from weft.wire.rules import PROFILES
from weft.wire.threads import ColumnOffsets, ThreadColumns, to_text

LARGE = 500
"""Copies and ghosts of a thread that is read in a thread of the slow pool, and kept for its next page."""
_TOKEN = struct.Struct(">4Q16s")
_VIEWS = (wire.THREAD_VIEW_UNSPECIFIED, wire.THREAD_VIEW_ROWS, wire.THREAD_VIEW_COLUMNS)


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
    start = _check_request(request)
    root = reader.view.reader.root_of(reader.node(limits.check_id(request.message_id)))
    key = b"%d %d %d" % (root, request.omit_empty_ghosts, request.include_claims)
    page_key = b"%s %d %d" % (key, request.view, request.page_size)
    answer = reader.cache.get(page_key) if start is None else None
    if answer is None:
        page = _page(reader, request, _whole(reader, request, root, key, large=large), start)
        answer = page.SerializeToString()
        if start is None and not page.next_page_token:  # tokens are of one request, and this is for any id of a thread
            reader.remember(page_key, answer)
    reader.remember(data, answer)
    return answer


def _check_request(request: wire.GetThreadRequest) -> _Start | None:
    """Where the page begins; None: it is the first one."""
    if request.omit_empty_ghosts and request.include_claims:
        raise InvalidRequestError(
            "not together with include_claims, which is about the whole thread", "omit_empty_ghosts"
        )
    if request.view not in _VIEWS:
        raise InvalidRequestError("not one that this server knows", "view")
    token = read_page_token(request) if request.page_token else None
    return None if token is None else _Start.read(token)


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page begins, and of which state of a thread it is."""

    columns: ColumnOffsets
    claims: int
    version: bytes

    @classmethod
    def read(cls, token: bytes) -> _Start:
        try:
            messages, copies, facts, claims, version = _TOKEN.unpack(token)
        except struct.error:
            raise bad_token() from None
        return cls(ColumnOffsets(messages, copies, facts), claims, version)

    def token(self) -> bytes:
        return _TOKEN.pack(*self.columns, self.claims, self.version)


@dataclass(frozen=True)
class _Whole:
    """A thread with what belongs to its pages."""

    thread: Thread
    claims: list[StoredClaim]
    muted: list[tuple[str, str]]
    """(child, parent) of the edges that do not count."""

    @cached_property
    def columns(self) -> ThreadColumns:
        """The thread as columns."""
        return ThreadColumns.of(self.thread, self.muted)

    @cached_property
    def muted_parents(self) -> dict[str, list[str]]:
        """The same edges by child."""
        found = defaultdict(list)
        for child, parent in self.muted:
            found[child].append(parent)
        return found

    @property
    def coverage(self) -> Coverage:
        """How complete it can be."""
        assert self.thread.coverage is not None
        return self.thread.coverage

    @cached_property
    def version(self) -> bytes:
        """What the pages have in common: over all claims that a thread is made of, also those of its ghosts."""
        digest = sha256(bytes.fromhex(self.thread.digest))
        digest.update(len(self.thread.messages).to_bytes(8, "big"))
        for held in self.claims:
            digest.update(held.identity)
        return digest.digest()[:16]

    def end(self, view: wire.ThreadView) -> ColumnOffsets:
        """Where nothing is left."""
        if view == wire.THREAD_VIEW_COLUMNS:
            return self.columns.end
        return ColumnOffsets(len(self.thread.messages))


def _page(
    reader: IndexReader, request: wire.GetThreadRequest, whole: _Whole, start: _Start | None
) -> wire.GetThreadResponse:
    at, given = (ColumnOffsets(), 0) if start is None else _checked(start, request, whole)
    size = limits.check_page_size(request.page_size, limits.MESSAGES_PAGE)
    response = wire.GetThreadResponse(
        total_size=len(whole.thread.messages),
        log_position=reader.position(),
        profile=PROFILES[reader.view.policy.view.profile],
    )
    if request.view == wire.THREAD_VIEW_COLUMNS:
        at, room = whole.columns.page(response.columns, at, limits.PAGE_BYTES, size)
    else:
        messages, muted = whole.thread.messages, whole.muted_parents
        place, room = fill_rows(response, messages, muted, at.messages, limits.PAGE_BYTES, size)
        at = ColumnOffsets(place)
    if given < len(whole.claims):
        parts, end = parts_from(reader, whole.claims, given, room)
        response.parts.extend(parts)
        response.ranks.extend(ranks_of(reader, whole.claims, given, end))
        given = end
    if at == whole.end(request.view) and given == len(whole.claims):
        response.digest = bytes.fromhex(whole.thread.digest)
        response.coverage.CopyFrom(coverage_to_message(whole.coverage))
    else:
        response.next_page_token = page_token(request, _Start(at, given, whole.version).token())
    return response


def _checked(start: _Start, request: wire.GetThreadRequest, whole: _Whole) -> tuple[ColumnOffsets, int]:
    """Where a page begins in a thread, if it is the one that the token is of."""
    if start.version != whole.version:
        raise ChangedError("the thread has changed since its first page; ask for it again")
    ends = (*whole.end(request.view), len(whole.claims))
    if any(at > end for at, end in zip((*start.columns, start.claims), ends, strict=True)):
        raise bad_token()
    return start.columns, start.claims


def _whole(reader: IndexReader, request: wire.GetThreadRequest, root: int, key: bytes, *, large: bool) -> _Whole:
    """The thread that is asked for; kept for the pages to come if it is large."""
    kept = reader.kept.get(key)
    if isinstance(kept, _Whole):
        return kept
    rows = reader.view.reader.rows(root, -1 if large else LARGE + 1)
    if len(rows) > LARGE and not large:
        raise LargeError
    hidden = not request.omit_empty_ghosts
    thread = reader.view.reader.built(rows, hidden=hidden, coverage_reader=reader.view.coverage_reader())
    claims = claims_behind(reader, thread) if request.include_claims else []
    edges = reader.view.policy.muted_edges
    muted = [(to_text(child), to_text(parent)) for child, parent in sorted(edges)] if edges else []
    whole = _Whole(thread, claims, muted)
    if len(rows) > LARGE:
        reader.keep(key, whole)
    return whole
