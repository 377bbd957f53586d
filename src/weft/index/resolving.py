"""From claims that the store holds to claims with nodes for their ids, as `Store.put` gives them when they are new."""

from __future__ import annotations

from collections.abc import Iterable

from weft.core.claim import Claim, Withdrawal, parse
from weft.errors import ClaimError
from weft.store.base import Held, NewClaim, Stored
from weft.store.sqlite import SqliteStore


def read_claim(held: Held) -> Claim | Withdrawal | None:
    """The claim that ``held`` is; None if it was expunged, or is damaged (`Index.check` names it)."""
    return read_octets(held.octets)


def read_octets(octets: bytes | None) -> Claim | Withdrawal | None:
    """The same for the octets of a claim."""
    try:
        return parse(octets) if octets else None
    except ClaimError:
        return None


def resolve(store: SqliteStore, page: Iterable[Held]) -> list[Stored]:
    """Those of the claims that can be read, in the same order, with the nodes of their ids."""
    read = [(held, claim) for held in page if (claim := read_claim(held)) is not None]
    ids: dict[bytes, None] = {}
    for _, claim in read:
        ids[claim.message_id] = None
        if isinstance(claim, Claim):
            ids.update(dict.fromkeys(claim.in_reply_to))
            ids.update(dict.fromkeys(claim.references))
    numbers = dict(zip(ids, store.node_numbers(list(ids)), strict=True))
    found = []
    for held, claim in read:
        replies, references = (claim.in_reply_to, claim.references) if isinstance(claim, Claim) else ((), ())
        nodes = [numbers[name] for name in (claim.message_id, *replies, *references)]
        if any(node is None for node in nodes):  # damaged: `Index.check` names it
            continue
        node, *others = (int(number) for number in nodes if number is not None)
        new = NewClaim(held.leaf, held.identity, held.octets, claim, held.place)
        found.append(Stored(held.position, new, node, tuple(others[: len(replies)]), tuple(others[len(replies) :])))
    return found
