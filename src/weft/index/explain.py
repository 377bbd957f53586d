"""Explaining: who says what about one id, and which rule made its edge what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from weft.core.author import decode_author
from weft.core.claim import Claim
from weft.core.feed import Feed
from weft.core.forest import NONE, statement
from weft.core.signing import fingerprint
from weft.core.subject import decode_text
from weft.index.thread_reader import ThreadReader, counted_as, stated_by_headers
from weft.model import ClaimStatement, Coverage, Explanation, Witness
from weft.store.interface import PAGE, Store, StoredClaim, read_claim

_GHOST_TIER = 255
_REMEMBERED = 256
"""Texts that are decoded once."""


class _Batch(NamedTuple):
    """What is told of all claims of a batch, as `ClaimStatement` has it."""

    origin: str
    list: str
    tier: int | None
    root: str


class Explainer:
    """Explains ids of one index under one policy."""

    def __init__(self, store: Store, reader: ThreadReader) -> None:
        """``reader`` knows the policy and what was withdrawn."""
        self._store = store
        self._reader = reader
        self._batches: dict[int, _Batch] = {}
        # Copies of a message have nearly always the same text.
        self._text, self._author = lru_cache(_REMEMBERED)(decode_text), lru_cache(_REMEMBERED)(decode_author)

    def statements(self, message_id: bytes) -> list[ClaimStatement]:
        """All claims about an id, those that do not count or are not here any more too, in order of position."""
        found = []
        for held in self._pages(message_id, about=True):
            claim = read_claim(held)
            if isinstance(claim, Claim):
                found.append(self._statement(held, claim))
            elif claim is None:
                found.append(self._bare(held, message_id))
        return found

    def witnesses(self, message_id: bytes) -> list[Witness]:
        """The admitted claims whose References place an id, the best first; ``counts`` marks the best tier and gap."""
        found = []
        for held in self._pages(message_id, about=False):
            claim = read_claim(held)
            if not isinstance(claim, Claim):
                continue
            tier = self._reader.claim_filter.tier(claim.feed)
            place = _place(claim, message_id, self._reader)
            if tier is None or place is None or self._reader.claim_filter.hidden(held.identity, claim):
                continue
            parent, gap = place
            found.append((tier, gap, held.identity, parent, claim))
        found.sort(key=lambda one: one[:3])
        best = found[0][:2] if found else None
        return [
            Witness(
                identity.hex(),
                fingerprint(claim.origin),
                claim.list.decode(),
                tier,
                _text(claim.message_id),
                None if parent is None else _text(parent),
                gap,
                (tier, gap) == best,
            )
            for tier, gap, identity, parent, claim in found
        ]

    def explain(
        self,
        message_id: bytes,
        *,
        root: bytes,
        parent: bytes | None,
        tier: int,
        cut: bytes | None,
        children: list[bytes],
        lookalikes: list[bytes],
        coverage: Coverage,
        alias_of: list[bytes],
    ) -> Explanation:
        """Put it together with what the view says of the id."""
        statements = self.statements(message_id)
        witnesses = self.witnesses(message_id)
        if tier != _GHOST_TIER:  # its own headers silence them
            witnesses = [replace(witness, counts=False) for witness in witnesses]
        counted = [one for one in statements if not one.hidden and one.tier == tier]
        stated = {one.parent for one in counted if not self._muted(message_id, one.parent)}
        rule = _rule(tier == _GHOST_TIER, counted, stated, witnesses)
        rivals = tuple(sorted(stated, key=lambda rival: (rival is not None, rival or ""))) if len(stated) > 1 else ()
        return Explanation(
            _text(message_id),
            _text(root),
            None if parent is None else _text(parent),
            "cycle cut" if cut is not None else rule,
            tier == _GHOST_TIER,
            tuple(statements),
            tuple(witnesses),
            (_text(cut),) if cut is not None else rivals,
            tuple(map(_text, children)),
            tuple(map(_text, lookalikes)),
            coverage,
            tuple(map(_text, alias_of)),
            tuple(map(_text, self._reader.counting_as(message_id))),
        )

    def _muted(self, message_id: bytes, parent: str | None) -> bool:
        return parent is not None and bool(
            self._reader.policy.muted_edge(message_id, parent.encode("utf-8", "surrogateescape"))
        )

    def _pages(self, message_id: bytes, *, about: bool) -> Iterator[StoredClaim]:
        ask = self._store.claims_about if about else self._store.claims_referring_to
        names = [message_id] if about else [message_id, *self._reader.counting_as(message_id)]
        after = 0
        while page := ask(names, after, PAGE):
            yield from page
            after = page[-1].position

    def _batch(self, number: int) -> _Batch:
        """Many copies often stand in few batches."""
        found = self._batches.get(number)
        if found is None:
            signed = self._store.signed_root(number)
            tier = self._reader.claim_filter.tier(Feed(signed.origin, signed.list))
            found = _Batch(fingerprint(signed.origin), signed.list.decode(), tier, signed.root.hex())
            self._batches[number] = found
        return found

    def _bare(self, held: StoredClaim, message_id: bytes) -> ClaimStatement:
        """What is left of a claim whose bytes were deleted or are damaged: who made it, in which batch."""
        batch = self._batch(held.batch)
        reason = "its bytes are damaged here" if held.data else "its bytes were deleted here"
        return ClaimStatement(
            held.identity.hex(),
            batch.origin,
            batch.list,
            batch.tier,
            _text(message_id),
            None,
            "unknown",
            "",
            "",
            "",
            "",
            batch.root,
            held.position,
            reason,
        )

    def _statement(self, held: StoredClaim, claim: Claim) -> ClaimStatement:
        reader = self._reader
        counted = claim.counting(reader.claimed)
        stated = stated_by_headers(counted, reader.policy.view.profile, reader.claimed)
        parent = counted_as(stated, claim.message_id, reader.policy)
        batch = self._batch(held.batch)
        return ClaimStatement(
            held.identity.hex(),
            batch.origin,
            batch.list,
            batch.tier,
            _text(claim.message_id),
            None if parent is None else _text(parent),
            _header(counted, stated),
            self._text(claim.date),
            self._text(claim.subject),
            self._author(claim.author),
            self._text(claim.archived_at),
            batch.root,
            held.position,
            reader.claim_filter.hidden(held.identity, claim),
            claim.body.hex(),
            tuple((_text(name), reader.claimed(name)) for name in claim.weak_ids),
            tuple(map(_text, claim.aliases)),
        )


def _rule(ghost: bool, counted: list[ClaimStatement], stated: set[str | None], witnesses: list[Witness]) -> str:
    if not ghost:
        if len(stated) > 1:
            return "contested"
        return "own headers" if stated or not counted else "muted"
    interpreted = {witness.parent for witness in witnesses if witness.counts}
    if not interpreted:
        return "nobody says"
    return "witnesses" if len(interpreted) == 1 else "witnesses disagree"


def _place(claim: Claim, message_id: bytes, reader: ThreadReader) -> tuple[bytes | None, int] | None:
    """(parent, gap) that a claim's References give an id; None if they witness nothing about it."""
    claim = claim.counting(reader.claimed)
    references = claim.references
    meant = list(map(reader.policy.meant, references))
    if message_id not in meant:
        return None
    numbers = range(len(references))
    replies = [references.index(reply) if reply in references else NONE - 1 for reply in claim.in_reply_to]
    _, witnesses = statement(replies, claim.sane, numbers, reader.policy.view.profile)
    if not witnesses:
        return None
    for place in range(len(meant) - 1, -1, -1):  # the smallest gap; several ids may count as this one
        parent = meant[place - 1] if place else None
        muted = parent is not None and reader.policy.muted_edge(message_id, parent)
        if meant[place] == message_id != parent and not muted:
            return parent, len(references) - 1 - place
    return None


def _header(claim: Claim, parent: bytes | None) -> str:
    if parent is None:
        return "none"
    if claim.references and claim.references[-1] == parent and not (claim.sane and claim.in_reply_to[0] != parent):
        return "references" if not claim.in_reply_to or claim.in_reply_to[0] != parent else "in-reply-to and references"
    return "in-reply-to"


def _text(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
