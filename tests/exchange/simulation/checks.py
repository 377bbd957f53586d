"""What must hold in a healed world."""

from __future__ import annotations

from collections.abc import Iterable

from tests.exchange.simulation import view
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.violation import ViolationError
from weft.core.forest import statement
from weft.exchange.agreement import Agreement, Scope, StatedFeeds, agree
from weft.policy.feed_ranges import FeedRanges, admitted, served


def agreement(one: Host, other: Host) -> Agreement:
    """What two servers agree on by their policies, ``one`` being the caller."""
    return agree(True, _sides(one, other), _sides(other, one))


def _sides(host: Host, peer: Host) -> StatedFeeds:
    row = host.policy.peers[peer.origin.public]
    return StatedFeeds(
        served(host.policy, peer.origin.public), admitted(host.policy, peer.origin.public), row.mode == "threads"
    )


def check_sets(one: Host, other: Host) -> None:
    """Neighbours hold equal sets where both mirror, and who mirrors alone holds what the other one does."""
    agreed = agreement(one, other)
    for scope, feeds in agreed.mirrored.items():
        ours, theirs = _ids(one, feeds), _ids(other, feeds)
        if scope is not Scope.TO_CALLER and ours - theirs:
            raise ViolationError(f"{other.name} lacks {len(ours - theirs)} claims of {one.name} ({scope.name})")
        if scope is not Scope.TO_ANSWERER and theirs - ours:
            raise ViolationError(f"{one.name} lacks {len(theirs - ours)} claims of {other.name} ({scope.name})")


def _ids(host: Host, feeds: FeedRanges) -> set[bytes]:
    return {identity for identity, feed, _ in host.claims() if feed in feeds}


def check_views(one: Host, other: Host) -> None:
    """Neighbours see the same in the feeds that go both ways."""
    both = agreement(one, other).feeds.get(Scope.BOTH, FeedRanges())
    try:
        views = [view.weave((i, claim) for i, feed, claim in host.claims() if feed in both) for host in (one, other)]
    except RecursionError:
        raise ViolationError("a deep chain is too deep for the forest") from None
    if views[0] != views[1]:
        raise ViolationError(f"{one.name} and {other.name} hold the same and see something else")


def check_parents(host: Host) -> None:
    """A message that was seen has a parent that a claim about it states, or none: no witness moves it."""
    claims = [(identity, claim) for identity, feed, claim in host.claims() if host.policy.admits(feed)]
    stated: dict[bytes, set[bytes]] = {}
    for claim in view.counted(claims):
        names = [claim.message_id, *claim.in_reply_to, *claim.references]
        replies = 1 + len(claim.in_reply_to)
        parent, _ = statement(range(1, replies), claim.sane, range(replies, len(names)))
        stated.setdefault(claim.message_id, set()).add(names[parent] if parent > 0 else b"")
    try:
        edges = view.weave(claims).edges
    except RecursionError:
        raise ViolationError("a deep chain is too deep for the forest") from None
    for child, parent_id in edges:
        if child in stated and (stated[child] != {parent_id}):
            raise ViolationError(f"{host.name} shows {child!r} below what no claim about it says alone")


def check_signed(host: Host, signed: dict[bytes, set[bytes]]) -> None:
    """Nothing is held that its origin did not sign, and nothing of a feed that was never admitted."""
    for identity, feed, _ in host.claims():
        if identity not in signed[feed.origin]:
            raise ViolationError(f"{host.name} holds a claim that its origin did not sign")


def check_world(
    hosts: Iterable[Host], neighbours: Iterable[tuple[Host, Host]], signed: dict[bytes, set[bytes]]
) -> None:
    """All of it."""
    for host in hosts:
        check_signed(host, signed)
        check_parents(host)
    for one, other in neighbours:
        check_sets(one, other)
        check_views(one, other)
