"""What our peers were asked, and when: one row a peer, of the last exchange with it that came to its end.

Theory of operation
-------------------
After an exchange we know what a peer had to say then: of all message ids in some feeds, if they are mirrored, or of
those that it was asked about.  That is neither a claim nor derived from one, but our own memory, and what coverage
(`weft.index.coverage`) is made from.  Losing it, or a row that is damaged, only means that it counts as never asked.

Message ids are kept as their digests (`weft.core.id_digest`), sorted, in one blob: 160 KB for 27,000.  A row that has
not changed is not read again.

Who can lie: the peer, about everything that it did not say.  Which peers are believed to carry which feeds whole is
decided by the policy, whenever coverage is worked out.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from weft.core.feed import Feed, Lists
from weft.core.id_digest import ID_DIGEST_BYTES, id_digest
from weft.core.signing import KEY_BYTES, short_fingerprint

ANY_LIST = b"/"
"""No list has this name, so it is in a set of names only if all are that the set does not name."""
_LATEST = 253_402_300_799
"""The last second that has a date."""
_NUMBER_BYTES = 8
_SAVE = (
    "INSERT INTO exchanges (peer, time, revision, feeds, cut, asked) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (peer) "
    "DO UPDATE SET (time, revision, feeds, cut, asked) = "
    "(excluded.time, excluded.revision, excluded.feeds, excluded.cut, excluded.asked)"
)


class DigestSet:
    """Digests of message ids, as sorted numbers: 8 bytes each, found by halving."""

    __slots__ = ("_numbers",)

    def __init__(self, blob: bytes) -> None:
        """``blob``: as `sorted_digests` makes it; `ValueError` if its length is none."""
        count, rest = divmod(len(blob), ID_DIGEST_BYTES)
        if rest:
            raise ValueError("digests of message ids that are cut off")
        padded = bytearray(_NUMBER_BYTES * count)
        for place in range(ID_DIGEST_BYTES):
            padded[_NUMBER_BYTES - ID_DIGEST_BYTES + place :: _NUMBER_BYTES] = blob[place::ID_DIGEST_BYTES]
        self._numbers = array("Q", bytes(padded))
        if sys.byteorder == "little":
            self._numbers.byteswap()

    def __contains__(self, number: int) -> bool:
        numbers = self._numbers
        place = bisect_left(numbers, number)
        return place < len(numbers) and numbers[place] == number

    def __len__(self) -> int:
        return len(self._numbers)

    def is_sorted(self) -> bool:
        """Whether all of it can be found."""
        return all(one < other for one, other in pairwise(self._numbers))


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """What one peer was asked."""

    peer: bytes
    time: int
    """When it had told all, in seconds since 1970 by our clock."""
    lists: Mapping[bytes, Lists]
    """Of which feeds, by origin."""
    asked: DigestSet | None
    """About which message ids; None: about all, because these feeds are mirrored."""
    cut: DigestSet
    """Roots of trees of which it was not asked all; of the empty id, if nobody knows which tree it was."""

    def covers(self, feed: Feed) -> bool:
        """Whether it was asked for a feed; for `ANY_LIST`, whether for all lists but those that ``lists`` names."""
        lists = self.lists.get(feed.origin)
        return lists is not None and feed.list in lists

    def is_cut(self, ids: Iterable[int]) -> bool:
        """Whether a tree of these ids is one of which it was not asked all."""
        return bool(self.cut) and (_UNKNOWN in self.cut or any(one in self.cut for one in ids))

    @property
    def upto(self) -> str:
        """``time`` as RFC 3339, in UTC."""
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SyncHistory:
    """The table ``exchanges`` of one index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[bytes, tuple[int, SyncRecord]] = {}

    def record(
        self,
        peer: bytes,
        lists: Mapping[bytes, Lists],
        asked: Collection[bytes] | None,
        cut: Iterable[bytes],
        when: int,
    ) -> None:
        """Remember an exchange in place of the one before; in the caller's transaction.

        The arguments are those of `weft.index.index.Index.record_covered`.
        """
        if len(peer) != KEY_BYTES:
            raise ValueError(f"a peer is a key of {KEY_BYTES} bytes")
        _check_time(when)
        digests = None if asked is None else sorted_digests(asked)
        roots = sorted_digests({id_digest(root) for root in cut})
        row = (peer, when, secrets.randbits(62), dump_lists(lists), roots, digests)
        self._connection.execute(_SAVE, row)

    def all(self) -> list[SyncRecord]:
        """The last exchange with each peer, the newest first; those that cannot be read are left out."""
        rows = self._connection.execute("SELECT peer, revision FROM exchanges ORDER BY time DESC, peer").fetchall()
        self._known = {peer: known for peer, revision in rows if (known := self._read(peer, revision)) is not None}
        return [exchange for _, exchange in self._known.values()]

    def wrong(self) -> Iterator[bytes]:
        """The peers whose rows cannot be read, or not be searched."""
        for (peer,) in self._connection.execute("SELECT peer FROM exchanges ORDER BY peer").fetchall():
            try:
                found = self._load(peer)
                sound = found.cut.is_sorted() and (found.asked is None or found.asked.is_sorted())
            except (ValueError, TypeError):
                sound = False
            if not sound:
                yield peer

    def forget(self, peers: Iterable[bytes]) -> None:
        """These were never asked; in the caller's transaction."""
        self._connection.executemany("DELETE FROM exchanges WHERE peer = ?", [(peer,) for peer in peers])

    def _read(self, peer: bytes, revision: int) -> tuple[int, SyncRecord] | None:
        known = self._known.get(peer)
        if known is not None and known[0] == revision:
            return known
        with suppress(ValueError, TypeError):  # damaged: `wrong` names it
            return revision, self._load(peer)
        return None

    def _load(self, peer: bytes) -> SyncRecord:
        """`ValueError` or `TypeError` if it is damaged."""
        [(time, feeds, cut, asked)] = self._connection.execute(
            "SELECT time, feeds, cut, asked FROM exchanges WHERE peer = ?", (peer,)
        ).fetchall()
        _check_time(time)
        return SyncRecord(peer, time, load_lists(feeds), None if asked is None else DigestSet(asked), DigestSet(cut))


def digest_number(message_id: bytes) -> int:
    """The digest of an id as `DigestSet` has it."""
    return int.from_bytes(id_digest(message_id), "big")


def name_of(peer: bytes) -> str:
    """A peer on a screen; also of a row that is damaged."""
    return short_fingerprint(peer) if len(peer) == KEY_BYTES else peer.hex()


_UNKNOWN = digest_number(b"")


def sorted_digests(digests: Collection[bytes]) -> bytes:
    """Digests as they are kept: ascending, each once; `ValueError` if one of them is none."""
    if any(len(digest) != ID_DIGEST_BYTES for digest in digests):
        raise ValueError(f"the digest of a message id has {ID_DIGEST_BYTES} bytes")
    return b"".join(sorted(set(digests)))


def _check_time(seconds: int) -> None:
    if not 0 <= seconds <= _LATEST:
        raise ValueError("a time that no calendar has")


def dump_lists(lists: Mapping[bytes, Lists]) -> str:
    """As text, so that whoever opens the database can read it: ``{"ORIGIN": [ALL_BUT, LIST...]}``."""
    return json.dumps(
        {
            origin.hex(): [some.all_but, *sorted(name.decode("utf-8", "surrogateescape") for name in some.names)]
            for origin, some in lists.items()
        }
    )


def load_lists(text: str) -> dict[bytes, Lists]:
    """The opposite; `ValueError` or `TypeError` if it is none."""
    found: dict[bytes, Lists] = {}
    for origin, (all_but, *names) in dict(json.loads(text)).items():
        if type(all_but) is not bool or not all(isinstance(name, str) for name in names):
            raise ValueError("a range of feeds is damaged")
        found[bytes.fromhex(origin)] = Lists(
            frozenset(name.encode("utf-8", "surrogateescape") for name in names), all_but
        )
    return found
