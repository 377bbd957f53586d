"""Reading threads out of the index: walk the view's edges, then read the claims about the ids of one tree.

Nothing of the whole index is loaded: a tree comes with its ids and claims in one statement, whatever the size of the
index.  SQLite gives way to other threads at each row, so every row that is not needed costs twice.

Claims were checked when they came.  Here they are read as they stand, because a thread needs few of their fields; one
whose bytes are no claim any more, or of no list, is left out, and `check` names it.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from weft.core.author import decode_author
from weft.core.claim import Claim, claim_id, parse
from weft.core.cycle_cutting import CUT, WITNESS_RANK
from weft.core.date import MISSING, earliest, format_date, parse_date
from weft.core.display_order import DisplayOrder
from weft.core.encoded_word import is_guessed
from weft.core.feed import Feed
from weft.core.forest import NONE, Profile, statement
from weft.core.list_name import check_list_bytes
from weft.core.references import counting
from weft.core.representative import Rank, content_of, count_variants
from weft.core.signing import fingerprint
from weft.core.subject import decode_text
from weft.errors import ClaimError, StoreError
from weft.index.claim_filter import ClaimFilter
from weft.index.coverage import CoverageReader
from weft.index.newest_mail import plausible_before
from weft.model import Copy, Coverage, Message, Thread
from weft.policy.rules import Policy, thread_digest
from weft.store.connection import stated_origin
from weft.store.interface import read_bytes
from weft.v1 import claim_pb2 as wire

_CHUNK = 500

_UP = """
WITH RECURSIVE up(node) AS (
    SELECT ? UNION
    SELECT nodes.parent FROM up CROSS JOIN nodes ON nodes.node = up.node WHERE nodes.parent >= 0)
SELECT up.node FROM up CROSS JOIN nodes ON nodes.node = up.node WHERE nodes.parent < 0"""
_TREE = """
WITH RECURSIVE down(node, parent, rank, loop, said, date) AS (
    SELECT node, parent, rank, loop, said, date FROM nodes WHERE node = ? UNION ALL
    SELECT nodes.node, nodes.parent, nodes.rank, nodes.loop, nodes.said, nodes.date
    FROM down CROSS JOIN nodes ON nodes.parent = down.node AND nodes.parent >= 0)"""
_DOWN = f"{_TREE} SELECT down.*, ids.id FROM down CROSS JOIN ids ON ids.node = down.node"  # noqa: S608
_ROWS = f"""{_TREE}
SELECT down.*, ids.id, claims.position, claims.octets FROM down CROSS JOIN ids ON ids.node = down.node
LEFT JOIN claims ON claims.node = iif(down.rank < {WITNESS_RANK}, down.node, NULL) AND claims.octets IS NOT NULL LIMIT ?"""  # noqa: E501, S608 - a number of ours
_OUTLINE = f"""{_TREE}
SELECT down.*, ids.id, claims.position, NULL FROM down CROSS JOIN ids ON ids.node = down.node
LEFT JOIN claims ON claims.node = down.node"""  # noqa: S608

_AnyClaim = wire.AnyClaim.FromString

Row = tuple[Any, ...]
"""A node of a tree with one of the claims about it: what `_ROWS` selects.  Those of one node follow each other."""


_NOT_WEAK = (
    "AND NOT EXISTS (SELECT 1 FROM weak WHERE alone AND weak.target = refs.target AND weak.position = refs.position)"
)
"""Who names an id weakly does not name a ghost (`weft.core.references`)."""


class AdmittedFeed(NamedTuple):
    """A feed that the policy admits, as threads show it."""

    tier: int
    list: str
    origin: str
    """The fingerprint."""


class _AdmittedFeeds(dict[tuple[bytes, bytes], AdmittedFeed | None]):
    """Feeds by (origin, list); None for one that does not count."""

    def __init__(self, claim_filter: ClaimFilter) -> None:
        self._claim_filter = claim_filter

    def __missing__(self, feed: tuple[bytes, bytes]) -> AdmittedFeed | None:
        origin, name = feed
        tier = self._claim_filter.tier(Feed(origin, name))
        try:
            found = None if tier is None else AdmittedFeed(tier, check_list_bytes(name).decode(), fingerprint(origin))
        except ValueError:  # damaged on disk
            found = None
        self[feed] = found
        return found


class CountedClaim(NamedTuple):
    """One claim about a message that this view counts, read once (a named tuple: threads are made of many)."""

    position: int
    identity: bytes
    source: AdmittedFeed
    claim: wire.Claim
    seconds: int
    zone: int


@dataclass(slots=True)
class GatheredTree:
    """A tree as it stands in the view, by places: the root at 0, parents before their children."""

    nodes: dict[int, int] = field(default_factory=dict)
    """Where each node stands."""
    ids: list[bytes] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("i"))
    ghosts: bytearray = field(default_factory=bytearray)
    dates: array[int] = field(default_factory=lambda: array("q"))
    cuts: dict[int, int] = field(default_factory=dict)
    """The nodes whose edges to others were cut, by place."""
    seen: list[list[CountedClaim]] = field(default_factory=list)
    node_list: list[int] = field(default_factory=list)
    """The node of each place."""

    def order(self, *, hidden: bool) -> list[tuple[int, int]]:
        """(place, depth) in display order; ``hidden``: also of ghosts that have no held descendant."""
        layout = DisplayOrder(self.ids, self.parents, self.ghosts, self.dates)
        return [(place, depth) for place, depth in layout.tree(0) if hidden or layout.held[place]]

    def edges(self) -> list[tuple[bytes, bytes]]:
        """(child, parent) of all its edges, as ids."""
        return [(self.ids[place], self.ids[above]) for place, above in enumerate(self.parents) if above >= 0]


class ThreadReader:
    """Builds threads from the claims and the view of one policy."""

    def __init__(self, connection: sqlite3.Connection, claim_filter: ClaimFilter) -> None:
        """``claim_filter`` says which claims count."""
        self._connection = connection
        self.claim_filter = claim_filter
        self.policy = claim_filter.policy
        self.claimed: Callable[[bytes], bool] = lambda _: False
        """Whether a claim of the view is about an id.  The view sets it."""
        self._sources = _AdmittedFeeds(claim_filter)
        self._future: int | None = None
        self._own: bytes | None = None
        self._future_known = False
        self._counting_as: dict[bytes, list[bytes]] = {}
        for old, new in sorted(self.policy.aliases.items()):
            self._counting_as.setdefault(new, []).append(old)

    def counting_as(self, message_id: bytes) -> list[bytes]:
        """The ids that count as this one by the policy, sorted."""
        return self._counting_as.get(message_id, [])

    def root_of(self, node: int) -> int:
        """The root of the tree in which a node stands."""
        found = self._connection.execute(_UP, (node,)).fetchone()
        if found is None:
            raise StoreError("the view of the index is damaged; run: weft check --repair")
        return int(found[0])

    def rows(self, root: int, most: int = -1) -> list[Row]:
        """The tree below ``root`` for `built`, not more than ``most`` rows: one for each copy and each ghost."""
        return self._connection.execute(_ROWS, (root, most)).fetchall()

    def outline(self, root: int) -> list[Row]:
        """The same without the bytes of claims, all of it; more than one row for a ghost too."""
        return self._connection.execute(_OUTLINE, (root,)).fetchall()

    def nodes(self, root: int) -> list[Row]:
        """The nodes of a tree without any claim: (node, parent, rank, loop, said, date, id), parents first."""
        return self._connection.execute(_DOWN, (root,)).fetchall()

    def thread(self, root: int, *, hidden: bool = True, coverage_reader: CoverageReader | None = None) -> Thread:
        """The tree below ``root``; with ``hidden`` also ghosts that have no held descendant."""
        return self.built(self.rows(root), hidden=hidden, coverage_reader=coverage_reader)

    def built(
        self, rows: Sequence[Row], *, hidden: bool = True, coverage_reader: CoverageReader | None = None
    ) -> Thread:
        """The thread that all rows of a tree make."""
        tree = self.gathered(rows)
        messages = self.messages(tree, tree.order(hidden=hidden))
        claims = [one.identity for group in tree.seen for one in group]
        shown = None if hidden else {message.id for message in messages}
        covered = None if coverage_reader is None else self.coverage_of(tree, coverage_reader, shown)
        return Thread(tuple(messages), thread_digest(claims, tree.edges()).hex(), covered)

    def messages(self, tree: GatheredTree, run: Sequence[tuple[int, int]]) -> list[Message]:
        """The messages at some (place, depth) of a tree whose claims are gathered there."""
        ids, parents, ghosts, seen, cuts = tree.ids, tree.parents, tree.ghosts, tree.seen, tree.cuts
        nodes = {place: tree.node_list[place] for place, _ in run}
        ahead = self._ahead(tree, list(nodes))
        ghost_nodes = [node for place, node in nodes.items() if ghosts[place]]
        muted, naming = self._muted_nodes(ghost_nodes), self._naming(ghost_nodes)
        replies = self._rival_replies(list(nodes.values()))
        names = {place: _text(ids[place]) for place in nodes}
        messages = []
        for place, depth in run:
            above = parents[place]
            parent = None if above < 0 else names.get(above) or _text(ids[above])
            if ghosts[place]:
                named, lists = naming.get(nodes[place], (0, ()))
                message = Message(
                    names[place], parent, depth, True, False, 0, None, "", "", (), named=named, named_on=lists,
                    muted=nodes[place] in muted,
                )  # fmt: skip
            else:
                message = self._message(names[place], parent, depth, seen[place])
            if place in ahead:
                message = message._replace(ahead=True)
            if cuts and place in cuts:
                message = message._replace(cut=_text(self._id_of(cuts[place])))
            if replies and nodes[place] in replies:
                message = message._replace(rival_replies=tuple(map(_text, sorted(replies[nodes[place]]))))
            if ids[place] in self._counting_as:
                message = message._replace(aliases=tuple(map(_text, self._counting_as[ids[place]])))
            messages.append(message)
        return messages

    def coverage_of(
        self, tree: GatheredTree, coverage_reader: CoverageReader, shown: Container[str] | None
    ) -> Coverage:
        """How complete a tree can be; ``shown``: the ids that are shown, if not all are."""
        covered = self._coverage(coverage_reader, tree.ids, tree.node_list, tree.ghosts)
        if shown is not None and covered.nobody_holds:
            covered = replace(covered, nobody_holds=tuple(name for name in covered.nobody_holds if name in shown))
        return covered

    def gathered(self, rows: Sequence[Row]) -> GatheredTree:
        """The tree that all its rows make, with the claims that are in them."""
        tree = GatheredTree()
        nodes, seen = tree.nodes, tree.seen
        for node, parent, rank, loop, said, date, literal, position, data in rows:
            if node not in nodes:
                tree.parents.append(nodes[parent] if nodes else NONE)
                if loop == CUT:
                    tree.cuts[len(nodes)] = said
                nodes[node] = len(nodes)
                tree.node_list.append(node)
                tree.ids.append(literal)
                tree.ghosts.append(rank >= WITNESS_RANK)
                tree.dates.append(MISSING if date is None else date)
                seen.append([])
            one = None if data is None else self._read(position, data)
            if one is not None:
                seen[-1].append(one)
        self._sort(seen)
        return tree

    def _ahead(self, tree: GatheredTree, places: Sequence[int]) -> set[int]:
        """Those of some places of a tree whose messages are on a list of our own and dated in the future."""
        if not self._future_known:
            self._future, self._own = plausible_before(self._connection), stated_origin(self._connection)
            self._future_known = True
        future = self._future
        if future is None or max(map(tree.dates.__getitem__, places), default=MISSING) < future:  # as nearly always
            return set()
        return {
            place
            for place in places
            if tree.dates[place] >= future and any(one.claim.origin == self._own for one in tree.seen[place])
        }

    def forget_future(self) -> None:
        """The newest year of our own mail may be another by now."""
        self._future_known = False

    def coverage(self, root: int, coverage_reader: CoverageReader) -> Coverage:
        """How complete the tree below ``root`` can be."""
        rows = self.nodes(root)
        return self._coverage(
            coverage_reader,
            [row[6] for row in rows],
            [row[0] for row in rows],
            [row[2] >= WITNESS_RANK for row in rows],
        )

    def _coverage(
        self, coverage_reader: CoverageReader, ids: Sequence[bytes], nodes: Sequence[int], ghosts: Sequence[int]
    ) -> Coverage:
        """The coverage of a tree; ``ghosts``: which of the nodes are."""

        def missing() -> list[str]:
            names = {node: literal for node, literal, ghost in zip(nodes, ids, ghosts, strict=True) if ghost}
            return sorted(_text(names[node]) for node in names.keys() - self._named_in_claims(list(names)))

        return coverage_reader.of(ids, missing)

    def _named_in_claims(self, nodes: Sequence[int]) -> set[int]:
        """The nodes about which there is a claim, also one that does not count, or whose bytes were deleted."""
        found: set[int] = set()
        for start in range(0, len(nodes), _CHUNK):
            chunk = nodes[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(f"SELECT DISTINCT node FROM claims WHERE node IN ({marks})", chunk)  # noqa: S608
            found.update(node for (node,) in rows)
        return found

    def claims_about(self, nodes: Sequence[int]) -> dict[int, list[CountedClaim]]:
        """The claims that count about each node, by rank: the first is the one that is shown."""
        found: dict[int, list[CountedClaim]] = {node: [] for node in nodes}
        for start in range(0, len(nodes), _CHUNK):
            chunk = nodes[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT node, position, octets FROM claims WHERE node IN ({marks}) AND octets IS NOT NULL",  # noqa: S608
                chunk,
            )
            for node, position, data in rows:
                one = self._read(position, data)
                if one is not None:
                    found[node].append(one)
        self._sort(found.values())
        return found

    def variants(self, node: int) -> int:
        """How many different contents stand under the id of a node."""
        [seen] = self.claims_about([node]).values()
        return _variants(seen) if seen else 0

    def _sort(self, groups: Iterable[list[CountedClaim]]) -> None:
        """The claim that is shown of each message comes first.  Places are looked up where nothing before decides."""
        for group in groups:
            if len(group) > 1:
                feeds = {(one.claim.origin, one.claim.list) for one in group}
                places = self._places(group) if len(feeds) < len(group) else {}
                group.sort(key=lambda one, places=places: _rank(one, places.get(one.position, _NO_PLACE)))  # type: ignore[misc]

    def _places(self, group: Sequence[CountedClaim]) -> dict[int, tuple[int, int]]:
        """(batch, leaf) of some claims, by position."""
        found: dict[int, tuple[int, int]] = {}
        for start in range(0, len(group), _CHUNK):
            chunk = [one.position for one in group[start : start + _CHUNK]]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT position, batch, leaf FROM claims WHERE position IN ({marks})",  # noqa: S608
                chunk,
            )
            found |= {position: (batch, leaf) for position, batch, leaf in rows}
        return found

    def counts(self, data: bytes, claim: Claim) -> bool:
        """Whether a claim counts in this view."""
        return not self.claim_filter.hidden(claim_id(data), claim)

    def _read(self, position: int, data: bytes) -> CountedClaim | None:
        try:
            claim = _AnyClaim(data).mail  # of a withdrawal: an empty one, whose feed nobody admits
        except DecodeError:
            return None
        source = self._sources[claim.origin, claim.list]
        if source is None:
            return None
        identity = claim_id(data)
        if identity in self.claim_filter.withdrawn or (self.claim_filter.mutes and self._muted(identity, data)):
            return None
        return CountedClaim(position, identity, source, claim, *parse_date(claim.date))

    def _muted(self, identity: bytes, data: bytes) -> bool:
        try:
            return bool(self.policy.muted(identity, parse(data)))
        except ClaimError:
            return True

    def _message(self, message_id: str, parent: str | None, depth: int, seen: list[CountedClaim]) -> Message:
        if len(seen) == 1:  # as nearly always
            return _only(message_id, parent, depth, seen[0])
        copies = tuple(map(_copy, seen))
        best = [one for one in seen if one.source.tier == seen[0].source.tier]
        seconds, zone = earliest((one.seconds, one.zone) for one in best)
        states = {stated_parent(one.claim, self.policy, self.claimed) for one in best}
        states.discard(b"")
        message = Message(
            message_id, parent, depth, False, len(states) > 1, _variants(seen),
            format_date(seconds, zone), copies[0].author, copies[0].subject, copies,
        )  # fmt: skip
        if len(states) > 1:
            ordered = sorted(states, key=lambda state: (state is not None, state or b""))
            message = message._replace(rivals=tuple(None if state is None else _text(state) for state in ordered))
        if seconds == MISSING and seen[0].claim.date:
            message = message._replace(stated_date=decode_text(seen[0].claim.date))
        return message._replace(guessed=True) if _guessed(seen[0].claim) else message

    def _muted_nodes(self, ghosts: Sequence[int]) -> set[int]:
        """The ghosts about which there are claims that would count if they were not muted."""
        found: set[int] = set()
        if not self.claim_filter.mutes:
            return found
        for start in range(0, len(ghosts), _CHUNK):
            chunk = ghosts[start : start + _CHUNK]
            rows = self._connection.execute(
                f"SELECT node, octets FROM claims WHERE node IN ({','.join('?' * len(chunk))}) "  # noqa: S608
                "AND octets IS NOT NULL",
                chunk,
            )
            for node, data in rows:
                try:
                    claim, identity = parse(data), claim_id(data)
                except ClaimError:
                    continue
                if isinstance(claim, Claim) and self.claim_filter.is_muted(identity, claim):
                    found.add(node)
        return found

    def _rival_replies(self, nodes: Sequence[int]) -> dict[int, list[bytes]]:
        """For those of some nodes that contested messages name as a rival parent, the ids of these."""
        found: dict[int, list[bytes]] = {}
        if self._connection.execute("SELECT 1 FROM rivals LIMIT 1").fetchone() is None:  # as nearly always
            return found
        for start in range(0, len(nodes), _CHUNK):
            chunk = nodes[start : start + _CHUNK]
            rows = self._connection.execute(
                "SELECT rivals.parent, ids.id FROM rivals CROSS JOIN ids ON ids.node = rivals.node "  # noqa: S608
                f"WHERE rivals.parent IN ({','.join('?' * len(chunk))})",
                chunk,
            )
            for parent, literal in rows:
                found.setdefault(parent, []).append(literal)
        return found

    def _naming(self, ghosts: Sequence[int]) -> dict[int, tuple[int, tuple[str, ...]]]:
        """For each ghost, in how many copies that count it is named, and on which lists."""
        counts: dict[int, int] = defaultdict(int)
        lists: dict[int, set[str]] = defaultdict(set)
        rows = self._naming_claims if self.claim_filter.hides_some else self._naming_feeds
        if self.claim_filter.aliases:
            rows = self._naming_by_alias
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
            f"{_NOT_WEAK} GROUP BY 1, 2, 3",
            ghosts,
        )
        for target, origin, name, count in rows:
            if self.claim_filter.tier(Feed(origin, name)) is not None:
                yield target, name, count

    def _naming_claims(self, ghosts: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
        """The same, claim by claim."""
        rows = self._connection.execute(
            f"SELECT refs.target, claims.position, octets FROM refs JOIN claims ON claims.position = refs.position "  # noqa: S608
            f"WHERE refs.target IN ({','.join('?' * len(ghosts))}) {_NOT_WEAK}",
            ghosts,
        )
        for target, position, data in rows:
            one = self._read(position, data)
            if one is not None:
                yield target, one.claim.list, 1

    def _naming_by_alias(self, ghosts: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
        """The same where some ids count as others: each claim once, whichever of them it names."""
        aliases = self.claim_filter.aliases
        for ghost in ghosts:
            targets = [ghost, *(old for old, new in aliases.items() if new == ghost)]
            rows = self._connection.execute(
                f"SELECT DISTINCT claims.position, octets FROM refs JOIN claims ON claims.position = refs.position "  # noqa: S608
                f"WHERE refs.target IN ({','.join('?' * len(targets))})",
                targets,
            )
            literal = self._id_of(ghost)
            for position, data in rows:
                one, claim = data and self._read(position, data), read_bytes(data)
                if one and isinstance(claim, Claim) and literal in map(self.policy.meant, claim.sure_ids):
                    yield ghost, claim.list, 1

    def _id_of(self, node: int) -> bytes:
        return bytes(self._connection.execute("SELECT id FROM ids WHERE node = ?", (node,)).fetchone()[0])


def stated_parent(claim: Claim | wire.Claim, policy: Policy, claimed: Callable[[bytes], bool]) -> bytes | None:
    """What a claim states as its message's parent: an id, None for no parent; ``b""`` if that edge is muted."""
    parent = counted_as(stated_by_headers(claim, policy.view.profile, claimed), claim.message_id, policy)
    if parent is not None and policy.muted_edge(claim.message_id, parent):
        return b""
    return parent


def counted_as(parent: bytes | None, message_id: bytes, policy: Policy) -> bytes | None:
    """The parent that counts where the headers of a message state one; none if that is the message itself."""
    meant = None if parent is None else policy.meant(parent)
    return None if meant == message_id else meant


def stated_by_headers(claim: Claim | wire.Claim, profile: Profile, claimed: Callable[[bytes], bool]) -> bytes | None:
    """The parent that the headers of a claim state, by `weft.core.forest.statement`.

    ``claimed``: whether some claim is about an id, so that it counts if it is weak.
    """
    replies = counting(claim.in_reply_to, claim.weak_in_reply_to, claimed)
    references = counting(claim.references, claim.weak_references, claimed)
    parent = statement(replies, claim.sane, references, profile)[0]
    return parent if isinstance(parent, bytes) else None


def _variants(seen: Sequence[CountedClaim]) -> int:
    claims = [one.claim for one in seen]
    if len({claim.author for claim in claims}) == 1:
        if len({claim.body for claim in claims}) == 1:
            return 1
        if (
            len({(claim.origin, claim.list) for claim in claims}) == len(claims)
            and len({claim.subject for claim in claims}) == 1
        ):
            return 1
    return count_variants(map(content_of, claims))


_NO_PLACE = (0, 0)


def _rank(one: CountedClaim, place: tuple[int, int]) -> Rank:
    return Rank(one.source.tier, one.claim.list, one.claim.origin, place)


def _copy(one: CountedClaim) -> Copy:
    source, claim = one.source, one.claim
    return Copy(
        source.list, decode_text(claim.subject), decode_author(claim.author), format_date(one.seconds, one.zone),
        source.origin,
    )  # fmt: skip


def _only(message_id: str, parent: str | None, depth: int, one: CountedClaim) -> Message:
    """A message of which there is one copy."""
    copy = _copy(one)
    stated = decode_text(one.claim.date) if one.seconds == MISSING else ""
    return Message(
        message_id, parent, depth, False, False, 1, copy.date, copy.author, copy.subject, (copy,),
        (), None, 0, (), False, stated, guessed=_guessed(one.claim),
    )  # fmt: skip


def _guessed(claim: wire.Claim) -> bool:
    """Whether what is shown of a claim is a guess."""
    author, subject = claim.author, claim.subject
    both = author + subject
    if both.isascii() and b"=?" not in both:  # as nearly always
        return False
    return is_guessed(author) or is_guessed(subject)


def _text(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
