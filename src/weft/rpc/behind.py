"""The claims behind a thread, with their proofs, as a server gives them.

A client can make the edges of a thread again from the claims about its ids and those whose References name its ghosts:
what others say of a message that was seen does not count.  Whether a weak id counts (`weft.core.references`) is shown
by the claims about it.  A cycle is a matter of its members alone, and these stand
in one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from weft.core.claim import Claim
from weft.index.resolving import read_claim
from weft.rpc.convert import to_octets
from weft.rpc.reading import Reading
from weft.store.base import PAGE, Held
from weft.thread import Thread
from weft.v1 import claim_pb2
from weft.v1 import threads_pb2 as wire


def claims_behind(reading: Reading, thread: Thread) -> list[Held]:
    """The claims that count, by batch and leaf."""
    store = reading.index.store
    ids = [to_octets(message.id) for message in thread.messages]
    ghosts = [to_octets(message.id) for message in thread.messages if message.ghost]
    found = {held.position: held for held in _counted(reading, store.claims_about, ids)}
    found |= {held.position: held for held in _counted(reading, store.claims_referring_to, ghosts)}
    weak = {name for held in found.values() if isinstance(claim := read_claim(held), Claim) for name in claim.weak_ids}
    found |= {held.position: held for held in _counted(reading, store.claims_about, sorted(weak))}
    return sorted(found.values(), key=lambda held: (held.batch, held.leaf))


def ranks_of(reading: Reading, claims: Sequence[Held]) -> list[wire.Rank]:
    """The rank of each feed of some claims."""
    batches = {held.batch: held for held in claims}
    read = map(read_claim, batches.values())
    tiers = {claim.feed: reading.view.policy.tier(claim.feed) for claim in read if claim is not None}
    return [
        wire.Rank(origin=feed.origin, list=feed.list, tier=tier)
        for feed, tier in sorted(tiers.items(), key=lambda item: item[0])
        if tier is not None
    ]


def parts_from(
    reading: Reading, claims: Sequence[Held], start: int, room: int
) -> tuple[list[claim_pb2.BatchPart], int]:
    """Claims from ``start`` on, as many as fit into ``room`` octets, with one proof a batch; where they end."""
    end = start
    while end < len(claims) and room > 0:
        room -= len(claims[end].octets) + 48
        end += 1
    parts = []
    for batch, group in groupby(claims[start:end], lambda held: held.batch):
        chosen = list(group)
        signed, tree = reading.index.store.signed(batch)
        proof = tree.prove([held.leaf for held in chosen])
        octets = [held.octets for held in chosen]
        parts.append(claim_pb2.BatchPart(batch=signed.to_message(), proof=proof.to_message(), claims=octets))
    return parts, end


def _counted(
    reading: Reading, ask: Callable[[Sequence[bytes], int, int], list[Held]], ids: Sequence[bytes]
) -> Iterator[Held]:
    after = 0
    while page := ask(ids, after, PAGE):
        for held in page:
            claim = read_claim(held)
            if isinstance(claim, Claim) and not reading.view.hearing.hidden(held.identity, claim):
                yield held
        after = page[-1].position
