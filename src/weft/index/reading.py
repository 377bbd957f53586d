"""Reading threads out of the index: walk the view's edges, then read the claims about the ids of one tree.

Nothing of the whole index is loaded: a thread of ten messages costs three queries, whatever the size of the index.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from weft.core.claim import Claim, Withdrawal, claim_id, parse
from weft.core.date import MISSING, format_date, parse_date
from weft.core.display import Layout
from weft.core.feed import Feed
from weft.core.forest import NONE, Profile, statement
from weft.core.live_edges import CUT, GHOST
from weft.core.policy import Policy, thread_digest
from weft.core.signing import fingerprint
from weft.core.subject import base_subject, decode_text
from weft.core.variants import count_variants
from weft.errors import ClaimError, StoreError
from weft.index.covering import Covering
from weft.index.hearing import Hearing
from weft.thread import Copy, Coverage, Message, Thread

_CHUNK = 500

_UP = """
WITH RECURSIVE up(node) AS (
    SELECT ? UNION
    SELECT nodes.parent FROM up CROSS JOIN nodes ON nodes.node = up.node WHERE nodes.parent >= 0)
SELECT up.node FROM up CROSS JOIN nodes ON nodes.node = up.node WHERE nodes.parent < 0"""
_DOWN = """
WITH RECURSIVE down(node) AS (
    SELECT ? UNION ALL
    SELECT nodes.node FROM down CROSS JOIN nodes ON nodes.parent = down.node AND nodes.parent >= 0)
SELECT down.node, nodes.parent, nodes.rank, nodes.loop, nodes.said, nodes.date, ids.id
FROM down CROSS JOIN nodes ON nodes.node = down.node CROSS JOIN ids ON ids.node = down.node"""


class Seen(NamedTuple):
    """One claim about a message that this view counts, read once (a named tuple: threads are made of many)."""

    position: int
    identity: bytes
    tier: int
    claim: Claim
    seconds: int
    zone: int


class Reader:
    """Builds threads from the claims and the view of one policy."""

    def __init__(self, connection: sqlite3.Connection, hearing: Hearing) -> None:
        """``hearing`` says which claims count."""
        self._connection = connection
        self.hearing = hearing
        self.policy = hearing.policy

    def root_of(self, node: int) -> int:
        """The root of the tree in which a node stands."""
        found = self._connection.execute(_UP, (node,)).fetchone()
        if found is None:
            raise StoreError("the view of the index is damaged; run: weft check --repair")
        return int(found[0])

    def thread(self, root: int, *, hidden: bool = True, covering: Covering | None = None) -> Thread:
        """The tree below ``root``; with ``hidden`` also ghosts that have no held descendant."""
        rows = self._connection.execute(_DOWN, (root,)).fetchall()
        nodes = [row[0] for row in rows]
        local = {node: number for number, node in enumerate(nodes)}
        ids = [row[6] for row in rows]
        parents = array("i", (local[row[1]] if number else NONE for number, row in enumerate(rows)))
        ghosts = bytearray(row[2] >= GHOST for row in rows)
        dates = array("q", (MISSING if row[5] is None else row[5] for row in rows))
        layout = Layout(ids, parents, ghosts, dates)
        seen = self.claims_about([node for node, ghost in zip(nodes, ghosts, strict=True) if not ghost])
        naming = self._naming([nodes[number] for number, ghost in enumerate(ghosts) if ghost])
        messages = []
        for number, depth in layout.tree(0):
            if not hidden and not layout.held[number]:
                continue
            parent = _text(ids[parents[number]]) if parents[number] >= 0 else None
            node = nodes[number]
            if ghosts[number]:
                named, lists = naming.get(node, (0, ()))
                message = Message(
                    _text(ids[number]), parent, depth, True, False, 0, None, "", "", (), named=named, named_on=lists
                )  # fmt: skip
            else:
                message = self._message(ids[number], parent, depth, seen[node])
            if rows[number][3] == CUT:
                message = message._replace(cut=_text(self._id_of(rows[number][4])))
            messages.append(message)
        claims = [one.identity for group in seen.values() for one in group]
        edges = [(ids[number], ids[parent]) for number, parent in enumerate(parents) if parent >= 0]
        covered = None if covering is None else self._coverage(covering, ids, nodes, ghosts)
        if covered is not None and covered.nobody_holds and not hidden:
            shown = {message.id for message in messages}
            covered = replace(covered, nobody_holds=tuple(name for name in covered.nobody_holds if name in shown))
        return Thread(tuple(messages), thread_digest(claims, edges).hex(), covered)

    def coverage(self, root: int, covering: Covering) -> Coverage:
        """How complete the tree below ``root`` can be."""
        rows = self._connection.execute(_DOWN, (root,)).fetchall()
        return self._coverage(
            covering, [row[6] for row in rows], [row[0] for row in rows], [row[2] >= GHOST for row in rows]
        )

    def _coverage(
        self, covering: Covering, ids: Sequence[bytes], nodes: Sequence[int], ghosts: Sequence[int]
    ) -> Coverage:
        """The coverage of a tree; ``ghosts``: which of the nodes are."""

        def missing() -> list[str]:
            names = {node: literal for node, literal, ghost in zip(nodes, ids, ghosts, strict=True) if ghost}
            return sorted(_text(names[node]) for node in names.keys() - self._named_in_claims(list(names)))

        return covering.of(ids, missing)

    def _named_in_claims(self, nodes: Sequence[int]) -> set[int]:
        """The nodes about which there is a claim, also one that does not count, or whose octets were deleted."""
        found: set[int] = set()
        for start in range(0, len(nodes), _CHUNK):
            chunk = nodes[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(f"SELECT DISTINCT node FROM claims WHERE node IN ({marks})", chunk)  # noqa: S608
            found.update(node for (node,) in rows)
        return found

    def claims_about(self, nodes: Sequence[int]) -> dict[int, list[Seen]]:
        """The claims that count about each node, by (tier, list, claim id): the first is the one that is shown."""
        found: dict[int, list[Seen]] = {node: [] for node in nodes}
        for node, one in self._select("claims.node", nodes):
            found[node].append(one)
        for group in found.values():
            if len(group) > 1:
                group.sort(key=lambda one: (one.tier, one.claim.list, one.identity))
        return found

    def counts(self, octets: bytes, claim: Claim) -> bool:
        """Whether a claim counts in this view."""
        return not self.hearing.hidden(claim_id(octets), claim)

    def _select(self, column: str, nodes: Sequence[int]) -> Iterator[tuple[int, Seen]]:
        for start in range(0, len(nodes), _CHUNK):
            chunk = nodes[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT node, position, octets FROM claims WHERE {column} IN ({marks}) AND octets IS NOT NULL",  # noqa: S608
                chunk,
            )
            for node, position, octets in rows:
                one = self._read(position, octets)
                if one is not None:
                    yield node, one

    def _read(self, position: int, octets: bytes) -> Seen | None:
        try:
            claim = parse(octets)
        except ClaimError:  # damaged on disk: `check` names it
            return None
        if isinstance(claim, Withdrawal):
            return None
        identity = claim_id(octets)
        tier = self.hearing.counts(identity, claim)
        if tier is None:
            return None
        return Seen(position, identity, tier, claim, *parse_date(claim.date))

    def _message(self, message_id: bytes, parent: str | None, depth: int, seen: list[Seen]) -> Message:
        copies = tuple(map(_copy, seen))
        if len(seen) == 1:  # as nearly always
            return _only(message_id, parent, depth, seen[0], copies[0])
        best = [one for one in seen if one.tier == seen[0].tier]
        seconds, zone = min(((one.seconds, one.zone) for one in best if one.seconds != MISSING), default=(MISSING, 0))
        states = {stated_parent(one.claim, self.policy) for one in best}
        states.discard(b"")
        message = Message(
            _text(message_id), parent, depth, False, len(states) > 1, _variants(seen),
            format_date(seconds, zone), copies[0].author, copies[0].subject, copies,
        )  # fmt: skip
        if len(states) > 1:
            ordered = sorted(states, key=lambda state: (state is not None, state or b""))
            message = message._replace(rivals=tuple(None if state is None else _text(state) for state in ordered))
        if seconds == MISSING and seen[0].claim.date:
            message = message._replace(stated_date=decode_text(seen[0].claim.date))
        return message

    def _naming(self, ghosts: Sequence[int]) -> dict[int, tuple[int, tuple[str, ...]]]:
        """For each ghost, in how many copies that count it is named, and on which lists."""
        counts: dict[int, int] = defaultdict(int)
        lists: dict[int, set[str]] = defaultdict(set)
        rows = self._naming_claims if self.hearing.hides_some else self._naming_feeds
        for start in range(0, len(ghosts), _CHUNK):
            for target, name, count in rows(ghosts[start : start + _CHUNK]):
                counts[target] += count
                lists[target].add(name.decode())
        return {node: (counts[node], tuple(sorted(lists[node]))) for node in counts}

    def _naming_feeds(self, ghosts: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
        """(ghost, list, how many claims name it), feed by feed: for a view that hides no claim of a feed it admits."""
        rows = self._connection.execute(
            f"SELECT refs.target, feeds.origin, feeds.list, count(*) FROM refs "  # noqa: S608 - question marks only
            f"JOIN claims ON claims.position = refs.position JOIN batches ON batches.batch = claims.batch "
            f"JOIN feeds ON feeds.feed = batches.feed WHERE refs.target IN ({','.join('?' * len(ghosts))}) "
            f"GROUP BY 1, 2, 3",
            ghosts,
        )
        for target, origin, name, count in rows:
            if self.hearing.tier(Feed(origin, name)) is not None:
                yield target, name, count

    def _naming_claims(self, ghosts: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
        """The same, claim by claim."""
        rows = self._connection.execute(
            f"SELECT refs.target, claims.position, octets FROM refs JOIN claims ON claims.position = refs.position "  # noqa: S608
            f"WHERE refs.target IN ({','.join('?' * len(ghosts))})",
            ghosts,
        )
        for target, position, octets in rows:
            one = self._read(position, octets)
            if one is not None:
                yield target, one.claim.list, 1

    def _id_of(self, node: int) -> bytes:
        return bytes(self._connection.execute("SELECT id FROM ids WHERE node = ?", (node,)).fetchone()[0])


def stated_parent(claim: Claim, policy: Policy) -> bytes | None:
    """What a claim states as its message's parent: an id, None for no parent; ``b""`` if that edge is muted."""
    parent = stated_by_headers(claim, policy.view.profile)
    if parent is not None and policy.muted_edge(claim.message_id, parent):
        return b""
    return parent


def stated_by_headers(claim: Claim, profile: Profile) -> bytes | None:
    """The parent that the headers of a claim state, by `weft.core.forest.statement`."""
    known = list(dict.fromkeys([*claim.references, *claim.in_reply_to]))
    number = {reference: index for index, reference in enumerate(known)}
    parent, _ = statement(
        [number[reference] for reference in claim.in_reply_to],
        claim.sane,
        [number[reference] for reference in claim.references],
        profile,
    )
    return None if parent == NONE else known[parent]


def _variants(seen: Sequence[Seen]) -> int:
    if len({one.claim.body for one in seen}) == 1:
        return 1
    return count_variants((base_subject(decode_text(one.claim.subject))[0].casefold(), one.claim.body) for one in seen)


_fingerprint = lru_cache(maxsize=1024)(fingerprint)


def _copy(one: Seen) -> Copy:
    claim = one.claim
    return Copy(
        claim.list.decode(),
        decode_text(claim.subject),
        decode_text(claim.author),
        format_date(one.seconds, one.zone),
        _fingerprint(claim.origin),
    )


def _only(message_id: bytes, parent: str | None, depth: int, one: Seen, copy: Copy) -> Message:
    """A message of which there is one copy."""
    stated = decode_text(one.claim.date) if one.seconds == MISSING else ""
    return Message(
        _text(message_id), parent, depth, False, False, 1, copy.date, copy.author, copy.subject, (copy,),
        stated_date=stated,
    )  # fmt: skip


def _text(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
