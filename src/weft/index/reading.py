"""Reading threads out of the index: walk the view's edges, then read the claims about the ids of one tree.

Nothing of the whole index is loaded: a thread of ten messages costs three queries, whatever the size of the index.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Seen:
    """One claim about a message that this view counts, read once."""

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

    def thread(self, root: int, *, hidden: bool = True, covered: Coverage | None = None) -> Thread:
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
        return Thread(tuple(messages), thread_digest(claims, edges).hex(), covered)

    def claims_about(self, nodes: Sequence[int]) -> dict[int, list[Seen]]:
        """The claims that count about each node, by (tier, list, claim id): the first is the one that is shown."""
        found: dict[int, list[Seen]] = {node: [] for node in nodes}
        for node, one in self._select("claims.node", nodes):
            found[node].append(one)
        for group in found.values():
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
        tier = self.hearing.tier(claim.feed)
        identity = claim_id(octets)
        if tier is None or self.hearing.hidden(identity, claim):
            return None
        return Seen(position, identity, tier, claim, *parse_date(claim.date))

    def _message(self, message_id: bytes, parent: str | None, depth: int, seen: list[Seen]) -> Message:
        best = [one for one in seen if one.tier == seen[0].tier]
        copies = tuple(map(_copy, seen))
        seconds, zone = min(((one.seconds, one.zone) for one in best if one.seconds != MISSING), default=(MISSING, 0))
        states = {stated_parent(one.claim, self.policy) for one in best} if len(best) > 1 else set()
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


def coverage(policy: Policy, held: Iterable[Feed]) -> Coverage:
    """What is carried whole here, in part, and not at all, relative to the policy; ``held`` are feeds with claims."""
    known = set(held)
    carried = {feed for feed in known if feed.origin == policy.own}
    partly = {feed for feed in known - carried if policy.admits(feed)}
    never = set()
    for origin, row in policy.origins.items():
        names = row.lists if row.lists is not None else {b"*"} - {b"*" for feed in partly if feed.origin == origin}
        never |= {Feed(origin, name) for name in names} - partly
    return Coverage(*(tuple(sorted(map(_feed_name, feeds))) for feeds in (carried, partly, never)))


def _variants(seen: Sequence[Seen]) -> int:
    if len({one.claim.body for one in seen}) == 1:
        return 1
    return count_variants((base_subject(decode_text(one.claim.subject))[0].casefold(), one.claim.body) for one in seen)


def _feed_name(feed: Feed) -> str:
    return f"{fingerprint(feed.origin)}/{feed.list.decode()}"


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


def _text(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
