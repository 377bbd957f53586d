"""The claims behind a thread, with their proofs, as a server gives them.

A client can make the edges of a thread again from the claims about its ids and those whose References name its ghosts:
what others say of a message that was seen does not count.  Whether a weak id counts (`weft.core.references`) is shown
by the claims about it.  A cycle is a matter of its members alone, and these stand
in one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from weft.core.claim import Claim
from weft.core.feed import Feed
from weft.server.reader_pool import IndexReader
from weft.store.interface import PAGE, StoredClaim, read_claim
from weft.v1 import claim_pb2
from weft.v1 import threads_pb2 as wire

_CHUNK = 500
"""Ids that are asked about at a time: each page of the answer looks all of them up."""


def claims_behind(reader: IndexReader, messages: Iterable[tuple[bytes, bool]]) -> list[StoredClaim]:
    """The claims that count, by batch and leaf; ``messages``: each id of a thread, and whether it is a ghost."""
    store, ids, ghosts = reader.index.store, [], []
    for name, is_ghost in messages:
        ids.append(name)
        if is_ghost:
            ghosts.append(name)
    found = {held.position: held for held in _counted(reader, store.claims_about, ids)}
    named = [*ghosts, *(old for name in ghosts for old in reader.view.reader.counting_as(name))]
    found |= {held.position: held for held in _counted(reader, store.claims_referring_to, named)}
    weak = {name for held in found.values() if isinstance(claim := read_claim(held), Claim) for name in claim.weak_ids}
    weak |= {reader.view.policy.meant(name) for name in weak}
    found |= {held.position: held for held in _counted(reader, store.claims_about, sorted(weak))}
    return sorted(found.values(), key=lambda held: (held.batch, held.leaf))


def ranks_of(reader: IndexReader, claims: Sequence[StoredClaim], start: int, end: int) -> list[wire.FeedRank]:
    """The rank of each feed of the claims from ``start`` to ``end`` of which there is none before these."""
    new = _feeds(claims[start:end]) - _feeds(claims[:start])
    tiers = {feed: reader.view.policy.tier(feed) for feed in new}
    return [
        wire.FeedRank(origin=feed.origin, list=feed.list.decode(), tier=tier)
        for feed, tier in sorted(tiers.items(), key=lambda item: item[0])
        if tier is not None
    ]


def _feeds(claims: Iterable[StoredClaim]) -> set[Feed]:
    """The feeds of some claims, of which one of each batch is read."""
    one_of_each = {held.batch: held for held in claims}  # a batch is of one feed
    return {claim.feed for claim in map(read_claim, one_of_each.values()) if claim is not None}


def parts_from(
    reader: IndexReader, claims: Sequence[StoredClaim], start: int, room: int
) -> tuple[list[claim_pb2.BatchPart], int]:
    """Claims from ``start`` on, as many as fit into ``room`` bytes, with one proof a batch; where they end."""
    end = start
    while end < len(claims) and room > 0:
        room -= len(claims[end].data) + 48
        end += 1
    parts = []
    for batch, group in groupby(claims[start:end], lambda held: held.batch):
        chosen = list(group)
        signed, tree = reader.index.store.signed(batch)
        proof = tree.prove([held.leaf for held in chosen])
        data = [held.data for held in chosen]
        parts.append(claim_pb2.BatchPart(batch=signed.to_message(), proof=proof.to_message(), claims=data))
    return parts, end


def _counted(
    reader: IndexReader, ask: Callable[[Sequence[bytes], int, int], list[StoredClaim]], ids: Sequence[bytes]
) -> Iterator[StoredClaim]:
    for start in range(0, len(ids), _CHUNK):
        chunk, after = ids[start : start + _CHUNK], 0
        while page := ask(chunk, after, PAGE):
            for held in page:
                claim = read_claim(held)
                if isinstance(claim, Claim) and not reader.view.claim_filter.hidden(held.identity, claim):
                    yield held
            after = page[-1].position
