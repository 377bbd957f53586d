"""The forest: the parent of every id, as a pure function of the set of claims.

Theory of operation
-------------------
A claim states a parent for its own id and, by its References, may *witness* an order of ids (`statement`).  For each
id the weaver keeps the best statement about it, and the best witness.  Both are joins of a semilattice: a better
tier (or a smaller gap) replaces, an equal one must agree or the answer is "nothing".  So the result does not depend on
the order, the grouping or the repetition of what is added (T1).  Own headers silence witnesses; nothing is ever
decided by a count of voices, by arrival, by a date or by the smaller id, because each of those can be bought.

What is left is a functional graph, v -> parent, with at most one cycle in each connected piece; `ForestBuilder.forest`
cuts each once, at the node with the weakest ground, and re-hangs nothing.  All of it is integers in flat arrays and
iterative: 2-3 microseconds a message, chains of any depth.

The rules are sections 2-4 of the threading design; compare RFC 5256 section 3 (REFERENCES, steps 1-4) and JWZ's
message threading, which take witnesses for facts and the first arrival for the truth.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from weft.core.references import Marked

NONE = -1
"""The parent of a root."""
_DISAGREED = -2
_SILENT = -3
GHOST_TIER = 255
"""The tier of an id that no admitted claim is about."""
_NO_RANK = 1 << 30

Profile = Literal["weft", "rfc5256"]
Id = TypeVar("Id", int, bytes)


def statement(
    in_reply_to: Sequence[Id], sane: bool, references: Sequence[Id], profile: Profile = "weft"
) -> tuple[Id | int, bool]:
    """The parent that one claim states (or `NONE`), and whether its References witness an order.

    Ids may be of any type that compares.  With profile ``rfc5256`` In-Reply-To counts only if there are
    no References.
    """
    if profile == "rfc5256":
        if references:
            return references[-1], True
        return (in_reply_to[0] if in_reply_to else NONE), False
    if sane and in_reply_to:
        parent = in_reply_to[0]
        return parent, bool(references) and references[-1] == parent
    if references:
        return references[-1], True
    return (in_reply_to[0] if in_reply_to else NONE), False


@dataclass(frozen=True, slots=True)
class Forest:
    """The result: arrays over nodes ``0..n-1``, in the order in which ids were first named.

    ``ids``        the message id of each node
    ``parents``    the parent of each node, or `NONE`; never a cycle
    ``tiers``      the best tier of a claim about the node, 255 for a ghost
    ``contested``  nodes whose best claims disagree, with the rival parents (`NONE` among them), sorted by id
    ``cuts``       nodes whose edge was taken to break a cycle, with the parent they lost
    ``aliases``    nodes whose ids count as those of others, which have their children; no part of the forest
    """

    ids: list[bytes]
    parents: array[int]
    tiers: bytearray
    contested: dict[int, tuple[int, ...]]
    cuts: dict[int, int]
    aliases: dict[int, int] = field(default_factory=dict)

    def is_ghost(self, node: int) -> bool:
        """Nobody that the policy admits has seen it."""
        return self.tiers[node] == GHOST_TIER

    def edges(self) -> Iterable[tuple[bytes, bytes]]:
        """(child, parent) of every edge, in node order."""
        ids = self.ids
        return ((ids[v], ids[u]) for v, u in enumerate(self.parents) if u >= 0)


class IdNumbers(dict[bytes, int]):
    """Numbers bytes in the order in which they are looked up for the first time, and lists them."""

    def __init__(self, listed: list[bytes]) -> None:
        """``listed``: gets each at the place of its number."""
        self._listed = listed

    def __missing__(self, data: bytes) -> int:
        self[data] = number = len(self._listed)
        self._listed.append(data)
        return number


class ForestBuilder:
    """Takes claims in any order, any number of times, and gives the forest of their set."""

    def __init__(self, profile: Profile = "weft") -> None:
        self.profile: Profile = profile
        self.ids: list[bytes] = []
        self.tiers = bytearray()
        self._nodes = IdNumbers(self.ids)
        self._tier_of = self.tiers.__getitem__
        self._parents = array("i")
        self._ranks = array("i")
        self._witnesses = array("i")
        self._rivals: dict[int, set[int]] = {}
        self._witness_rivals: dict[int, set[int]] = {}
        self._doubtful: list[tuple[int, Marked, bool, Marked, int]] = []

    def node(self, message_id: bytes) -> int:
        """The node of an id, made on first use."""
        node = self._nodes[message_id]
        if node >= len(self.tiers):
            self._grow()
        return node

    def nodes(self, chains: Iterable[Iterable[bytes]]) -> list[list[int]]:
        """The nodes of many ids at once: for each of ``chains`` a list of its nodes."""
        numbered = self._nodes.__getitem__
        nodes = [list(map(numbered, chain)) for chain in chains]
        self._grow()
        return nodes

    def _grow(self) -> None:
        """Make room for ids that have been numbered."""
        missing = len(self.ids) - len(self.tiers)
        self.tiers.extend(bytes([GHOST_TIER]) * missing)
        self._parents.extend(array("i", [NONE]) * missing)
        self._ranks.extend(array("i", [_NO_RANK]) * missing)
        self._witnesses.extend(array("i", [_SILENT]) * missing)

    def find(self, message_id: bytes) -> int | None:
        """The node of an id that was named before, else None."""
        return self._nodes.get(message_id)

    def add(self, node: int, in_reply_to: Sequence[int], sane: bool, references: Sequence[int], tier: int = 0) -> bool:
        """One claim about ``node``; tier 0 is the best, 254 the worst.

        True if it refers to ids that are ghosts so far.
        """
        parent, witnesses = statement(in_reply_to, sane, references, self.profile)
        best = self.tiers[node]
        if tier < best:
            self.tiers[node] = tier
            self._parents[node] = parent
            self._rivals.pop(node, None)
        elif tier == best:
            stated = self._parents[node]
            if stated != parent:
                self._rivals.setdefault(node, {stated}).add(parent)
                self._parents[node] = _DISAGREED
        ghosts = GHOST_TIER in map(self._tier_of, references)
        if ghosts and witnesses:
            self._witness(references, tier)
        return ghosts or (in_reply_to != references[-1:] and GHOST_TIER in map(self._tier_of, in_reply_to))

    def add_doubtful(self, node: int, in_reply_to: Marked, sane: bool, references: Marked, tier: int = 0) -> None:
        """As `add`, of a claim with weak ids: what it says is decided when all claims are here."""
        self.nodes(ids.counting(lambda _: False) for ids in (in_reply_to, references))
        self._doubtful.append((node, in_reply_to, sane, references, tier))

    def _settled(self, aliases: Mapping[int, int]) -> ForestBuilder:
        """A weaver of the same nodes in which the doubtful claims say what they do beside the claims that are here."""
        settled = ForestBuilder(self.profile)
        settled.ids, settled._nodes = self.ids, self._nodes
        settled.tiers = bytearray(self.tiers)
        settled._tier_of = settled.tiers.__getitem__
        settled._parents, settled._ranks = array("i", self._parents), array("i", self._ranks)
        settled._witnesses = array("i", self._witnesses)
        settled._rivals = {node: set(rivals) for node, rivals in self._rivals.items()}
        settled._witness_rivals = {node: set(rivals) for node, rivals in self._witness_rivals.items()}
        claimed = {node for node, *_ in self._doubtful}

        def counts(message_id: bytes) -> bool:
            node = self._nodes.get(message_id)
            node = None if node is None else aliases.get(node, node)
            return node is not None and (node in claimed or self.tiers[node] != GHOST_TIER)

        for node, in_reply_to, sane, references, tier in self._doubtful:
            replies, chain = ([self._nodes[name] for name in ids.counting(counts)] for ids in (in_reply_to, references))
            settled.add(node, replies, sane, chain, tier)
        return settled

    def _witness(self, references: Sequence[int], tier: int) -> None:
        """Each adjacent pair says "u is the parent of v", the first id that it has none; the last pair has gap 0."""
        tiers, ranks = self.tiers, self._ranks
        rank = (tier << 8) + len(references) - 1
        before = NONE
        for node in references:
            if tiers[node] == GHOST_TIER and rank <= ranks[node]:
                witnessed = self._witnesses[node]
                if rank < ranks[node]:
                    ranks[node] = rank
                    self._witnesses[node] = before
                    if witnessed == _DISAGREED:
                        del self._witness_rivals[node]
                elif witnessed != before:
                    self._witness_rivals.setdefault(node, {witnessed}).add(before)
                    self._witnesses[node] = _DISAGREED
            before = node
            rank -= 1

    def forest(self, only: Collection[int] | None = None) -> Forest:
        """The forest of all that was added.  The weaver can go on afterwards.

        ``only``: the nodes about which all that counts was added; others are roots, uncontested.
        """
        return self._forest(only, {})

    def forest_with(self, aliases: Mapping[bytes, bytes]) -> Forest:
        """The same where some ids count as others (`weft.core.alias.joinable`).

        No claim may be about an alias, and some must be about what it counts as.
        """
        return self._forest(None, {self.node(old): self.node(new) for old, new in aliases.items()})

    def _forest(self, only: Collection[int] | None, aliases: Mapping[int, int]) -> Forest:
        if self._doubtful:
            return self._settled(aliases)._forest(only, aliases)
        parents = array("i", self._parents)
        for node in self._unclaimed():
            parents[node] = self._witnesses[node]
        every_rival = self._rivals
        if aliases:
            ghosts = {node: rivals for node, rivals in self._witness_rivals.items() if self.tiers[node] == GHOST_TIER}
            _redirect(parents, ghosts, aliases)
            every_rival = _redirect(parents, self._rivals, aliases)
            for node in aliases:
                parents[node] = NONE
        for node, parent in enumerate(parents):
            if parent < NONE or (only is not None and node not in only):
                parents[node] = NONE
        contested = {
            node: tuple(sorted(rivals, key=lambda rival: (rival != NONE, self.ids[rival])))
            for node, rivals in every_rival.items()
            if only is None or node in only
        }
        cuts = {}
        for cycle in find_cycles(parents):
            weakest = min(cycle, key=self._evidence)
            cuts[weakest] = parents[weakest]
            parents[weakest] = NONE
        return Forest(self.ids, parents, self.tiers, contested, cuts, dict(aliases))

    def _unclaimed(self) -> Iterator[int]:
        """The nodes of ghosts."""
        node = self.tiers.find(GHOST_TIER)
        while node >= 0:
            yield node
            node = self.tiers.find(GHOST_TIER, node + 1)

    def _evidence(self, node: int) -> tuple[bool, int, int, bytes]:
        """Smallest for the weakest ground: a ghost, then the worst tier, the largest gap, the smallest id."""
        if self.tiers[node] != GHOST_TIER:
            return True, -self.tiers[node], 0, self.ids[node]
        rank = self._ranks[node]
        return False, -(rank >> 8), -(rank & 0xFF), self.ids[node]


def _redirect(parents: array[int], rivals: Mapping[int, set[int]], aliases: Mapping[int, int]) -> dict[int, set[int]]:
    """Take ``parents`` from aliases to what they count as, as `weft.core.alias.redirect` does; the rivals then.

    What an alias counts as has headers of its own, which silence all witnesses about either.
    """
    found: dict[int, set[int]] = {}
    for node, parent in enumerate(parents):
        if parent in aliases:
            parents[node] = NONE if aliases[parent] == node else aliases[parent]
    for node, stated in rivals.items():
        moved = {NONE if aliases.get(rival) == node else aliases.get(rival, rival) for rival in stated}
        if len(moved) > 1:
            found[node] = moved
        else:
            [parents[node]] = moved
    return found


def find_cycles(parents: Sequence[int]) -> list[list[int]]:
    """The cycles of a functional graph (a negative parent is none), each once.  Linear, iterative."""
    unseen, on_path, done = 0, 1, 2
    state = bytearray(len(parents))
    cycles = []
    for start, parent in enumerate(parents):
        if parent < 0 or state[parent] == done:  # nearly all, where parents come before their children
            state[start] = done
            continue
        node = start
        while node >= 0 and state[node] == unseen:
            state[node] = on_path
            node = parents[node]
        if node >= 0 and state[node] == on_path:
            cycle, entry = [node], node
            while (node := parents[node]) != entry:
                cycle.append(node)
            cycles.append(cycle)
        node = start
        while node >= 0 and state[node] == on_path:
            state[node] = done
            node = parents[node]
    return cycles


def root_of_each(parents: Sequence[int]) -> array[int]:
    """The root above each node of a forest (a negative parent is none).  Linear, iterative."""
    found = array("i", [NONE]) * len(parents)
    for start in range(len(parents)):
        path, node = [], start
        while found[node] == NONE:
            path.append(node)
            if parents[node] < 0:
                found[node] = node
            else:
                node = parents[node]
        for below in path:
            found[below] = found[node]
    return found
