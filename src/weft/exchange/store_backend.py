"""Where sessions ask the store: one answer for each question of `weft.exchange.events`.

All calls are for one thread; who serves many sessions puts one backend in front of the store.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from weft.core.feed import Feed
from weft.core.id_digest import id_digest
from weft.exchange.events import (
    Answer,
    ClaimLocation,
    CommitParts,
    Committed,
    Fetch,
    FindConcerned,
    FindMissing,
    FindTrees,
    FoundClaims,
    GetPosition,
    KeepState,
    Locate,
    LogEntry,
    LogPage,
    NamedEntry,
    ReadLog,
    ReadNames,
    Request,
    Scan,
    StoredPart,
)
from weft.exchange.near_threads import ids_of
from weft.exchange.own_threads import own_trees
from weft.exchange.riblt.sketch import encode_range
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.policy.feed_ranges import FeedRanges
from weft.store.interface import PAGE, Store, StoredClaim, VerifiedPart, claims_of, read_claim

_LOOKED_UP = 512
"""Claims that are read at a time: 20 MiB at worst."""
_LOOKED_UP_IDS = 64
"""Digests of message ids that are looked up at a time."""
_REMEMBERED = 65_536
_READ_COST = 10
"""What it costs to read a claim, if to find out its feed costs 1: some 15 microseconds."""
_ASK_COST = 40
"""What it costs to ask for a page of the claims about an id."""
_SLICE = 12_000
"""What a question may cost before others have their turn: some 20 milliseconds, with the page that passes it."""
_DIGESTED = 4000
"""Message ids that become known to questions at a time, if many are new: some 40 milliseconds."""


class StoreBackend:
    """Answers questions out of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[int, Feed] = {}

    def answer(self, request: Request) -> Answer:
        """The answer, of the type that the request names; all but that of `KeepState`, which is for who knows the
        peer."""
        match request:
            case GetPosition():
                return self._store.position()
            case ReadLog() | ReadNames():
                return self._read(request)
            case FindTrees():
                return own_trees(self._store, self._feed, request)
            case FindConcerned():
                return self._concerned(request)
            case Scan(feeds, key, first, count, upto):
                claims = self._of_feeds(claims_of(self._store, feeds.lists, 0, upto), feeds)
                elements = (held.identity[:ELEMENT_BYTES] for held in claims)
                return encode_range(key, elements, first, count)
            case FindMissing(elements, feeds):
                return self._missing(elements, feeds)
            case Locate(elements):
                return [self._where(held) for held in self._look_up(elements) if held.data]
            case Fetch(claims):
                return self._fetch(claims)
            case CommitParts(parts):
                return Committed(self._commit(parts))
            case KeepState():
                return None

    def _read(self, request: ReadLog | ReadNames) -> LogPage[LogEntry] | LogPage[NamedEntry]:
        after, limit, feeds = request.after, request.limit, request.feeds
        if feeds is None:
            claims = self._store.log(after, limit)
            end = claims[-1].position if claims else after
        else:
            found, end = self._store.log_of(feeds.lists, after, request.upto, limit)
            claims = list(self._of_feeds(found, feeds))
        if isinstance(request, ReadLog):
            return LogPage(list(map(self._entry, claims)), end)
        return LogPage(list(map(self._named, claims)), end)

    def _named(self, held: StoredClaim) -> NamedEntry:
        claim = read_claim(held)
        ids = () if claim is None else ids_of(claim)
        return NamedEntry(held.position, self._feed(held.batch), list(map(id_digest, ids)))

    def _concerned(self, request: FindConcerned) -> FoundClaims:
        """What is about some ids, id by id, until there are as many as are asked for, or it has cost enough."""
        feeds, after = request.feeds, request.after
        if not self._store.digest_ids(_DIGESTED):
            return FoundClaims(list(request.found), 0, after, request.beyond)
        elements = dict.fromkeys(request.found)
        seen: dict[int, bytes] = {}
        cost = 0
        # The place of a claim that the peer may not read must not show, so that one is as unknown as any.
        known = self._store.get([after]) if after else []
        start = max((held.position for held in known if self._feed(held.batch) in feeds), default=0)
        start = max(start, request.beyond)
        for done, ids in enumerate(self._ids_with(request.digests)):
            last = after if not done else b""
            while ids and (positions := self._store.positions_concerning(ids, start, PAGE)):
                cost += _ASK_COST + len(positions) + _READ_COST * self._look_at(positions, request, seen)
                for element in filter(None, map(seen.get, positions)):
                    if element not in elements and len(elements) >= request.most:
                        return FoundClaims(list(elements), done, last)
                    elements[element] = None
                    last = element
                start = positions[-1]
                if cost >= _SLICE:
                    return FoundClaims(list(elements), done, last, start)
                if len(positions) < PAGE:
                    break
            start = 0
        return FoundClaims(list(elements), len(request.digests), b"")

    def _ids_with(self, digests: Sequence[bytes]) -> Iterator[list[bytes]]:
        """`weft.store.interface.Store.ids_with`, some at a time: a slice need not look up what the next one answers."""
        for start in range(0, len(digests), _LOOKED_UP_IDS):
            yield from self._store.ids_with(digests[start : start + _LOOKED_UP_IDS])

    def _look_at(self, positions: Sequence[int], request: FindConcerned, seen: dict[int, bytes]) -> int:
        """Note the elements of claims, empty if they are left out; how many claims were read for that."""
        fresh = [position for position in positions if position not in seen]
        seen.update(dict.fromkeys(fresh, b""))
        batches = self._store.batches_at(fresh)
        here = [
            position
            for position, batch in batches.items()
            if self._feed(batch) in request.feeds and not _within(position, request.without)
        ]
        for held in self._store.at(here):
            if held.data:
                seen[held.position] = held.identity[:ELEMENT_BYTES]
        return len(here)

    def _of_feeds(self, claims: Iterable[StoredClaim], feeds: FeedRanges) -> Iterator[StoredClaim]:
        """What is of some feeds: a damaged table of the store may give others too, which must not go to a peer."""
        return (held for held in claims if self._feed(held.batch) in feeds)

    def _look_up(self, elements: Sequence[bytes]) -> Iterator[StoredClaim]:
        for start in range(0, len(elements), _LOOKED_UP):
            yield from self._store.get(elements[start : start + _LOOKED_UP])

    def _missing(self, elements: Sequence[bytes], feeds: FeedRanges) -> list[bytes]:
        held = {one.identity[:ELEMENT_BYTES] for one in self._look_up(elements) if self._feed(one.batch) in feeds}
        return [element for element in elements if element not in held]

    def _fetch(self, claims: Sequence[ClaimLocation]) -> list[StoredPart]:
        places = {(where.batch, where.leaf) for where in claims}
        held = [
            (one.batch, one.leaf, one.data)
            for one in self._look_up([where.element for where in claims])
            if one.data and (one.batch, one.leaf) in places
        ]
        return [
            StoredPart(batch, *self._store.signed(batch), [(leaf, data) for _, leaf, data in some])
            for batch, some in groupby(sorted(held), key=lambda one: one[0])
        ]

    def _commit(self, parts: Sequence[VerifiedPart]) -> range:
        with self._store.transaction():
            stored = self._store.put(parts)
        return range(stored[0].position, stored[-1].position + 1) if stored else range(0)

    def _entry(self, held: StoredClaim) -> LogEntry:
        return LogEntry(held.position, self._feed(held.batch), held.identity[:ELEMENT_BYTES])

    def _where(self, held: StoredClaim) -> ClaimLocation:
        return ClaimLocation(held.batch, held.leaf, self._feed(held.batch), held.identity[:ELEMENT_BYTES])

    def _feed(self, batch: int) -> Feed:
        """The feed of a batch, which never changes."""
        feed = self._feeds.get(batch)
        if feed is None:
            if len(self._feeds) >= _REMEMBERED:
                self._feeds.clear()
            feed = self._feeds[batch] = self._store.feed(batch)
        return feed


def _within(position: int, ranges: Sequence[range]) -> bool:
    """Whether a position is in one of some ranges that are ascending."""
    place = bisect_right(ranges, position, key=lambda some: some.start)
    return place > 0 and position in ranges[place - 1]
