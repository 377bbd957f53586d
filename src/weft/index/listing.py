"""Listing: which threads there are, newest first or in display order, and which messages hold some words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from weft.core.claim import Claim
from weft.core.date import format_date, parse_date
from weft.core.display import LATE
from weft.core.live_edges import GHOST
from weft.core.subject import decode_text
from weft.errors import UsageError
from weft.index.model import Found
from weft.index.reading import Reader
from weft.index.recent import newest_roots
from weft.index.resolving import read_octets

_WORD = re.compile(r"\w+")
_QUIET = "lower(CAST({} AS TEXT))"
for _mark in ".-_+=$":
    _QUIET = f"replace({_QUIET}, '{_mark}', '')"


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists what one view holds.  ``now``: seconds since 1970; what is dated beyond tomorrow does not come first."""

    connection: sqlite3.Connection
    reader: Reader
    now: int

    def newest_roots(self, since: int | None, after: int | None, list_name: str | None = None) -> Iterator[int]:
        """Roots by the newest message of their trees; trees without a date that can be believed come last.

        ``since``: not those whose newest message is older; ``after``: only those behind the tree of this root;
        ``list_name``: only those with a copy of a message on this list.
        """
        return newest_roots(self.connection, self.now, since, after, list_name)

    def roots(self, *, hidden: bool) -> list[int]:
        """All roots by (date, id), a ghost's date being its earliest child's; ``hidden``: those of ghosts only too."""
        found = []
        for node, rank, date, literal in self.connection.execute(
            "SELECT nodes.node, rank, date, id FROM nodes JOIN ids ON ids.node = nodes.node WHERE parent < 0"
        ):
            key = (LATE if date is None else date) if rank < GHOST else self._ghost_date(node)
            if key is not None or hidden:
                found.append((LATE if key is None else key, literal, node))
        found.sort()
        return [node for _, _, node in found]

    def search(self, words: str, limit: int) -> list[Found]:
        """Messages whose subject or author holds all the words, the best match first."""
        terms = _WORD.findall(words)
        if not terms:
            raise UsageError("nothing to search for; give a word of a subject or an author")
        query = " ".join(f'"{term}"' for term in terms)
        found: list[Found] = []
        rows = self.connection.execute(
            "SELECT claims.node, claims.octets FROM search "
            "JOIN claims ON claims.position = search.rowid WHERE search MATCH ? ORDER BY search.rank, search.rowid",
            (query,),
        )
        given: set[int] = set()
        for node, octets in rows:
            if len(found) >= limit:
                break
            claim = read_octets(octets)
            if node in given or not isinstance(claim, Claim) or not self.reader.counts(octets, claim):
                continue
            given.add(node)
            found.append(self._found(node, claim))
        return found

    def lookalikes(self, message_id: bytes) -> list[bytes]:
        """Other ids that differ from this one only in case or the punctuation ``.-_+=$``.  Looks at every id."""
        rows = self.connection.execute(
            f"SELECT id FROM ids WHERE {_QUIET.format('id')} = {_QUIET.format('?')} AND id <> ? LIMIT 20",  # noqa: S608
            (message_id, message_id),
        )
        return sorted(row[0] for row in rows)

    def _found(self, node: int, claim: Claim) -> Found:
        root = self.reader.root_of(node)
        [literal] = self.connection.execute("SELECT id FROM ids WHERE node = ?", (root,)).fetchone()
        return Found(
            claim.message_id.decode("utf-8", "surrogateescape"), literal.decode("utf-8", "surrogateescape"),
            claim.list.decode(), format_date(*parse_date(claim.date)), decode_text(claim.author),
            decode_text(claim.subject),
        )  # fmt: skip

    def _ghost_date(self, ghost: int) -> int | None:
        """The earliest date of what hangs on a ghost or ghosts below it; `LATE`: none has one; None: none is held."""
        best: int | None = None
        stack = [ghost]
        while stack:
            for node, rank, date in self.connection.execute(
                "SELECT node, rank, date FROM nodes WHERE parent = ? AND parent >= 0", (stack.pop(),)
            ):
                if rank >= GHOST:
                    stack.append(node)
                else:
                    best = min(best if best is not None else LATE, LATE if date is None else date)
        return best
