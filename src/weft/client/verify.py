"""What a client checks of a thread: that the claims are signed, and that the thread follows from them.

Theory of operation
-------------------
A server gives the claims behind a thread with proofs that lead to roots which their origins signed.  From these the
edges are made again, by the same rules (`weft.core.incremental_forest`), under a policy.  That is the caller's, if
there is one; claims that it does not admit do not count, and a thread that is another under it is refused.  Else it is
what the server says of its own: the rank of each feed, and edges that it mutes.  If all ranks are the same, this is the
common view.  What is checked of each message: that it is there because somebody names it, whether it is a ghost, its
parent, rivals and cut, and every copy of it with its texts.  The digest is computed, not believed.

What no client can see: claims that the server withholds.  What nobody signs, and is not checked: in how many copies a
ghost is named, the order of the messages, and which of several copies of one feed came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from weft.core.author import decode_author
from weft.core.claim import Claim, claim_id, parse
from weft.core.cycle_cutting import CUT, DISAGREED, WITNESS_RANK, NodeState
from weft.core.date import earliest, format_date, parse_date
from weft.core.feed import Feed
from weft.core.forest import NONE, IdNumbers, Profile, statement
from weft.core.incremental_forest import IncrementalForest, interpret
from weft.core.merkle import Multiproof
from weft.core.representative import content_of, count_variants
from weft.core.signing import SignedRoot, fingerprint, verify_root
from weft.core.subject import decode_text
from weft.errors import AnswerError, ClaimError
from weft.model import Copy, Message, Thread
from weft.policy.rules import Policy, thread_digest
from weft.v1 import claim_pb2
from weft.v1 import threads_pb2 as wire
from weft.wire.rules import PROFILE_WORDS
from weft.wire.threads import to_bytes, to_text


class SignedClaim(NamedTuple):
    """A claim that its origin signed."""

    identity: bytes
    claim: Claim


@dataclass(frozen=True, slots=True)
class ClaimRanking:
    """Whose word counts, and how: a policy, or what a server says of its own."""

    policy: Policy | None = None
    tiers: Mapping[Feed, int] = field(default_factory=dict)
    muted: frozenset[tuple[bytes, bytes]] = frozenset()
    profile: Profile = "weft"
    aliases: Mapping[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, policy: Policy) -> ClaimRanking:
        """The stance of a policy."""
        return cls(policy, {}, policy.muted_edges, policy.view.profile, policy.aliases)

    @classmethod
    def stated(
        cls,
        ranks: Iterable[wire.FeedRank],
        muted: frozenset[tuple[bytes, bytes]],
        profile: wire.Profile,
        aliases: Mapping[bytes, bytes] = {},
    ) -> ClaimRanking:
        """What a server says of its own policy."""
        tiers = {Feed(rank.origin, rank.list.encode()): rank.tier for rank in ranks}
        if any(tier > _MAX_TIER for tier in tiers.values()) or profile not in PROFILE_WORDS:
            raise AnswerError("the ranks or the profile that it states are invalid")
        return cls(None, tiers, muted, PROFILE_WORDS[profile], aliases)

    def tier(self, proved: SignedClaim) -> int | None:
        """The rank of a claim; None if it does not count."""
        feed = proved.claim.feed
        if self.policy is None:
            if feed not in self.tiers:
                raise AnswerError("it gives claims of a feed whose rank it does not state")
            return self.tiers[feed]
        return None if self.policy.muted(proved.identity, proved.claim) else self.policy.tier(feed)

    def meant(self, message_id: bytes) -> bytes:
        """The id as which an id counts."""
        return self.aliases.get(message_id, message_id)


_MAX_TIER = 254


def check_part(part: claim_pb2.BatchPart) -> list[SignedClaim]:
    """The claims in a part; `ClaimError` unless their origin signed them all."""
    signed = SignedRoot.from_message(part.batch)
    verify_root(signed)
    identities = [claim_id(data) for data in part.claims]
    Multiproof.from_message(part.proof).verify(signed.leaf_count, identities, signed.root)
    found = []
    for identity, data in zip(identities, part.claims, strict=True):
        claim = parse(data)
        if claim.feed != Feed(signed.origin, signed.list):
            raise ClaimError("claim refused: it is of another feed than its batch")
        if isinstance(claim, Claim):
            found.append(SignedClaim(identity, claim))
    return found


def check_thread(thread: Thread, claims: Iterable[SignedClaim], stance: ClaimRanking) -> None:
    """`AnswerError` unless the thread follows from the claims."""
    forest = _Forest(stance)
    for proved in claims:
        forest.add(proved)
    forest.settle()
    counted = []
    for message in thread.messages:
        state, about = forest.state(to_bytes(message.id)), forest.about[to_bytes(message.id)]
        if state is None:
            raise _wrong(message, "it is named nowhere")
        _check_edge(message, state, forest)
        if any(stance.meant(to_bytes(alias)) != to_bytes(message.id) for alias in message.aliases):
            raise _wrong(message, "an id is said to count as it, by no rule")
        if bool(about) == message.ghost:
            raise _wrong(message, "whether it has been seen is not what they say")
        if about:
            _check_copies(message, about)
            _check_rivals(message, about, stance)
        counted += [identity for _, identity, _ in about]
    edges = ((message.id, message.parent) for message in thread.messages if message.parent is not None)
    digest = thread_digest(counted, ((to_bytes(child), to_bytes(parent)) for child, parent in edges))
    if digest.hex() != thread.digest:
        raise AnswerError("the digest of the thread is not that of its claims and edges")


_About = tuple[int, bytes, Claim]
"""(tier, claim id, claim)."""


class _Forest:
    """The forest of some claims."""

    def __init__(self, stance: ClaimRanking) -> None:
        self.about: dict[bytes, list[_About]] = defaultdict(list)
        self.ids: list[bytes] = []
        self._numbers = IdNumbers(self.ids)
        self._stance = stance
        self._nodes = _Nodes(self.ids)
        self._forest = IncrementalForest(self._nodes)
        self._seen: set[bytes] = set()
        self._doubtful: list[_About] = []

    def add(self, proved: SignedClaim) -> None:
        """Hear a claim, if it counts and is new."""
        tier = self._stance.tier(proved)
        if tier is None or proved.identity in self._seen:
            return
        self._seen.add(proved.identity)
        claim = proved.claim
        if claim.doubtful:
            self._doubtful.append((tier, proved.identity, claim))
        else:
            self._hear(tier, proved.identity, claim)

    def settle(self) -> None:
        """All claims are here: hear those with weak ids, which count if a claim is about them."""
        claimed = {*self.about, *(claim.message_id for _, _, claim in self._doubtful)}
        for tier, identity, claim in self._doubtful:
            self._hear(tier, identity, claim.counting(lambda name: self._stance.meant(name) in claimed))
        self._doubtful.clear()

    def _hear(self, tier: int, identity: bytes, claim: Claim) -> None:
        number = self._numbers.__getitem__
        node, replies = number(claim.message_id), list(map(number, claim.in_reply_to))
        references = list(map(number, claim.references))
        muted = self._is_muted if self._stance.muted else None
        rules = self._stance.aliases
        named = [name for name in (*claim.in_reply_to, *claim.references) if name in rules] if rules else []
        aliases = {number(name): number(rules[name]) for name in named}
        interpreted = interpret(node, replies, claim.sane, references, tier, self._stance.profile, muted, aliases)
        self._forest.add(interpreted)
        self.about[claim.message_id].append((tier, identity, claim))

    def state(self, message_id: bytes) -> NodeState | None:
        """What is known of an id; None if nobody names it."""
        node = self._numbers.get(message_id)
        return None if node is None else self._nodes.state(node)

    def name(self, node: int) -> str | None:
        """The id of a node."""
        return None if node < 0 else to_text(self.ids[node])

    def _is_muted(self, child: int, parent: int) -> bool:
        return (self.ids[child], self.ids[parent]) in self._stance.muted


class _Nodes:
    """The nodes of a small forest (`weft.core.cycle_cutting.ForestNodes`)."""

    def __init__(self, ids: Sequence[bytes]) -> None:
        self._ids = ids
        self._states: dict[int, NodeState] = defaultdict(NodeState)
        self._children: dict[int, dict[int, None]] = defaultdict(dict)

    def state(self, node: int) -> NodeState:
        """The one state of a node."""
        return self._states[node]

    def children(self, node: int) -> Iterator[int]:
        """The nodes whose parent is ``node``."""
        return iter(tuple(self._children.get(node, ())))

    def message_id(self, node: int) -> bytes:
        """Breaks ties."""
        return self._ids[node]

    def moved(self, node: int, old: int, new: int) -> None:
        """The parent of a node has changed."""
        if old != NONE:
            del self._children[old][node]
        if new != NONE:
            self._children[new][node] = None


def _check_edge(message: Message, state: NodeState, forest: _Forest) -> None:
    if forest.name(state.parent) != message.parent:
        raise _wrong(message, "its parent is not what they say")
    if (forest.name(state.stated_parent) if state.cycle_state == CUT else None) != message.cut:
        raise _wrong(message, "the cut of its edge does not follow from what they say")
    contested = state.stated_parent == DISAGREED and state.rank < WITNESS_RANK
    if contested != message.contested:
        raise _wrong(message, "whether it is contested does not follow from what they say")


def _check_rivals(message: Message, about: list[_About], stance: ClaimRanking) -> None:
    best = min(tier for tier, _, _ in about)
    states = {_stated(claim, stance) for tier, _, claim in about if tier == best} - {b""}
    rivals = {None if rival is None else to_bytes(rival) for rival in message.rivals}
    if rivals != (states if len(states) > 1 else set()):
        raise _wrong(message, "its rival parents are not those that they state")


def _stated(claim: Claim, stance: ClaimRanking) -> bytes | None:
    """The parent that a claim states; None for no parent, ``b""`` if the edge is muted."""
    ids = list(dict.fromkeys((*claim.references, *claim.in_reply_to)))
    number = {name: index for index, name in enumerate(ids)}
    references = [number[name] for name in claim.references]
    parent, _ = statement([number[name] for name in claim.in_reply_to], claim.sane, references, stance.profile)
    if parent == NONE or (meant := stance.meant(ids[parent])) == claim.message_id:
        return None
    return b"" if (claim.message_id, meant) in stance.muted else meant


def _check_copies(message: Message, about: list[_About]) -> None:
    """Every copy with its texts, and what is shown of the message.

    The copies stand by rank, but which of those of one feed came first only the server's log says.
    """
    about.sort(key=lambda one: (one[0], one[2].list, one[2].origin))
    copies = [_copy(claim) for _, _, claim in about]
    feeds = [claim.feed for _, _, claim in about]
    given = list(map(_bytes, message.copies))
    due = list(map(_bytes, copies))
    if len(set(feeds)) < len(feeds):
        given, due = _within_feeds(given, feeds), _within_feeds(due, feeds)
    if given != due:
        raise _wrong(message, "its copies are not what the lists saw")
    best = about[0][0]
    date = earliest(parse_date(claim.date) for tier, _, claim in about if tier == best)
    first = message.copies[0]
    shown = (first.subject, first.author, format_date(*date) or "")
    if tuple(map(to_bytes, shown)) != tuple(map(to_bytes, (message.subject, message.author, message.date or ""))):
        raise _wrong(message, "its subject, author or date is not that of its copies")
    if count_variants(content_of(claim) for _, _, claim in about) != message.variants:
        raise _wrong(message, "the number of its variants is not what its copies show")


def _within_feeds(copies: list[tuple[bytes, ...]], feeds: Sequence[Feed]) -> list[tuple[bytes, ...]]:
    """The copies, of which each is of the feed at its place, sorted among those of one feed."""
    found: list[tuple[bytes, ...]] = []
    for _, run in groupby(zip(feeds, copies, strict=False), key=lambda pair: pair[0]):
        found += sorted(copy for _, copy in run)
    return found if len(copies) == len(feeds) else copies


def _copy(claim: Claim) -> Copy:
    subject, author = decode_text(claim.subject), decode_author(claim.author)
    return Copy(claim.list.decode(), subject, author, format_date(*parse_date(claim.date)), fingerprint(claim.origin))


def _bytes(copy: Copy) -> tuple[bytes, ...]:
    """Texts as they are on the wire, where some cannot be told apart."""
    return tuple(to_bytes(text or "") for text in copy)


def _wrong(message: Message, what: str) -> AnswerError:
    return AnswerError(f"the thread does not follow from the claims: {message.id!r}: {what}")
