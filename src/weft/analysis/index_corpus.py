"""The claims that the view of an index counts, as columns, and the forest of them.

Theory of operation
-------------------
The log is read once, page by page.  Claims go into a live forest in memory, as `weft.index.verify` makes one, because
only that knows tiers and muted edges; ids get numbers without gaps in the order in which they are named.  What states
a contested id's rivals is kept for each claim, two integers, and looked up at the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from weft.analysis.corpus import Corpus
from weft.analysis.corpus_columns import Columns
from weft.core.claim import Claim
from weft.core.cycle_cutting import CUT, SILENT
from weft.core.date import MISSING, parse_date
from weft.core.feed import Feed
from weft.core.forest import NONE, Forest
from weft.core.incremental_forest import IncrementalForest
from weft.core.references import counting
from weft.core.signing import fingerprint, short_fingerprint
from weft.index.aliases import alias_nodes
from weft.index.claim_filter import ClaimFilter
from weft.index.verify import MemoryNodes, counted_claims, withdrawn_by
from weft.policy.rules import Policy
from weft.store.interface import InsertedClaim
from weft.store.sqlite import SqliteStore

_NO_DATE = -MISSING
"""Behind all dates."""


class IndexCorpus:
    """Reads a store under a policy."""

    def __init__(self, store: SqliteStore, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._claim_filter = ClaimFilter(policy, withdrawn_by(store, policy))
        self._claim_filter.aliases = alias_nodes(store, policy)
        self._states = MemoryNodes(store)
        self._live = IncrementalForest(self._states)
        self._columns = Columns()
        self._feeds: dict[Feed, int] = {}
        self._numbers: dict[int, int] = {}
        self._ids: list[bytes] = []
        files = sorted(store.files().items(), key=lambda item: (item[1].path, item[1].list))
        self._files = {number: rank for rank, (number, _) in enumerate(files)}
        self._tiers = array("i")
        self._stated = array("q")

    def pages(self, size: int) -> Iterator[int]:
        """Read all of it; after each page, how many claims of the log were read so far."""
        read: list[int] = []
        pages = 0
        for stored, claim in counted_claims(
            self._store, self._claim_filter, self._states.is_claimed, read.append, size
        ):
            self._take(stored, claim)
            self._live.dirty.clear()
            if len(read) > pages:
                pages = len(read)
                yield sum(read)
        yield sum(read)

    def corpus(self) -> Corpus:
        """What was read."""
        names = feed_names(self._feeds, self._policy)
        ordered = sorted(names.values())
        places = {number: ordered.index(names[feed]) for feed, number in self._feeds.items()}
        return self._columns.corpus(ordered, self._forest(), places)

    def _take(self, stored: InsertedClaim, claim: Claim) -> None:
        interpreted = self._claim_filter.interpret(stored, claim)
        self._live.add(interpreted)
        self._tiers.append(interpreted.tier)
        self._stated.append(interpreted.stated)
        feed = self._feeds.setdefault(claim.feed, len(self._feeds))
        node = self._number(stored.node, claim.message_id)
        names = dict(
            zip((*stored.reply_nodes, *stored.reference_nodes), (*claim.in_reply_to, *claim.references), strict=True)
        )
        replies, chain = (
            [self._number_of(node, names[node]) for node in counting(nodes, mask, self._claim_filter.counts)]
            for nodes, mask in (
                (stored.reply_nodes, claim.weak_in_reply_to),
                (stored.reference_nodes, claim.weak_references),
            )
        )
        seconds, _ = parse_date(claim.date)
        self._columns.add(node, feed, self._place(stored, feed, seconds), replies, claim.sane, chain)
        self._columns.describe(seconds, claim.author, claim.subject)

    def _place(self, stored: InsertedClaim, feed: int, seconds: int) -> tuple[int, int]:
        """(file, where in it): what is in no file is as if each feed had one, in the order of dates.

        The log itself is no order of arrival: an ingest puts some thousand claims at a time, thread by thread.
        """
        place = stored.claim.place
        if place is not None and place.file in self._files:
            return self._files[place.file], place.offset
        return -1 - feed, _NO_DATE if seconds == MISSING else seconds

    def _number_of(self, node: int, message_id: bytes) -> int:
        """The number of what an id counts as."""
        return self._number(self._claim_filter.aliases.get(node, node), self._policy.meant(message_id))

    def _number(self, node: int, message_id: bytes) -> int:
        """The number of a node of the store."""
        number = self._numbers.setdefault(node, len(self._ids))
        if number == len(self._ids):
            self._ids.append(message_id)
        return number

    def _forest(self) -> Forest:
        states = [self._states.state(node) for node in self._numbers]
        number = {NONE: NONE, **self._numbers}
        parents = array("i", (number[state.parent] for state in states))
        tiers = bytearray(state.tier for state in states)
        cuts = {node: number[state.stated_parent] for node, state in enumerate(states) if state.cycle_state == CUT}
        contested = {node for node, state in enumerate(states) if state.contested}
        return Forest(self._ids, parents, tiers, self._rivals(contested, tiers), cuts)

    def _rivals(self, contested: set[int], tiers: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """The parents that the best claims about each contested node state, sorted as `Forest` has them."""
        rivals: dict[int, set[int]] = {node: set() for node in sorted(contested)}
        number = {NONE: NONE, **self._numbers}
        for node, tier, stated in zip(self._columns.nodes, self._tiers, self._stated, strict=True):
            if node in contested and tier == tiers[node] and stated != SILENT:
                rivals[node].add(number[stated])
        return {
            node: tuple(sorted(found, key=lambda rival: (rival != NONE, self._ids[rival])))
            for node, found in rivals.items()
        }


def feed_names(feeds: Iterable[Feed], policy: Policy) -> Mapping[Feed, str]:
    """What to call each feed: its list, and where several are of one name, ``NAME/LIST``.

    No two have the same: the name of a list holds no slash, and whoever is called ``own`` by us, or shares the short
    form of a fingerprint with another, goes by the whole of it.
    """
    feeds = sorted(feeds)
    lists = [feed.list for feed in feeds]
    names = {feed: feed.list.decode() for feed in feeds}
    for feed in feeds:
        if lists.count(feed.list) > 1:
            names[feed] = f"{_origin_name(feed.origin, policy)}/{names[feed]}"
    given = list(names.values())
    for feed, name in names.items():
        if given.count(name) > 1 and feed.origin != policy.own:
            names[feed] = f"{fingerprint(feed.origin)}/{feed.list.decode()}"
    return names


def _origin_name(origin: bytes, policy: Policy) -> str:
    row = policy.origins.get(origin)
    if origin == policy.own:
        return "own"
    return (row.name if row else "") or short_fingerprint(origin)
