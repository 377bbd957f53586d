"""The rows of a view of many claims, made at once: of the first ingest of an index, and of a log that is read anew.

Theory of operation.  While claims come, only what is stated of each node is joined, in flat arrays: about 30 bytes a
node.  When all are here, what `weft.index.node_cache` and `weft.index.recency` keep up to date row by row follows from
the arrays in one pass, and each table is written in the order of its keys.  What claims with weak ids say is decided
then.  The rows are those that the same claims give one by one; a test compares them.

There is no way to take a claim back from here: a log is read so up to its first withdrawal.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from weft.core.claim import Claim
from weft.core.cycle_cutting import CUT, DISAGREED, NO_RANK, ON, SILENT, WITNESS_RANK
from weft.core.date import MISSING, parse_date, plausible
from weft.core.forest import NONE, find_cycles, root_of_each, statement
from weft.index.aliases import AliasTable
from weft.index.claim_filter import ClaimFilter, resolve, sure_nodes, weak_nodes
from weft.index.recency import HeldNodes, RecencyTables
from weft.index.rivals import Rivals
from weft.store.id_table import insert
from weft.store.interface import InsertedClaim
from weft.store.sqlite import SqliteStore

_UNNAMED = NO_RANK + 1
"""The rank of a number that no claim which counts names: it has no row."""


_STEP = 4000


def read_log(store: SqliteStore, claim_filter: ClaimFilter) -> BulkRows:
    """What a log says from its beginning to its end, or to the first withdrawal."""
    rows = BulkRows(claim_filter)
    while page := store.log(rows.position, _STEP):
        if not rows.add(resolve(store, page), page[-1].position):
            break
    return rows


class BulkRows:
    """Takes the claims of a log from its beginning, and writes the rows of the view that they make."""

    def __init__(self, claim_filter: ClaimFilter) -> None:
        """``claim_filter``: nothing was withdrawn as far as it knows."""
        self.position = 0
        """Of the last claim that was taken."""
        self._filter = claim_filter
        self._ranks = array("i")
        self._stated = array("i")
        self._dates = array("q")
        self._lists = HeldNodes()
        self._doubtful: list[tuple[InsertedClaim, Claim]] = []
        self._with_aliases: list[tuple[InsertedClaim, Claim]] = []

    def add(self, stored: Sequence[InsertedClaim], position: int) -> bool:
        """Take claims that follow upon the last ones, up to that position of the log.

        False, and nothing is taken, if one of them is a withdrawal.
        """
        claims = [(one, claim) for one in stored if isinstance(claim := one.claim.parsed, Claim)]
        if len(claims) < len(stored):
            return False
        self._grow(max((max(sure_nodes(one, self._filter.aliases)) for one, _ in claims), default=0) + 1)
        hidden, rank_of, policy = self._filter.hidden, self._ranks.__getitem__, self._filter.policy
        simple = not (self._filter.aliases or policy.mute.edges)
        for one, claim in claims:
            if hidden(one.claim.identity, claim):
                continue
            references, replies = one.reference_nodes, one.reply_nodes
            if (
                simple
                and not claim.doubtful
                and max(map(rank_of, references), default=0) < WITNESS_RANK
                and (replies == references[-1:] or max(map(rank_of, replies), default=0) < WITNESS_RANK)
            ):  # as nearly always: it is about its own node alone, since claims about the others are here
                stated, _ = statement(replies, claim.sane, references, policy.view.profile)
                self._join(one.node, self._date(one, claim), stated)
            else:
                self._add_whole(one, claim)
            self._lists.add(one.node, claim.list)
            if claim.aliases:
                self._with_aliases.append((one, claim))
        self.position = position
        return True

    def _add_whole(self, one: InsertedClaim, claim: Claim) -> None:
        """What a claim says of all nodes that it names."""
        for node in sure_nodes(one, self._filter.aliases):
            if self._ranks[node] == _UNNAMED:
                self._ranks[node] = NO_RANK
        self._date(one, claim)
        if claim.doubtful:
            self._doubtful.append((one, claim))
        else:
            self._hear(one, claim)

    def write(self, store: SqliteStore, recency: RecencyTables, rivals: Rivals, aliases: AliasTable, now: int) -> None:
        """Write all rows into tables that are empty, in the store's transaction; to be called once."""
        connection = store.connection
        self._hear_doubtful()
        parents, loops = self._cut(store)
        insert(connection, "nodes", self._rows(parents, loops), 6)
        recency.fill(self._lists, root_of_each(parents), self._dates, now)
        weak = [(one.position, weak_nodes(one, claim, self._filter.aliases)) for one, claim in self._doubtful]
        connection.executemany(
            "INSERT OR IGNORE INTO weak (target, position, alone) VALUES (?, ?, ?)",
            sorted((node, position, alone) for position, nodes in weak for node, alone in nodes.items()),
        )
        aliases.add(self._with_aliases)
        places = enumerate(zip(self._stated, self._ranks, strict=True))
        contested = [node for node, (stated, rank) in places if stated == DISAGREED and rank < WITNESS_RANK]
        rivals.write(contested, (), lambda _: True)

    def _grow(self, nodes: int) -> None:
        missing = max(0, nodes - len(self._ranks))
        self._ranks.extend(array("i", [_UNNAMED]) * missing)
        self._stated.extend(array("i", [SILENT]) * missing)
        self._dates.extend(array("q", [MISSING]) * missing)
        self._lists.grow(len(self._ranks))

    def _date(self, stored: InsertedClaim, claim: Claim) -> int:
        """Join the date of a claim, and give its tier; from then on its node is one that a claim is about."""
        node, tier = stored.node, self._filter.tier_of(claim)
        rank = self._ranks[node]
        if tier > rank:
            return tier
        seconds = plausible(parse_date(claim.date)[0])
        if tier < rank:
            self._dates[node] = seconds
            self._ranks[node], self._stated[node] = tier, SILENT
        elif seconds != MISSING and (self._dates[node] == MISSING or seconds < self._dates[node]):
            self._dates[node] = seconds
        return tier

    def _hear(self, stored: InsertedClaim, claim: Claim) -> None:
        """Join what a claim states, and what it witnesses."""
        said = self._filter.interpret(stored, claim)
        ranks, states = self._ranks, self._stated
        self._join(said.node, said.tier, said.stated)
        base = WITNESS_RANK + (said.tier << 8)
        for child, parent, gap in said.witnesses:
            rank = base + gap
            if rank < ranks[child]:
                ranks[child], states[child] = rank, parent
            elif rank == ranks[child]:
                self._join(child, rank, parent)

    def _join(self, node: int, rank: int, said: int) -> None:
        """As `weft.core.cycle_cutting.NodeState.join`."""
        known = self._ranks[node]
        if rank < known:
            self._ranks[node], self._stated[node] = rank, said
        elif rank == known and said != SILENT:
            stated = self._stated[node]
            if stated == SILENT:
                self._stated[node] = said
            elif stated != said:
                self._stated[node] = DISAGREED

    def _hear_doubtful(self) -> None:
        """What claims with weak ids say, now that it is known which of these claims are about."""
        claimed, ranks = self._filter.claimed, self._ranks
        self._filter.claimed = lambda node: node < len(ranks) and ranks[node] < WITNESS_RANK
        try:
            for one, claim in self._doubtful:
                self._hear(one, claim)
        finally:
            self._filter.claimed = claimed

    def _cut(self, store: SqliteStore) -> tuple[array[int], bytearray]:
        """The parent of each node, and where it stands on a cycle."""
        parents = array("i", [stated if stated >= 0 else NONE for stated in self._stated])
        loops = bytearray(len(parents))
        for cycle in find_cycles(parents):
            worst = max(self._ranks[node] for node in cycle)
            ties = [node for node in cycle if self._ranks[node] == worst]
            weakest = min(zip(store.ids_of(ties), ties, strict=True))[1]
            for node in cycle:
                loops[node] = ON
            loops[weakest], parents[weakest] = CUT, NONE
        return parents, loops

    def _rows(self, parents: array[int], loops: bytearray) -> Iterator[tuple[int | None, ...]]:
        columns = zip(self._ranks, self._stated, parents, loops, self._dates, strict=True)
        for node, (rank, stated, parent, loop, seconds) in enumerate(columns):
            if rank != _UNNAMED:
                yield node, rank, stated, parent, loop, None if seconds == MISSING else seconds
