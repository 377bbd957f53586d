"""The forest while claims come and go: always the one that `weft.core.forest` gives for the same set.

Theory of operation
-------------------
`interpret` says what one claim means under the policy; a `IncrementalForest` takes that in, in any order and any number
of times, and touches only what changes: the claim's own id, the ghosts of its References, and where a cycle opens,
closes or is cut elsewhere, one more node each.  The states of the nodes are the caller's
(`weft.core.cycle_cutting.ForestNodes`): rows of an index, read when asked for and written back afterwards.

What was joined cannot be taken out again.  So when claims leave the view (a withdrawal, a mute, another policy), the
caller names each node that they were about or whose place they witnessed, with all that is still said of it:
`IncrementalForest.recompute`.  In both directions a state is a function of the set of claims, so equal sets give equal
rows.

Cost: a claim costs O(its References), plus for each edge that changes the smaller of "all above the new parent" and
"all below the child" (`weft.core.cycle_cutting`), plus the length of each cycle that it opens or closes; a cut that
moves costs O(log n).  Real mail hardly ever pays more than the first.  One claim never costs more than O(n log n)
steps, n being the ids of the trees that it touches.  Who wants others to pay that has to post it: a chain or cycle of n
ghosts takes n / 99 mails, and then each mail that flips an edge in it costs n steps again: two or three reads of a
state for each member of a cycle that opens, six for one that closes, and a row to write.  A ghost flips at most about
200 times for each tier, since its rank only gets better; a claimed id twice for each tier.  So m mails cost no more
than 25 m^2 such steps of members, half of them building and half of them flipping, which is what quotas are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from weft.core.alias import redirect
from weft.core.cycle_cutting import CUT, NO_RANK, SILENT, WITNESS_RANK, ForestNodes, IncrementalEdges, NodeState
from weft.core.forest import NONE, Profile, statement


class Statement(NamedTuple):
    """One claim after the policy.

    ``stated``     the parent that it states for ``node``, `NONE`, or `SILENT`: that edge is muted, so that the message
                   is seen but nothing is said of its parent
    ``witnesses``  (child, its parent or `NONE`, gap) of each pair in its References, the last pair (gap 0) first
    """

    node: int
    tier: int
    stated: int
    witnesses: Sequence[tuple[int, int, int]] = ()


def interpret(
    node: int,
    in_reply_to: Sequence[int],
    sane: bool,
    references: Sequence[int],
    tier: int,
    profile: Profile = "weft",
    muted_edge: Callable[[int, int], bool] | None = None,
    aliases: Mapping[int, int] = {},
) -> Statement:
    """What a claim means: its headers' ids as nodes, at most 100 References; tier 0 is the best, 254 the worst.

    ``muted_edge(child, parent)``: whether that edge is not to be heard, neither as a statement nor as a witness.
    ``aliases``: ids that count as others (`weft.core.alias`), before edges are muted.
    """
    stated, ordered = statement(in_reply_to, sane, references, profile)
    witnesses: Sequence[tuple[int, int, int]] = []
    if ordered:
        above = (*references[-2::-1], NONE)
        witnesses = list(zip(reversed(references), above, range(len(references)), strict=True))
    if aliases:
        stated, witnesses = redirect(node, stated, witnesses, aliases, NONE)
    if muted_edge is not None:
        if stated != NONE and muted_edge(node, stated):
            stated = SILENT
        witnesses = [said for said in witnesses if said[1] == NONE or not muted_edge(said[0], said[1])]
    return Statement(node, tier, stated, witnesses)


class ParentCause(Enum):
    """Why a parent changed."""

    NEW_CLAIM = "a new claim"
    """About the node: its first, or one of a better tier."""
    GHOST_FILLED = "a ghost was filled"
    """The first claim about a node that References of others had placed."""
    WITNESSED = "a ghost was placed"
    """By References of a new claim, which may also disagree with others."""
    CONTESTED = "contested"
    """The best claims about the node disagree now."""
    WITHDRAWN = "claims were withdrawn or hidden"
    CYCLE_CUT = "a cycle was cut"
    """The node is on a cycle and has the weakest ground of it."""
    CYCLE_GONE = "a cycle is gone"
    """Or is cut elsewhere: the node has its edge back."""


class ParentChange(NamedTuple):
    """The parent of ``node`` was ``old`` and is ``new``; either may be `NONE`."""

    node: int
    old: int
    new: int
    cause: ParentCause


_Touched = dict[int, tuple[int, int]]


class IncrementalForest:
    """Keeps the states of ``nodes`` those of the forest of all claims that were heard, after each call."""

    def __init__(self, nodes: ForestNodes) -> None:
        self._state = nodes.state
        self._edges = IncrementalEdges(nodes)
        self._dirty = self._edges.dirty.add

    @property
    def dirty(self) -> set[int]:
        """The nodes whose state changed since the caller last cleared this set."""
        return self._edges.dirty

    def forget(self) -> None:
        """Call this when changes to the nodes were rolled back: nothing is remembered of them."""
        self._edges.forget()

    def add(self, interpreted: Statement, changes: list[ParentChange] | None = None) -> None:
        """Take in one claim; ``changes`` gets the parents that changed."""
        touched: _Touched = {}
        state = self._state
        self._interpret(interpreted.node, interpreted.tier, interpreted.stated, touched)
        base = WITNESS_RANK + (interpreted.tier << 8)
        for child, parent, gap in interpreted.witnesses:
            if base + gap <= state(child).rank:
                self._interpret(child, base + gap, parent, touched)
        if touched:
            self._edges.apply(touched)
            self._tell(changes, touched, interpreted.node, ParentCause.WITNESSED)

    def recompute(
        self,
        node: int,
        about: Iterable[Statement],
        naming: Iterable[Statement],
        changes: list[ParentChange] | None = None,
    ) -> None:
        """Claims left the view: ``about`` are all that still are about ``node``, ``naming`` all that may witness of it.

        ``naming`` is only read if there are none about it.
        """
        now = self._state(node)
        before = now.rank, now.stated_parent, now.edge
        now.rank, now.stated_parent = NO_RANK, SILENT
        for interpreted in about:
            now.join(interpreted.tier, interpreted.stated)
        if now.rank == NO_RANK:
            _join_witnesses(now, node, naming)
        if (now.rank, now.stated_parent) == before[:2]:
            return
        self.dirty.add(node)
        touched = {node: (before[2], before[0])}
        self._edges.apply(touched)
        self._tell(changes, touched, NONE, ParentCause.WITHDRAWN)

    def _interpret(self, node: int, rank: int, said: int, touched: _Touched) -> None:
        """Join one statement, and note the node if its edge or its place on a cycle may be another now."""
        now = self._state(node)
        said_before, before = now.stated_parent, now.rank
        if now.join(rank, said):
            self._dirty(node)
            edge = said_before if said_before >= 0 else NONE
            if now.cycle_state or now.edge != edge:
                touched.setdefault(node, (edge, before))

    def _tell(self, changes: list[ParentChange] | None, touched: _Touched, own: int, otherwise: ParentCause) -> None:
        """Say what came of it, if anybody listens; ``own`` is the node that the claim is about."""
        if changes is not None:
            for node, old in self._edges.was.items():
                now = self._state(node)
                if now.parent != old:
                    changes.append(
                        ParentChange(node, old, now.parent, _cause(now, touched.get(node), node == own, otherwise))
                    )
        self._edges.was.clear()


def _join_witnesses(state: NodeState, node: int, naming: Iterable[Statement]) -> None:
    """All that References say of a ghost."""
    for interpreted in naming:
        for child, parent, gap in interpreted.witnesses:
            if child == node:
                state.join(WITNESS_RANK + (interpreted.tier << 8) + gap, parent)


def _cause(now: NodeState, before: tuple[int, int] | None, own: bool, otherwise: ParentCause) -> ParentCause:
    """Why a node moved that had the (edge, rank) ``before``, if it was shaken at all."""
    if now.cycle_state == CUT:
        return ParentCause.CYCLE_CUT
    if before is None or before[0] == now.edge:
        return ParentCause.CYCLE_GONE
    if not own:
        return otherwise
    if now.contested:
        return ParentCause.CONTESTED
    return ParentCause.GHOST_FILLED if WITNESS_RANK <= before[1] < NO_RANK else ParentCause.NEW_CLAIM
