"""From claims that the store holds to claims with nodes for their ids, as `Store.put` gives them when they are new.

Hearing: which claims count under a policy, and what they say then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.incremental_forest import Statement, interpret
from weft.core.references import counting
from weft.policy.rules import Policy
from weft.store.interface import InsertedClaim, StoredClaim, VerifiedClaim, read_claim
from weft.store.sqlite import SqliteStore


def resolve(store: SqliteStore, page: Iterable[StoredClaim]) -> list[InsertedClaim]:
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
        new = VerifiedClaim(held.leaf, held.identity, held.data, claim, held.place)
        found.append(
            InsertedClaim(held.position, new, node, tuple(others[: len(replies)]), tuple(others[len(replies) :]))
        )
    return found


def sure_nodes(stored: InsertedClaim, aliases: Mapping[int, int] = {}) -> tuple[int, ...]:
    """The nodes of the ids that a claim names whatever others say, its own first; by what they count as."""
    claim = stored.claim.parsed
    references, replies = stored.reference_nodes, stored.reply_nodes
    if isinstance(claim, Claim) and claim.doubtful:
        references = tuple(counting(references, claim.weak_references, _nothing))
        replies = tuple(counting(replies, claim.weak_in_reply_to, _nothing))
    if aliases:
        return (stored.node, *(aliases.get(node, node) for node in (*references, *replies)))
    return (stored.node, *references, *replies)


def weak_nodes(stored: InsertedClaim, claim: Claim, aliases: Mapping[int, int] = {}) -> dict[int, bool]:
    """The nodes of the ids that are weak in one of its lists; whether they are sure in none.  By what they count as."""
    names = dict(zip(claim.in_reply_to, stored.reply_nodes, strict=True))
    names |= zip(claim.references, stored.reference_nodes, strict=True)
    sure = {*sure_nodes(stored, aliases)}
    weak = [aliases.get(node, node) for node in (names[name] for name in claim.weak_ids)]
    return {node: node not in sure for node in weak}


def _nothing(_: int) -> bool:
    return False


class ClaimFilter:
    """The policy as the view asks it, claim by claim; tiers of feeds are remembered."""

    def __init__(self, policy: Policy, withdrawn: set[bytes]) -> None:
        """``withdrawn``: ids of claims that a withdrawal which counts takes back; the caller keeps it up to date."""
        self.policy = policy
        self.withdrawn = withdrawn
        self.claimed: Callable[[int], bool] = _nothing
        """Whether a claim that counts is about a node: then weak ids of others count.  The caller sets it."""
        self.aliases: Mapping[int, int] = {}
        """The rules of the policy by node (`alias_nodes`).  The caller sets it."""
        self._tiers: dict[Feed, int | None] = {}
        mute = policy.mute
        self.mutes = bool(mute.claims or mute.feeds or mute.ids or mute.authors)

    def tier(self, feed: Feed) -> int | None:
        """The tier of a feed; None if it is not admitted."""
        if feed not in self._tiers:
            self._tiers[feed] = self.policy.tier(feed)
        return self._tiers[feed]

    def _tier_of(self, claim: Claim | Withdrawal) -> int | None:
        try:  # a plain pair is equal to a feed, and made in a third of the time
            return self._tiers[claim.origin, claim.list]  # type: ignore[index]
        except KeyError:
            return self.tier(claim.feed)

    @property
    def hides_some(self) -> bool:
        """Whether there may be claims of admitted feeds that do not count."""
        return self.mutes or bool(self.withdrawn)

    def hidden(self, identity: bytes, claim: Claim | Withdrawal) -> str:
        """Why a claim does not count in this view; empty if it does."""
        if self._tier_of(claim) is None:
            return "the policy does not admit its feed"
        if identity in self.withdrawn:
            return "withdrawn by its origin"
        return (self.mutes and self.policy.muted(identity, claim)) or ""

    def is_muted(self, identity: bytes, claim: Claim) -> bool:
        """Whether a claim would count if the policy did not mute it."""
        if self._tier_of(claim) is None or identity in self.withdrawn:
            return False
        return self.policy.muted(identity, claim) is not None

    def tier_of(self, claim: Claim) -> int:
        """The tier of a claim that is not hidden."""
        tier = self._tier_of(claim)
        assert tier is not None
        return tier

    def interpret(self, stored: InsertedClaim, claim: Claim) -> Statement:
        """What a claim that is not hidden says."""
        tier = self._tier_of(claim)
        assert tier is not None
        muted = self._muted_edges(stored, claim) if self.policy.mute.edges else None
        aliases = self.aliases
        replies: Sequence[int] = stored.reply_nodes
        references: Sequence[int] = stored.reference_nodes
        if claim.doubtful:
            counts = self.counts if aliases else self.claimed
            replies = counting(replies, claim.weak_in_reply_to, counts)
            references = counting(references, claim.weak_references, counts)
        return interpret(stored.node, replies, claim.sane, references, tier, self.policy.view.profile, muted, aliases)

    def counts(self, node: int) -> bool:
        """Whether a weak id counts: whether a claim that counts is about it, or about what it counts as."""
        return self.claimed(self.aliases.get(node, node))

    def _muted_edges(self, stored: InsertedClaim, claim: Claim) -> Callable[[int, int], bool]:
        names = dict(zip(stored.reference_nodes, claim.references, strict=True))
        names |= dict(zip(stored.reply_nodes, claim.in_reply_to, strict=True))
        names[stored.node] = claim.message_id
        for node in names.keys() & self.aliases.keys():
            names[self.aliases[node]] = self.policy.meant(names[node])
        edges = self.policy.muted_edges
        return lambda child, parent: (names[child], names[parent]) in edges
