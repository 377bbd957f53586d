"""What each claim did when it came into the log: the changes that `WatchChanges` streams.

Theory of operation
-------------------
The index keeps the view as it is, not as it was.  So a cause is worked out from the log: of the claims that count now,
those at smaller positions are what was known when a claim came.

* The message was named by one of them, and none was about it: a ghost is filled.
* Those of the best tier about the message agreed without the new one, and do not agree with it: contested.
* The message, or a ghost that it names, stands on a cycle, and no edge of that cycle came later: it closed the cycle.

What has been withdrawn or muted since takes no part in this, but a claim that was withdrawn is still told of, before
its withdrawal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.core.claim import Claim, Withdrawal
from weft.core.cycle_cutting import WITNESS_RANK
from weft.index.thread_reader import stated_parent
from weft.index.view import View
from weft.store.interface import PAGE, StoredClaim, read_claim
from weft.v1 import threads_pb2 as wire

CHANGES = 256
"""Claims of the log that are looked at for one response."""
MAX_CYCLE = 256
"""Members of a cycle that are looked at; of a longer one nobody says who closed it."""


class ChangeLog:
    """Tells of one stretch of the log; within one snapshot."""

    def __init__(self, view: View) -> None:
        self._store = view.store
        self._view = view
        self._about: dict[bytes, list[tuple[int, Claim]]] = {}

    def after(self, position: int) -> tuple[list[wire.Change], int]:
        """The changes of the next claims beyond a position, and the position that was reached."""
        page = self._store.log(position, CHANGES)
        changes = [change for held in page if (change := self._change(held)) is not None]
        return changes, page[-1].position if page else position

    def _change(self, held: StoredClaim) -> wire.Change | None:
        claim = read_claim(held)
        if (
            claim is None
            or self._view.claim_filter.tier(claim.feed) is None
            or self._view.policy.muted(held.identity, claim)
        ):
            return None
        node = self._view.node(claim.message_id)
        causes = (
            [wire.Change.CAUSE_WITHDRAWAL]
            if isinstance(claim, Withdrawal)
            else list(self._causes(held.position, claim))
        )
        return wire.Change(
            log_position=held.position,
            causes=causes,
            message_id=claim.message_id,
            root_id=claim.message_id if node is None else self._view.id_of(self._view.reader.root_of(node)),
            claim_id=held.identity,
            origin=claim.origin,
            list=claim.list.decode(),
        )

    def _causes(self, position: int, claim: Claim) -> Iterator[wire.Change.Cause]:
        yield wire.Change.CAUSE_NEW_CLAIM
        about = self._counted_about(claim.message_id)
        earlier = [(place, one) for place, one in about if place < position]
        if not earlier and self._was_named(claim.message_id, position):
            yield wire.Change.CAUSE_GHOST_FILLED
        counts = any(place == position for place, _ in about)
        if counts and len(self._states(earlier)) < 2 <= len(self._states([*earlier, (position, claim)])):
            yield wire.Change.CAUSE_CONTESTED
        if counts and self._closed_cycle(position, claim):
            yield wire.Change.CAUSE_CYCLE

    def _counted_about(self, message_id: bytes) -> list[tuple[int, Claim]]:
        """(position, claim) of the claims about an id that count now."""
        found = self._about.get(message_id)
        if found is None:
            found = self._about[message_id] = list(self._counted(message_id, about=True))
        return found

    def _counted(self, message_id: bytes, *, about: bool) -> Iterator[tuple[int, Claim]]:
        ask = self._store.claims_about if about else self._store.claims_referring_to
        after = 0
        while page := ask([message_id], after, PAGE):
            for held in page:
                claim = read_claim(held)
                if not isinstance(claim, Claim) or self._view.claim_filter.hidden(held.identity, claim):
                    continue
                counted = claim.counting(self._view.claimed)
                if about or message_id in {*counted.references, *counted.in_reply_to}:
                    yield held.position, counted
            after = page[-1].position

    def _was_named(self, message_id: bytes, position: int) -> bool:
        first = next(self._counted(message_id, about=False), None)
        return first is not None and first[0] < position

    def _states(self, claims: Sequence[tuple[int, Claim]]) -> set[bytes | None]:
        """The parents that the best of some claims state."""
        tiers = [self._view.claim_filter.tier(claim.feed) for _, claim in claims]
        best = min((tier for tier in tiers if tier is not None), default=None)
        states = {
            stated_parent(claim, self._view.policy, self._view.claimed)
            for (_, claim), tier in zip(claims, tiers, strict=True)
            if tier == best
        }
        return states - {b""}

    def _closed_cycle(self, position: int, claim: Claim) -> bool:
        for node in self._view.on_cycles((claim.message_id, *claim.references)):
            edges = self._cycle(node)
            if edges and max(self._since(child, parent) for child, parent in edges) == position:
                return True
        return False

    def _cycle(self, node: int) -> list[tuple[int, int]]:
        """(child, parent) of the edges of a cycle, the one that was cut too; nothing if it is too long."""
        edges: list[tuple[int, int]] = []
        child = node
        while len(edges) < MAX_CYCLE:
            [(parent,)] = self._view.connection.execute("SELECT said FROM nodes WHERE node = ?", (child,)).fetchall()
            edges.append((child, parent))
            if parent == node:
                return edges
            child = parent
        return []

    def _since(self, child: int, parent: int) -> int:
        """The position of the first claim that gives an edge; 0 if there is none."""
        literal, above = self._view.id_of(child), self._view.id_of(parent)
        [(rank,)] = self._view.connection.execute("SELECT rank FROM nodes WHERE node = ?", (child,)).fetchall()
        if rank < WITNESS_RANK:
            stating = ((at, one) for at, one in self._counted_about(literal))
            return next(
                (at for at, one in stating if stated_parent(one, self._view.policy, self._view.claimed) == above), 0
            )
        naming = self._counted(literal, about=False)
        return next((at for at, one in naming if _places(one.references, above, literal)), 0)


def _places(references: Sequence[bytes], above: bytes, below: bytes) -> bool:
    """Whether one id stands right before another."""
    return below in references and references[references.index(below) - 1] == above and references[0] != below
