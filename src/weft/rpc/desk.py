"""The desk where sessions ask the store: one answer for each question of `weft.exchange.events`.

All calls are for one thread; who serves many sessions puts one desk in front of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from weft.core.feed import Feed
from weft.exchange.events import (
    Answer,
    Commit,
    Entry,
    Fetch,
    FindMissing,
    GetPosition,
    Keep,
    Locate,
    Piece,
    ProvenPart,
    ReadLog,
    Request,
    Scan,
    Whereabouts,
)
from weft.exchange.sketch import encode_range
from weft.exchange.symbol import ELEMENT_OCTETS
from weft.store.base import PAGE, Held, NewClaim, Part, Store

_LOOKED_UP = 512
"""Claims that are read at a time: 20 MiB at worst."""
_REMEMBERED = 65_536


class Desk:
    """Answers questions out of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[int, Feed] = {}

    def answer(self, request: Request) -> Answer:
        """The answer, of the type that the request names; all but that of `Keep`, which is for who knows the peer."""
        match request:
            case GetPosition():
                return self._store.position()
            case ReadLog(after, limit):
                return [self._entry(held) for held in self._store.log(after, limit)]
            case Scan(feeds, key, first, count, upto):
                elements = (entry.element for entry in self._log(upto) if entry.feed in feeds)
                return encode_range(key, elements, first, count)
            case FindMissing(elements):
                return self._missing(elements)
            case Locate(elements):
                return [self._where(held) for held in self._look_up(elements) if held.octets]
            case Fetch(claims):
                return self._fetch(claims)
            case Commit(parts):
                return self._commit(parts)
            case Keep():
                return None

    def _log(self, upto: int) -> Iterator[Entry]:
        """The log from its beginning, page by page."""
        after = 0
        while after < upto:
            page = self._store.log(after, min(PAGE, upto - after))
            if not page:
                return
            yield from map(self._entry, page)
            after = page[-1].position

    def _look_up(self, elements: Sequence[bytes]) -> Iterator[Held]:
        for start in range(0, len(elements), _LOOKED_UP):
            yield from self._store.get(elements[start : start + _LOOKED_UP])

    def _missing(self, elements: Sequence[bytes]) -> list[bytes]:
        held = {held.identity[:ELEMENT_OCTETS] for held in self._look_up(elements)}
        return [element for element in elements if element not in held]

    def _fetch(self, claims: Sequence[Whereabouts]) -> list[Piece]:
        places = {(where.batch, where.leaf) for where in claims}
        held = [
            (one.batch, one.leaf, one.octets)
            for one in self._look_up([where.element for where in claims])
            if one.octets and (one.batch, one.leaf) in places
        ]
        return [
            Piece(batch, *self._store.signed(batch), [(leaf, octets) for _, leaf, octets in some])
            for batch, some in groupby(sorted(held), key=lambda one: one[0])
        ]

    def _commit(self, parts: Sequence[ProvenPart]) -> range:
        new = [Part(part.signed, part.tree, [NewClaim(*claim) for claim in part.claims]) for part in parts]
        with self._store.transaction():
            stored = self._store.put(new)
        return range(stored[0].position, stored[-1].position + 1) if stored else range(0)

    def _entry(self, held: Held) -> Entry:
        return Entry(held.position, self._feed(held.batch), held.identity[:ELEMENT_OCTETS])

    def _where(self, held: Held) -> Whereabouts:
        return Whereabouts(held.batch, held.leaf, self._feed(held.batch), held.identity[:ELEMENT_OCTETS])

    def _feed(self, batch: int) -> Feed:
        """The feed of a batch, which never changes."""
        feed = self._feeds.get(batch)
        if feed is None:
            if len(self._feeds) >= _REMEMBERED:
                self._feeds.clear()
            signed, _ = self._store.signed(batch)
            feed = self._feeds[batch] = Feed(signed.origin, signed.list)
        return feed
