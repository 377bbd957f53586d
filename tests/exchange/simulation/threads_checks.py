"""What must hold in a healed world where servers ask for their threads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tests.exchange.simulation.checks import agreement
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.trees import Known, asked_trees, groups, known, names, own_digests
from tests.exchange.simulation.violation import ViolationError
from weft.core.claim import Withdrawal
from weft.policy.feed_ranges import readable


def check_threads(asker: Host, answerer: Host, caller: bool) -> None:
    """The asker holds all that the answerer holds of its trees, but for those that it says are cut."""
    agreed = agreement(asker, answerer) if caller else agreement(answerer, asker)
    scope = agreed.inward if caller else agreed.outward
    if scope not in agreed.threads:
        return
    peer = answerer.origin.public
    trees = asked_trees(known(asker, readable(asker.policy, peer)), asker.policy)
    cut = asker.cut.get(peer, frozenset())
    ids = {name for tree in trees if not tree & cut for name in tree}
    held = {identity for identity, _, _ in asker.claims()}
    for identity, claim in known(answerer, agreed.feeds[scope]):
        if identity not in held and identity[:16] not in asker.refused[peer] and not ids.isdisjoint(names(claim)):
            raise ViolationError(f"{asker.name} lacks a claim about {claim.message_id!r} that {answerer.name} holds")


def check_taken(host: Host, got: Collection[bytes], touching: Iterable[Host]) -> None:
    """Of what it got by asking, all is connected with its own mail, by any claims of ``touching``."""
    links = [
        (claim.message_id, name)
        for other in touching
        for _, _, claim in other.claims()
        for name in sorted(names(claim))
    ]
    together = groups(links)
    own = [claim for _, feed, claim in host.claims() if feed.origin == host.origin.public]
    near = {name for claim in own for name in together[claim.message_id]}
    for identity, _, claim in host.claims():
        if identity in got and claim.message_id not in near:
            raise ViolationError(f"{host.name} has asked for {claim.message_id!r}, which is of no thread of its own")


def check_digests(one: Host, other: Host) -> None:
    """Trees that hold mail of both are equal.

    But for this: where References disagree about an id that nobody has seen, the withdrawal of one of these claims is
    about a message that may stand in no tree of the asker's, and then nothing leads to it.
    """
    ours, theirs = (
        [(i, claim) for i, feed, claim in host.claims() if host.policy.admits(feed)] for host in (one, other)
    )
    unsettled = _withdrawn_for_one(ours, theirs)
    their_digests = own_digests(theirs, other.origin.public)
    for tree, digest in own_digests(ours, one.origin.public).items():
        for same, their_digest in their_digests.items():
            if digest != their_digest and tree & same and unsettled.isdisjoint(tree | same):
                raise ViolationError(f"{one.name} and {other.name} show a thread in which both wrote in two ways")


def _withdrawn_for_one(ours: Sequence[Known], theirs: Sequence[Known]) -> set[bytes]:
    """The ids in claims whose withdrawal only one of two holds."""
    claims = dict([*ours, *theirs])
    lone = {i for i, _ in ours} ^ {i for i, _ in theirs}
    targets = [claim.target for i, claim in claims.items() if i in lone and isinstance(claim, Withdrawal)]
    return {name for target in targets if target in claims for name in names(claims[target])}
