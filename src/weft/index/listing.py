"""Listing: which threads there are, newest first or in display order, and which messages hold some words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from weft.core.author import decode_author
from weft.core.claim import Claim
from weft.core.cycle_cutting import WITNESS_RANK
from weft.core.date import format_date, parse_date
from weft.core.display_order import LATE
from weft.core.subject import decode_text
from weft.errors import UsageError
from weft.index.recency import UNDATED, horizon_at, newest_roots
from weft.index.search_query import SearchQuery
from weft.index.thread_reader import ThreadReader
from weft.model import Found, Thread
from weft.store.interface import read_bytes

_DATE = "iif(nodes.date <= :horizon, nodes.date, :undated)"
_SEARCH = (
    f"SELECT claims.node, claims.octets, {_DATE} AS newest FROM search "  # noqa: S608
    "CROSS JOIN claims ON claims.position = search.rowid CROSS JOIN nodes ON nodes.node = claims.node "
    f"WHERE search MATCH :words AND nodes.rank < {WITNESS_RANK}"  # no claim about a ghost counts
)
_ON_LIST = (
    " AND claims.batch IN (SELECT batch FROM batches JOIN feeds ON feeds.feed = batches.feed WHERE feeds.list = :list)"
)
_BEHIND = f" AND (newest, claims.node) < (SELECT {_DATE}, nodes.node FROM nodes WHERE nodes.node = :after)"  # noqa: S608
_OF_NODE = " AND claims.node = :node"
_BEFORE = " AND newest < :until AND newest > :undated"
_NEWEST_FIRST = " ORDER BY newest DESC, claims.node DESC, claims.position"


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists what one view holds.  ``now``: seconds since 1970; what is dated beyond tomorrow does not come first."""

    connection: sqlite3.Connection
    reader: ThreadReader
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
            key = (LATE if date is None else date) if rank < WITNESS_RANK else self._ghost_date(node)
            if key is not None or hidden:
                found.append((LATE if key is None else key, literal, node))
        found.sort()
        return [node for _, _, node in found]

    def search(
        self,
        words: str,
        limit: int,
        *,
        list_name: str | None = None,
        since: int | None = None,
        until: int | None = None,
        after: int | None = None,
        node_of: Callable[[str], int],
    ) -> list[Found]:
        """Messages that a query asks for (`weft.index.search_query`), the newest first, those without a date last.

        ``node_of``: the node of an id or a handle in the query.
        ``list_name``: only copies on this list; ``since``: only messages with a date from then on; ``until``: with
        one before it; ``after``: a node, only messages behind it.  What is dated in the future counts as undated, as in
        `newest_roots`.
        """
        asked = SearchQuery.read(words, self.now)
        filters = asked.filters
        if list_name is not None and filters.list not in {None, list_name}:
            return []
        list_name = list_name if filters.list is None else filters.list
        since = max((one for one in (since, filters.since) if one is not None), default=None)
        until = min((one for one in (until, filters.until) if one is not None), default=None)
        tree = None if filters.thread is None else self.reader.root_of(node_of(filters.thread))
        values = {"words": asked.query, "horizon": horizon_at(self.connection, self.now), "undated": UNDATED}
        statement = _SEARCH
        if since is not None:
            statement += " AND newest >= :since"
            values["since"] = since
        if until is not None:
            statement += _BEFORE
            values["until"] = until
        if list_name is not None:
            statement += _ON_LIST
            values["list"] = list_name.encode()
        if filters.id is not None:
            statement += _OF_NODE
            values["node"] = node_of(filters.id)
        if after is not None:
            statement += _BEHIND
            values["after"] = after
        try:
            rows = self.connection.execute(statement + _NEWEST_FIRST, values)
        except sqlite3.OperationalError as error:
            if "phrase" not in str(error):
                if "fts5" not in str(error):
                    raise
                raise UsageError("more words than can be searched for at once; leave some out") from None
            # Letters newer than SQLite's: it takes what stands between them for several words.
            raise UsageError("some of these words have letters that cannot be searched for; leave them out") from None
        lacking = self._lacking()
        found: dict[int, Found] = {}
        for node, data, _ in rows:
            if len(found) >= limit:
                break
            claim = read_bytes(data)
            if node in found or not isinstance(claim, Claim) or not self.reader.counts(data, claim):
                continue
            if not asked.holds(decode_text(claim.subject), decode_author(claim.author)):
                continue
            if (tree is None or self.reader.root_of(node) == tree) and (not filters.missing or lacking(node)):
                found[node] = self._found(node, claim)
        return [self._marked(node, one) for node, one in found.items()]

    def _lacking(self) -> Callable[[int], bool]:
        """Whether the thread of a node lacks a message which others answer; each thread is read once."""
        known: dict[int, bool] = {}

        def lacking(node: int) -> bool:
            root = self.reader.root_of(node)
            if root not in known:
                known[root] = misses_some(self.reader.thread(root, hidden=False))
            return known[root]

        return lacking

    def _marked(self, node: int, found: Found) -> Found:
        """With how many contents its id has."""
        variants = self.reader.variants(node)
        return replace(found, variants=variants) if variants > 1 else found

    def _found(self, node: int, claim: Claim) -> Found:
        root = self.reader.root_of(node)
        [literal] = self.connection.execute("SELECT id FROM ids WHERE node = ?", (root,)).fetchone()
        return Found(
            claim.message_id.decode("utf-8", "surrogateescape"), literal.decode("utf-8", "surrogateescape"),
            claim.list.decode(), format_date(*parse_date(claim.date)), decode_author(claim.author),
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
                if rank >= WITNESS_RANK:
                    stack.append(node)
                else:
                    best = min(best if best is not None else LATE, LATE if date is None else date)
        return best


def misses_some(thread: Thread) -> bool:
    """Whether a ghost stands above a message that is here."""
    needed = {message.parent for message in thread.messages if not message.ghost}
    return any(message.ghost and message.id in needed for message in thread.messages)
