"""Which trees there are by their newest message, on each list and on all of them: kept up to date as the view changes.

Theory of operation
-------------------
Table ``recent`` has, for each tree that holds a message, a row for each list on which a copy of one of its messages
counts, and one for all lists (`ALL`).  ``date`` and ``node`` are those of its newest message, so an index on (list,
date, node) gives the newest trees of a list without a look at any other.

What is dated in the future must not come first, and what is the future depends on when it is asked.  So the table is as
of a moment, the **horizon**, which every write moves on.  Of an archive of our own alone it is never later than the
dates that are plausible in it (`weft.index.newest_mail`).  Messages dated beyond it have no say in their trees' rows;
they have rows of their own (`AHEAD`), so that a reader can add those that are no longer ahead, and the next write does.
A tree without a date up to the horizon comes last; such trees stand by their oldest node.

A row is the greatest of the keys of what the tree holds, and the union of the lists.  So where trees only join, and
messages only come, the new rows follow from the old ones.  Where a tree falls apart, claims leave, or the date of a
newest message is taken back, the tree is **stale**: it is walked, and the claims in it are read again.
"""

from __future__ import annotations

import calendar
import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple

from weft.core.cycle_cutting import WITNESS_RANK
from weft.core.date import MISSING
from weft.core.forest import NONE
from weft.index.newest_mail import is_alone, plausible_before
from weft.index.node_cache import NodeCache, WrittenChanges
from weft.store.id_table import insert

ALL, AHEAD = 0, -1
"""What stands for a list in the rows of all trees, and in those of messages dated beyond the horizon."""
UNDATED = -(1 << 62)
_END = (1 << 62, 0)
"""Behind the newest tree."""
_ALL = frozenset({ALL})
AHEAD_SECONDS = 86400
"""What is dated later than that from now is dated in the future."""
_CHUNK = 500
_TREE = """
WITH RECURSIVE down(node) AS (
    SELECT ? UNION ALL
    SELECT nodes.node FROM down CROSS JOIN nodes ON nodes.parent = down.node AND nodes.parent >= 0)
SELECT nodes.node, nodes.rank, nodes.date FROM down CROSS JOIN nodes ON nodes.node = down.node"""

ListsOf = Callable[[Sequence[int]], Iterable[bytes]]
"""The lists of the claims that count about some nodes."""


class RecentTree(NamedTuple):
    """What ``recent`` says of one tree."""

    date: int
    node: int
    """Of the newest message; (`UNDATED`, the least number of a node taken negative) where none has a date."""
    lists: frozenset[int]

    def join(self, other: RecentTree) -> RecentTree:
        """What is to be said of both together."""
        best = max(self, other)
        return best if self.lists == other.lists else best._replace(lists=self.lists | other.lists)


class HeldNodes:
    """On which lists messages are, for each node as one number: that of a set of lists, 0 for a node without one."""

    def __init__(self) -> None:
        self.lists = array("i")
        self.sets: list[frozenset[bytes]] = [frozenset()]
        self._numbers: dict[frozenset[bytes], int] = {frozenset(): 0}
        self._alone: dict[bytes, int] = {}
        self._unions: dict[tuple[int, int], int] = {}

    def grow(self, nodes: int) -> None:
        """Make room for nodes below ``nodes``."""
        self.lists.extend(bytes(nodes - len(self.lists)))

    def add(self, node: int, name: bytes) -> None:
        """A copy of a message is on a list."""
        if name not in self._alone:
            self._alone[name] = self._number(frozenset((name,)))
        self.lists[node] = self.union(self.lists[node], self._alone[name])

    def union(self, one: int, other: int) -> int:
        """The number of the lists of both."""
        if one == other or not other:
            return one
        if not one:
            return other
        if (one, other) not in self._unions:
            self._unions[one, other] = self._number(self.sets[one] | self.sets[other])
        return self._unions[one, other]

    def _number(self, names: frozenset[bytes]) -> int:
        number = self._numbers.setdefault(names, len(self.sets))
        if number == len(self.sets):
            self.sets.append(names)
        return number


class RecencyTables:
    """Writes the tables ``recent`` and ``lists`` of one view."""

    def __init__(self, connection: sqlite3.Connection, node_cache: NodeCache, lists_of: ListsOf) -> None:
        self._connection = connection
        self._node_cache = node_cache
        self._lists_of = lists_of
        self._numbers: dict[bytes, frozenset[int]] = {}

    def write(
        self, interpreted: Collection[tuple[int, bytes]], left: Collection[int], changes: WrittenChanges, now: int
    ) -> None:
        """The rows of ``nodes`` were written: ``interpreted`` are (node, list) of new claims, about ``left`` claims
        left."""
        horizon, passed = self._advance(now)
        date = self._node_cache.dates.get
        said = [(node, RecentTree(*_key(node, date(node), horizon), self._number(name))) for node, name in interpreted]
        said += [(node, RecentTree(seconds, node, _ALL)) for seconds, node in passed if node not in changes.redated]
        top = _Tops(self._node_cache, changes.unnamed).of
        stale = {top(node) for node in left}
        former = []
        for node, before in changes.was.items():
            if before == NONE:
                former.append(node)
            elif top(node) != top(before):
                stale |= {top(node), top(before)}
        touched = stale.union(former, map(top, former))
        touched.update([top(node) for node, _ in said])
        old = self._load(touched - changes.fresh)
        newest = {abs(tree.node): tree for tree in old.values()}
        stale.update(
            top(node)
            for node in changes.redated.keys() & newest.keys()
            if newest[node][:2] > _key(node, date(node), horizon)
        )
        new: dict[int, RecentTree] = {}
        for node, tree in chain(old.items(), said):
            root = top(node)
            if root not in stale:
                new[root] = new[root].join(tree) if root in new else tree
        for root in stale - changes.unnamed:
            if found := self._read(root, horizon):
                new[root] = found
        self._replace(old, new)
        self._put_ahead(changes, horizon)

    def fill(self, held: HeldNodes, roots: Sequence[int], dates: Sequence[int], now: int) -> None:
        """Write the rows of a view that has none: of all messages, by their nodes.

        ``roots`` are those of all nodes, ``dates`` in seconds, `MISSING` where there is none.
        """
        horizon, _ = self._advance(now)
        lists = [frozenset[int]().union(*map(self._number, names)) for names in held.sets]
        newest = array("i", bytes(4 * len(roots)))
        whole = array("i", bytes(4 * len(roots)))

        def key(node: int) -> tuple[int, int]:
            return _key(node, None if dates[node] == MISSING else dates[node], horizon)

        for node, which in enumerate(held.lists):
            if which:
                root = roots[node]
                whole[root] = held.union(whole[root], which)
                if not newest[root] or key(newest[root]) < key(node):
                    newest[root] = node
        lists += [frozenset[int]().union(*map(self._number, names)) for names in held.sets[len(lists) :]]
        insert(
            self._connection,
            "recent",
            (
                (root, number, *key(node))
                for root, node in enumerate(newest)
                if node
                for number in sorted(lists[whole[root]])
            ),
            4,
        )
        ahead = ((node, AHEAD, date, node) for node, date in enumerate(dates) if date > horizon)
        self._connection.executemany("INSERT INTO recent (root, list, date, node) VALUES (?, ?, ?, ?)", ahead)

    def forget(self) -> None:
        """After a rollback: what was numbered in it is not."""
        self._numbers.clear()

    def _load(self, roots: Collection[int]) -> dict[int, RecentTree]:
        """The trees of these roots, as far as there are rows."""
        found: dict[int, tuple[int, int, list[int]]] = {}
        wanted = sorted(roots)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            for root, name, date, node in self._connection.execute(
                f"SELECT root, list, date, node FROM recent WHERE root IN ({','.join('?' * len(chunk))}) "  # noqa: S608
                f"AND list > {AHEAD}",
                chunk,
            ):
                _, _, lists = found.setdefault(root, (date, node, []))
                lists.append(name)
        return {root: RecentTree(date, node, frozenset(lists)) for root, (date, node, lists) in found.items()}

    def _read(self, root: int, horizon: int) -> RecentTree | None:
        """A tree from the rows and claims of what it holds; None if it holds nothing."""
        rows = self._connection.execute(_TREE, (root,))
        held = [(node, date) for node, rank, date in rows if rank < WITNESS_RANK]
        if not held:
            return None
        names = set(self._lists_of([node for node, _ in held]))
        lists = _ALL.union(*map(self._number, names))
        return RecentTree(*max(_key(node, date, horizon) for node, date in held), lists)

    def _replace(self, old: Mapping[int, RecentTree], new: Mapping[int, RecentTree]) -> None:
        """Write what has changed."""
        before = {(root, name): tree[:2] for root, tree in old.items() for name in tree.lists}
        after = {(root, name): tree[:2] for root, tree in new.items() for name in tree.lists}
        self._connection.executemany(
            "DELETE FROM recent WHERE root = ? AND list = ?", [place for place in before if place not in after]
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO recent (root, list, date, node) VALUES (?, ?, ?, ?)",
            sorted((*place, *newest) for place, newest in after.items() if before.get(place) != newest),
        )

    def _put_ahead(self, changes: WrittenChanges, horizon: int) -> None:
        """The rows of messages that are dated beyond the horizon."""
        dates = self._node_cache.dates
        was = [(node, AHEAD) for node, date in changes.redated.items() if date is not None and date > horizon]
        self._connection.executemany("DELETE FROM recent WHERE root = ? AND list = ?", was)
        self._connection.executemany(
            "INSERT OR REPLACE INTO recent (root, list, date, node) VALUES (?, ?, ?, ?)",
            [
                (node, AHEAD, date, node)
                for node in changes.redated
                if (date := dates.get(node)) is not None and date > horizon
            ],
        )

    def _advance(self, now: int) -> tuple[int, list[tuple[int, int]]]:
        """Move the horizon on: where it is then, and (date, node) of the messages that it passed."""
        before, horizon = horizon_of(self._connection), horizon_at(self._connection, now)
        if before >= horizon:  # the clock was put back
            return before, []
        self._connection.execute("INSERT OR REPLACE INTO view (key, value) VALUES ('horizon', ?)", (b"%d" % horizon,))
        passed = _ahead(self._connection, horizon)
        if passed:
            self._connection.execute("DELETE FROM recent WHERE list = ? AND date <= ?", (AHEAD, horizon))
        return horizon, passed

    def _number(self, name: bytes) -> frozenset[int]:
        """`ALL`, and the number of a list."""
        found = self._numbers.get(name)
        if found is None:
            self._connection.execute("INSERT OR IGNORE INTO lists (name) VALUES (?)", (name,))
            [(number,)] = self._connection.execute("SELECT list FROM lists WHERE name = ?", (name,)).fetchall()
            found = self._numbers[name] = _ALL | {number}
        return found


class _Tops:
    """The roots above nodes as they are now; each node is passed once."""

    def __init__(self, node_cache: NodeCache, alone: Iterable[int]) -> None:
        """``alone``: nodes that are gone, and have no row any more."""
        self._state = node_cache.state
        self._known = {node: node for node in alone}

    def of(self, node: int) -> int:
        """The root of the tree in which a node stands."""
        known = self._known
        path = []
        while (found := known.get(node)) is None:
            path.append(node)
            parent = self._state(node).parent
            if parent == NONE:
                found = node
                break
            node = parent
        for passed in path:
            known[passed] = found
        return found


def newest_roots(
    connection: sqlite3.Connection,
    now: int,
    since: int | None,
    after: int | None,
    list_name: str | None,
    until: int | None = None,
) -> Iterator[int]:
    """Roots by the newest message of their trees; see `weft.index.listing.Listing.newest_roots`.

    ``until``: only those whose newest message is older.
    """
    number = _list_number(connection, list_name)
    ahead = _no_longer_ahead(connection, horizon_at(connection, now))
    cursor = _END if after is None else ahead.get(after) or _place_of(connection, after)
    if number is None or cursor is None:
        return
    cursor = cursor if until is None else min(cursor, (until, -_END[0]))
    earliest = UNDATED if since is None else since
    for root, newest in sorted(ahead.items(), key=lambda item: item[1], reverse=True):
        if earliest <= newest[0] and newest < cursor and _is_on(connection, root, number):
            yield root
    rows = connection.execute(
        "SELECT root FROM recent WHERE list = ? AND (date, node) < (?, ?) AND date >= ? ORDER BY date DESC, node DESC",
        (number, *cursor, earliest),
    )
    for (root,) in rows:
        if root not in ahead:
            yield root


def newer_roots(
    connection: sqlite3.Connection, now: int, before: int, list_name: str | None, until: int | None = None
) -> Iterator[int]:
    """The roots that `newest_roots` has in front of the tree with root ``before``, the nearest to it first."""
    number = _list_number(connection, list_name)
    ahead = _no_longer_ahead(connection, horizon_at(connection, now))
    cursor = ahead.get(before) or _place_of(connection, before)
    if number is None or cursor is None:
        return
    end = _END if until is None else (until, -_END[0])
    rows = connection.execute(
        "SELECT root FROM recent WHERE list = ? AND (date, node) > (?, ?) AND (date, node) < (?, ?) "
        "ORDER BY date, node",
        (number, *cursor, *end),
    )
    for (root,) in rows:
        if root not in ahead:
            yield root
    for root, newest in sorted(ahead.items(), key=lambda item: item[1]):
        if cursor < newest < end and _is_on(connection, root, number):
            yield root


def trees_by_month(connection: sqlite3.Connection, list_name: str | None) -> Iterator[tuple[int, int, int]]:
    """(year, month, trees) by the newest message of each tree, in UTC, the latest month first.

    Trees without a date that can be believed are in none.
    """
    number = _list_number(connection, list_name)
    end = _END[0]
    while number is not None:
        [(newest,)] = connection.execute(
            "SELECT max(date) FROM recent WHERE list = ? AND date < ?", (number, end)
        ).fetchall()
        try:
            moment = None if newest is None else datetime.fromtimestamp(0, UTC) + timedelta(seconds=newest)
        except OverflowError:  # as that of trees without a date
            return
        if moment is None:
            return
        start, _ = month_bounds(moment.year, moment.month)
        [(trees,)] = connection.execute(
            "SELECT count(*) FROM recent WHERE list = ? AND date >= ? AND date < ?", (number, start, end)
        ).fetchall()
        yield moment.year, moment.month, trees
        end = start


def month_bounds(year: int, month: int) -> tuple[int, int]:
    """The first second of a month of UTC, and that of the next; `ValueError` if there is no such month."""
    epoch = datetime.fromtimestamp(0, UTC)
    start = int((datetime(year, month, 1, tzinfo=UTC) - epoch).total_seconds())
    days = calendar.monthrange(year, month)[1]
    return start, start + days * 86400


def newest_of(connection: sqlite3.Connection, root: int) -> int | None:
    """The date by which a tree is listed; None without one that can be believed."""
    found = _place_of(connection, root)
    return None if found is None or found[0] == UNDATED else found[0]


def lists_of(connection: sqlite3.Connection, root: int) -> tuple[str, ...]:
    """The lists with a copy of a message of a tree, sorted."""
    rows = connection.execute("SELECT name FROM recent JOIN lists USING (list) WHERE root = ?", (root,))
    return tuple(sorted(bytes(name).decode() for (name,) in rows))


def trees_by_list(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """How many trees each list has, and the date of the newest one; `UNDATED` if none has a date."""
    found = {}
    for number, name in connection.execute("SELECT list, name FROM lists").fetchall():
        [(trees, newest)] = connection.execute(
            "SELECT (SELECT count(*) FROM recent WHERE list = ?), (SELECT max(date) FROM recent WHERE list = ?)",
            (number, number),
        ).fetchall()
        if trees:
            found[bytes(name).decode()] = (trees, newest)
    return found


def horizon_at(connection: sqlite3.Connection, now: int) -> int:
    """What is dated later than that is in the future, as of ``now``."""
    horizon = now + AHEAD_SECONDS
    limit = plausible_before(connection) if is_alone(connection) else None
    return horizon if limit is None else min(horizon, limit - 1)


def horizon_of(connection: sqlite3.Connection) -> int:
    """As of when the table is; 0 if nothing was written yet."""
    row = connection.execute("SELECT value FROM view WHERE key = 'horizon'").fetchone()
    return int(row[0]) if row and isinstance(row[0], bytes) and row[0].isdigit() else 0


def wrong_roots(
    connection: sqlite3.Connection, parents: Mapping[int, int], dates: Mapping[int, int | None],
    lists: Mapping[int, Iterable[bytes]],
) -> set[int]:  # fmt: skip
    """The roots of trees, and the nodes ahead, whose rows are not what they should be.

    ``parents`` are those of all nodes, ``dates`` and ``lists`` those of all nodes that are held.
    """
    horizon = horizon_of(connection)
    numbers: dict[bytes, int] = {name: number for number, name in connection.execute("SELECT list, name FROM lists")}
    tops: dict[int, int] = {}
    wanted: dict[tuple[int, int], tuple[int, int]] = {}
    for node, date in dates.items():
        path, root = [], node
        while root not in tops and parents[root] != NONE:
            path.append(root)
            root = parents[root]
        root = tops.get(root, root)
        tops.update(dict.fromkeys(path, root))
        for number in (ALL, *(numbers.get(name, 1 << 62) for name in lists[node])):
            wanted[root, number] = max(wanted.get((root, number), (UNDATED * 2, 0)), _key(node, date, horizon))
        if date is not None and date > horizon:
            wanted[node, AHEAD] = date, node
    newest = {root: key for (root, number), key in wanted.items() if number == ALL}
    rows = {(place, key if place[1] == AHEAD else newest[place[0]]) for place, key in wanted.items()}
    found = {
        ((root, number), (date, node))
        for root, number, date, node in connection.execute("SELECT root, list, date, node FROM recent")
    }
    return {place[0] for place, _ in rows ^ found}


def _key(node: int, date: int | None, horizon: int) -> tuple[int, int]:
    """By what a held message is newer than others, as of the horizon."""
    return (UNDATED, -node) if date is None or date > horizon else (date, node)


def _list_number(connection: sqlite3.Connection, name: str | None) -> int | None:
    if name is None:
        return ALL
    row = connection.execute("SELECT list FROM lists WHERE name = ?", (name.encode(),)).fetchone()
    return row[0] if row else None


def _no_longer_ahead(connection: sqlite3.Connection, latest: int) -> dict[int, tuple[int, int]]:
    """Trees whose newest message was dated beyond the horizon and is not in the future any more: (date, node) of it."""
    found: dict[int, tuple[int, int]] = {}
    for date, node in _ahead(connection, latest):
        root = node
        while (parent := _parent(connection, root)) >= 0:
            root = parent
        found[root] = max(found.get(root, (date, node)), (date, node))
    return found


def _ahead(connection: sqlite3.Connection, latest: int) -> list[tuple[int, int]]:
    return connection.execute("SELECT date, node FROM recent WHERE list = ? AND date <= ?", (AHEAD, latest)).fetchall()


def _parent(connection: sqlite3.Connection, node: int) -> int:
    [(parent,)] = connection.execute("SELECT parent FROM nodes WHERE node = ?", (node,)).fetchall()
    return int(parent)


def _place_of(connection: sqlite3.Connection, root: int) -> tuple[int, int] | None:
    row = connection.execute("SELECT date, node FROM recent WHERE root = ? AND list = ?", (root, ALL)).fetchone()
    return None if row is None else (row[0], row[1])


def _is_on(connection: sqlite3.Connection, root: int, number: int) -> bool:
    row = connection.execute("SELECT 1 FROM recent WHERE root = ? AND list = ?", (root, number)).fetchone()
    return row is not None
