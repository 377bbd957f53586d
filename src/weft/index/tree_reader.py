"""Trees of the common view, id by id, with who says so: what two servers are compared by.

For an id that somebody here has seen, all claims about it are given; for a ghost, the witnesses that decide, and of
these no more than `MOST`: its digest does not depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.core.signing import fingerprint
from weft.index.claim_filter import ClaimFilter
from weft.index.common_view import CommonView
from weft.index.explain import Explainer
from weft.index.thread_reader import ThreadReader, stated_by_headers
from weft.store.sqlite import SqliteStore
from weft.thread_tree import PlacedId, PlacingClaim, ThreadTree, to_text

MOST = 20
"""Witnesses of one ghost."""
_CHUNK = 200


class TreeReader:
    """Reads trees of a common view out of its index; within a snapshot of the caller's, whichever."""

    def __init__(self, store: SqliteStore, common: CommonView) -> None:
        self._store = store
        self._common = common
        self._reader = ThreadReader(store.connection, ClaimFilter(common.policy, set(common.withdrawn)))
        self._explainer = Explainer(store, self._reader)

    def roots(self, ids: Sequence[bytes]) -> list[int]:
        """The roots of the trees in which the ids stand, each once; ids that are not there are passed over."""
        common = self._common
        return list(dict.fromkeys(map(common.root_of, common.places_of(self._store, ids))))

    def tree(self, root: int) -> ThreadTree:
        """The tree below a root."""
        return ThreadTree(tuple(self.standings(list(self._common.tree(root)))))

    def standings(self, places: Sequence[int]) -> Iterator[PlacedId]:
        """What is known of some places, in their order."""
        for start in range(0, len(places), _CHUNK):
            yield from self._standings(places[start : start + _CHUNK])

    def _standings(self, places: Sequence[int]) -> Iterator[PlacedId]:
        common = self._common
        nodes = common.nodes_of(places)
        parents = [common.parents[place] for place in places]
        above = [parent for parent in parents if parent >= 0]
        names = dict(zip(above, map(to_text, self._store.ids_of(common.nodes_of(above))), strict=True))
        claims = self._reader.claims_about(
            [node for node, place in zip(nodes, places, strict=True) if not common.ghosts[place]]
        )
        for place, node, parent, literal in zip(places, nodes, parents, self._store.ids_of(nodes), strict=True):
            if common.ghosts[place]:
                rule, said = self._ghost(literal)
            else:
                rule = "contested" if place in common.contested else "own headers"
                said = tuple(
                    PlacingClaim(
                        one.identity.hex(),
                        fingerprint(one.claim.origin),
                        one.claim.list.decode(),
                        _text(stated_by_headers(one.claim, common.policy.view.profile, self._claimed)),
                    )
                    for one in claims[node]
                    if one.position <= common.position
                )
            rule = "cycle cut" if place in common.cuts else rule
            yield PlacedId(to_text(literal), names.get(parent), not common.ghosts[place], rule, said)

    def _claimed(self, literal: bytes) -> bool:
        places = self._common.places_of(self._store, [literal])
        return bool(places) and not self._common.ghosts[places[0]]

    def _ghost(self, literal: bytes) -> tuple[str, tuple[PlacingClaim, ...]]:
        """The rule that places a ghost, and who decides it."""
        witnesses = [one for one in self._explainer.witnesses(literal) if one.counts]
        said = tuple(
            PlacingClaim(one.claim, one.origin, one.list, one.parent, one.message_id) for one in witnesses[:MOST]
        )
        parents = {one.parent for one in witnesses}
        if not parents:
            return "nobody says", said
        return ("witnesses" if len(parents) == 1 else "witnesses disagree"), said


def _text(message_id: bytes | None) -> str | None:
    return None if message_id is None else to_text(message_id)
