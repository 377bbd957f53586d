"""Pages of threads: from the bytes of a request to those of the response, for single calls and for streams.

Theory of operation
-------------------
Answers of one page are remembered, by their request and by what it asks for.  A thread that is large is read in a
thread of the slow pool (`LargeError`), run by run (`weft.index.large_thread`): the first page costs the outline of the
thread and one run.  The claims behind it come after all messages, and what needs all claims, such as the digest, on the
last page.  All pages of a thread are of one state: a token names it, and ends with it.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

from weft.errors import ChangedError, InvalidRequestError
from weft.index.large_thread import RUN, LargeThread
from weft.model import Coverage, Message, Thread
from weft.server.evidence import claims_behind, parts_from, ranks_of
from weft.server.reader_pool import IndexReader
from weft.store.interface import StoredClaim
from weft.v1 import threads_pb2 as wire
from weft.wire import limits
from weft.wire.coverage import coverage_to_message
from weft.wire.page_token import bad_token, page_token, read_page_token
from weft.wire.rows import fill_rows
from weft.wire.rules import PROFILES
from weft.wire.threads import ColumnOffsets, ThreadColumns, to_bytes, to_text

LARGE = 500
"""Copies and ghosts of a thread that is read in a thread of the slow pool, and kept for its next page."""
_VERSION_BYTES = 16
_TOKEN = struct.Struct(f">5Q{_VERSION_BYTES}s")
_NOTHING = ColumnOffsets()
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

    run: int = 0
    """The first message of the run in which it begins."""
    columns: ColumnOffsets = _NOTHING
    """How much of that run came before."""
    claims: int = 0
    version: bytes = b""

    @classmethod
    def read(cls, token: bytes) -> _Start:
        try:
            run, messages, copies, facts, claims, version = _TOKEN.unpack(token)
        except struct.error:
            raise bad_token() from None
        return cls(run, ColumnOffsets(messages, copies, facts), claims, version)

    def token(self) -> bytes:
        return _TOKEN.pack(self.run, *self.columns, self.claims, self.version[:_VERSION_BYTES])


class _Small:
    """A thread that is read at once, and is one run."""

    places = None

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self.size = len(thread.messages)
        self.version = sha256(bytes.fromhex(thread.digest) + self.size.to_bytes(8, "big")).digest()

    def run(self, start: int) -> Sequence[Message]:
        """All its messages."""
        return () if start else self._thread.messages

    def digest(self) -> bytes:
        """Its digest."""
        return bytes.fromhex(self._thread.digest)

    def coverage(self, _: object) -> Coverage:
        """How complete it can be."""
        assert self._thread.coverage is not None
        return self._thread.coverage


@dataclass
class _Whole:
    """A thread with what belongs to its pages."""

    thread: _Small | LargeThread
    muted: list[tuple[str, str]]
    """(child, parent) of the edges that do not count."""
    _columns: tuple[int, ThreadColumns] | None = None
    _claims: tuple[list[StoredClaim], bytes] | None = None

    def columns(self, start: int) -> ThreadColumns:
        """The run that begins there, as columns."""
        if self._columns is None or self._columns[0] != start:
            run, thread = self.thread.run(start), self.thread
            self._columns = start, ThreadColumns.of(run, self.muted, thread.places, start)
        return self._columns[1]

    @cached_property
    def muted_parents(self) -> dict[str, list[str]]:
        """The same edges by child."""
        found = defaultdict(list)
        for child, parent in self.muted:
            found[child].append(parent)
        return found

    def claims(self, reader: IndexReader) -> tuple[list[StoredClaim], bytes]:
        """The claims behind it, and what their pages have in common."""
        if self._claims is None:
            messages = (one for start in self.runs() for one in self.thread.run(start))
            claims = claims_behind(reader, [(to_bytes(one.id), one.ghost) for one in messages])
            digest = sha256(self.thread.version)
            for held in claims:
                digest.update(held.identity)
            self._claims = claims, digest.digest()
        return self._claims

    def runs(self) -> range:
        """Where its runs begin."""
        return range(0, self.thread.size, RUN)


def _page(
    reader: IndexReader, request: wire.GetThreadRequest, whole: _Whole, start: _Start | None
) -> wire.GetThreadResponse:
    thread = whole.thread
    size = limits.check_page_size(request.page_size, limits.MESSAGES_PAGE)
    response = wire.GetThreadResponse(
        total_size=thread.size,
        log_position=reader.position(),
        profile=PROFILES[reader.view.policy.view.profile],
    )
    at, room = _Start(version=thread.version), limits.PAGE_BYTES
    if start is not None:
        at = _checked(reader, start, whole)
    if at.run < thread.size:
        at, room = _fill_messages(response, request, whole, at, size)
    following: _Start | None = at
    if at.run >= thread.size:
        following = _fill_claims(reader, response, whole, at, room) if request.include_claims else None
    if following is not None:
        response.next_page_token = page_token(request, following.token())
    else:
        response.digest = thread.digest()
        response.coverage.CopyFrom(coverage_to_message(thread.coverage(reader.view.coverage_reader())))
    return response


def _fill_messages(
    response: wire.GetThreadResponse, request: wire.GetThreadRequest, whole: _Whole, at: _Start, size: int
) -> tuple[_Start, int]:
    """Messages of one run: where the next page begins, and the room that is left."""
    if request.view == wire.THREAD_VIEW_COLUMNS:
        columns = whole.columns(at.run)
        offsets, room = columns.page(response.columns, at.columns, limits.PAGE_BYTES, size)
        is_over = offsets == columns.end
    else:
        run = whole.thread.run(at.run)
        place, room = fill_rows(response, run, whole.muted_parents, at.columns.messages, limits.PAGE_BYTES, size)
        offsets, is_over = ColumnOffsets(place), place == len(run)
    if is_over:
        return _Start(min(at.run + RUN, whole.thread.size), ColumnOffsets(), 0, at.version), room
    return _Start(at.run, offsets, 0, at.version), room


def _fill_claims(
    reader: IndexReader, response: wire.GetThreadResponse, whole: _Whole, at: _Start, room: int
) -> _Start | None:
    """Claims, behind all messages: where the next page begins, if there is one."""
    claims, version = whole.claims(reader)
    parts, end = parts_from(reader, claims, at.claims, max(room, 1))
    response.parts.extend(parts)
    response.ranks.extend(ranks_of(reader, claims, at.claims, end))
    return _Start(at.run, ColumnOffsets(), end, version) if end < len(claims) else None


def _checked(reader: IndexReader, start: _Start, whole: _Whole) -> _Start:
    """Where a page begins in a thread, if it is the one that the token is of."""
    claims, version = whole.claims(reader) if start.claims else ((), whole.thread.version)
    if start.version != version[:_VERSION_BYTES]:
        raise ChangedError("the thread has changed since its first page; ask for it again")
    size = whole.thread.size
    if start.run != size and (start.run not in whole.runs() or start.claims):
        raise bad_token()
    if start.claims > len(claims):
        raise bad_token()
    if start.run < size:
        end = whole.columns(start.run).end
        if any(at > most for at, most in zip(start.columns, end, strict=True)):
            raise bad_token()
    return replace(start, version=version)


def _whole(reader: IndexReader, request: wire.GetThreadRequest, root: int, key: bytes, *, large: bool) -> _Whole:
    """The thread that is asked for; kept for the pages to come if it is large."""
    kept = reader.kept.get(key)
    if isinstance(kept, _Whole):
        return kept
    rows = reader.view.reader.rows(root, LARGE + 1)
    hidden = not request.omit_empty_ghosts
    edges = reader.view.policy.muted_edges
    muted = [(to_text(child), to_text(parent)) for child, parent in sorted(edges)] if edges else []
    if len(rows) <= LARGE:
        thread = reader.view.reader.built(rows, hidden=hidden, coverage_reader=reader.view.coverage_reader())
        return _Whole(_Small(thread), muted)
    if not large:
        raise LargeError
    whole = _Whole(LargeThread(reader.view.reader, root, hidden=hidden), muted)
    reader.keep(key, whole)
    return whole
