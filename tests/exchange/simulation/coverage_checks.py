"""Coverage is never complete while an honest, admitted peer that was asked holds more."""

from __future__ import annotations

from collections.abc import Iterable

from tests.exchange.simulation import view
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.trees import groups, names
from tests.exchange.simulation.violation import ViolationError
from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.id_digest import id_digest
from weft.core.signing import fingerprint
from weft.exchange.events import CoverageGained
from weft.index.coverage import CoverageReader
from weft.index.sync_history import DigestSet, SyncRecord, sorted_digests
from weft.model import Coverage


def check_coverage(host: Host, others: Iterable[Host]) -> None:
    """What a server says of each of its threads, and what those whom it asked hold."""
    if not host.covered:
        return
    claims = [(identity, feed, claim) for identity, feed, claim in host.claims() if host.policy.admits(feed)]
    exchanges = [_exchange(peer, covered) for peer, covered in host.covered.items()]
    coverage_reader = CoverageReader(host.policy, {feed for _, feed, _ in claims}, exchanges)
    seen = view.weave(((identity, claim) for identity, _, claim in claims), host.policy.tier)
    lone = {claim.message_id: frozenset([claim.message_id]) for _, _, claim in claims}
    threads = {*(lone | groups(seen.edges)).values()}
    coverage = {thread: coverage_reader.of(sorted(thread), tuple) for thread in threads}
    held = {identity for identity, _, _ in claims}
    for other in others:
        if other.origin.public in host.covered:
            lacked = [(feed, claim) for identity, feed, claim in other.all_claims() if identity not in held]
            _check(host, other, coverage, lacked)


def _check(
    host: Host,
    other: Host,
    coverage: dict[frozenset[bytes], Coverage],
    lacked: Iterable[tuple[Feed, Claim | Withdrawal]],
) -> None:
    feeds = host.covered[other.origin.public].feeds
    for feed, claim in lacked:
        if feed not in feeds or not other.policy.may_read(host.origin.public, feed):
            continue
        for thread, said in coverage.items():
            if not thread.isdisjoint(names(claim)) and _says_complete(said, feed, fingerprint(other.origin.public)):
                raise ViolationError(f"{host.name} says of a thread that {other.name} holds no more of it, and it does")


def _says_complete(coverage: Coverage, feed: Feed, peer: str) -> bool:
    """Whether a peer is one of those out of whose answers a feed is said to be complete."""
    name, all_lists = (f"{fingerprint(feed.origin)}/{some}" for some in (feed.list.decode(), "*"))
    exact = [one for one in coverage.asked if one.feed == name]
    found = exact or [one for one in coverage.asked if one.feed == all_lists]
    return name not in coverage.partly + coverage.never_asked and any(peer in one.of for one in found)


def _exchange(peer: bytes, covered: CoverageGained) -> SyncRecord:
    asked = None if covered.asked is None else DigestSet(sorted_digests(covered.asked))
    cut = DigestSet(sorted_digests({id_digest(root) for root in covered.cut}))
    return SyncRecord(peer, 0, covered.feeds.lists, asked, cut)
