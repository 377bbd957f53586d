"""What goes in and out of a session beside frames: questions to the store and their answers, and how it ends.

Theory of operation
-------------------
The machine asks its shell (`Ask`), with a number; the shell gives each answer back under that number, in any order, and
decides how: the store may be anything, and run in another thread.  An answer is what the store held at some time after
the question.  Nothing is taken as stored before the answer to its `CommitParts` has come.

Elements are claim ids cut to 16 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from weft.core.feed import Feed
from weft.core.merkle import PartialTree
from weft.core.signing import SignedRoot
from weft.errors import WeftError
from weft.exchange.riblt.decoder import DecoderStatus
from weft.exchange.riblt.symbol import CodedSymbol
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart


class LogEntry(NamedTuple):
    """A claim in the store's log, expunged ones too."""

    position: int
    feed: Feed
    element: bytes


class NamedEntry(NamedTuple):
    """A claim in the store's log, with the message ids in it."""

    position: int
    feed: Feed
    names: Sequence[bytes]
    """Their digests (`weft.core.id_digest`); none if the claim was expunged."""


EntryT = TypeVar("EntryT", LogEntry, NamedEntry)


class LogPage(NamedTuple, Generic[EntryT]):
    """A piece of the store's log, as far as some feeds go."""

    entries: Sequence[EntryT]
    end: int
    """All that there is up to this position is in it; the position it began at if there is nothing beyond."""


class OwnTree(NamedTuple):
    """A tree of our own: the ids that stand in it."""

    root: bytes
    """The message id of its root."""
    digests: Sequence[bytes]
    """Of all its ids, ghosts too; of those nearest to our own messages if there are too many."""
    whole: bool = True
    """With what a claim puts there and another one elsewhere, and all below that; else there are too many of these."""


class OwnTrees(NamedTuple):
    """Trees, as they were when the log ended at a position."""

    position: int
    trees: Sequence[OwnTree]


class FoundClaims(NamedTuple):
    """Claims that were asked for by ids."""

    elements: list[bytes]
    done: int
    """So many of the asked digests, from the first one on, are answered in full."""
    after: bytes
    """The last claim about the next one, if it is answered in part."""
    beyond: int | None = None
    """It is not the end, but has cost enough: what is about the next one goes on beyond this position."""


class ClaimLocation(NamedTuple):
    """Where a claim stands in the store, so that claims of one batch can be fetched together."""

    batch: int
    leaf: int
    feed: Feed
    element: bytes


class QuotaUsed(NamedTuple):
    """What a peer handed us of a feed today."""

    claims: int
    byte_count: int


Usage = Mapping[Feed, QuotaUsed]


class Committed(NamedTuple):
    """What was put into the store."""

    positions: range
    """Of the new claims."""
    used: Usage = MappingProxyType({})
    """What the peer handed over today, in all its sessions, of the feeds that were put; empty if that is not known."""


class StoredPart(NamedTuple):
    """Claims of one batch out of the store."""

    batch: int
    signed: SignedRoot
    tree: PartialTree
    """All that is known of the batch."""
    claims: Sequence[tuple[int, bytes]]
    """(leaf, bytes), by leaf."""


@dataclass(frozen=True, slots=True)
class GetPosition:
    """The position of the newest claim: ``int``."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """Claims beyond a position, in order, at most ``limit``: ``LogPage[LogEntry]``."""

    after: int
    limit: int
    feeds: FeedRanges | None = None
    """Only claims of these."""
    upto: int | None = None
    """Only up to this position."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The coded symbols ``first`` and on of the claims of ``feeds`` up to a position: ``list[CodedSymbol]``.

    The one question whose answer takes as long as the store is large.
    """

    feeds: FeedRanges
    key: bytes
    first: int
    count: int
    upto: int


@dataclass(frozen=True, slots=True)
class FindMissing:
    """Which of the elements are of no claim of ``feeds`` that is held: ``list[bytes]``, in the same order.

    What is held of other feeds counts as missing: the peer could else find out about them by offering ids.
    """

    elements: Sequence[bytes]
    feeds: FeedRanges


@dataclass(frozen=True, slots=True)
class Locate:
    """Where the claims of these elements stand: ``list[Whereabouts]``; without those not held, or expunged."""

    elements: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Fetch:
    """The claims that stand there: ``list[Piece]``, by batch; without those that were expunged since."""

    claims: Sequence[ClaimLocation]


@dataclass(frozen=True, slots=True)
class CommitParts:
    """Put parts into the store in one transaction: `Committed`, once it is on disk."""

    parts: Sequence[VerifiedPart]
    refused: frozenset[Feed] = frozenset()
    """The feeds of claims that came meanwhile and were refused: what was used of them is told as well."""


@dataclass(frozen=True, slots=True)
class ReadNames:
    """As `ReadLog`, with the ids in each claim: ``LogPage[NamedEntry]``."""

    after: int
    limit: int
    feeds: FeedRanges
    upto: int | None = None


@dataclass(frozen=True, slots=True)
class FindTrees:
    """Our own trees that a claim beyond a position has touched: `OwnTrees`.

    A tree is one over the claims of ``feeds``, in the common view or in that of ``policy`` (its tiers; no mutes), and
    it is our own if a claim of our origin is about one of its ids.  More trees than were touched may be among them.
    From position 0 on: all our own trees.
    """

    feeds: FeedRanges
    policy: Policy
    after: int
    most: int
    """Of a tree of more ids only so many are given."""


@dataclass(frozen=True, slots=True)
class FindConcerned:
    """Which claims of ``feeds`` are about message ids with these digests, or refer to one: `FoundClaims`.

    In the order of the digests, and of each in the order of the log; each claim once.  ``after``: the claim after which
    those about the first one begin; empty: from the first.  ``without``: positions of claims that are left out,
    ascending.
    """

    feeds: FeedRanges
    digests: Sequence[bytes]
    after: bytes
    most: int
    without: Sequence[range] = ()
    beyond: int = 0
    """The position in an answer that was not the end; never told to a peer."""
    found: Sequence[bytes] = ()
    """The elements in that answer, which stand at the beginning of the next one."""


@dataclass(frozen=True, slots=True)
class KeepState:
    """Keep these bytes for the peer, and hand them to its next session; empty: forget what was kept.  ``None``."""

    data: bytes


Request = (
    GetPosition
    | ReadLog
    | ReadNames
    | Scan
    | FindMissing
    | FindTrees
    | FindConcerned
    | Locate
    | Fetch
    | CommitParts
    | KeepState
)
Answer = (
    int
    | Committed
    | None
    | OwnTrees
    | FoundClaims
    | LogPage[LogEntry]
    | LogPage[NamedEntry]
    | list[CodedSymbol]
    | list[bytes]
    | list[ClaimLocation]
    | list[StoredPart]
)


@dataclass(frozen=True, slots=True)
class Send:
    """A frame for the peer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the store, answered by `Session.answer` with the same number."""

    number: int
    request: Request


@dataclass(frozen=True, slots=True)
class Refusal:
    """A claim that its origin signed says what no claim may say; it should not be wanted of this peer again.

    ``identity`` was computed here, and the reason follows from the bytes of the claim alone.  What a peer says an id
    is must never stand here, nor what is wrong with the batch in which a claim came, or it could hide others' claims.
    """

    identity: bytes
    reason: str
    feed: Feed
    """Whose signature it came under.  Who can lie: nobody but that origin."""
    size: int
    """Bytes of the claim, for the quota of the feed."""


@dataclass(slots=True)
class SessionReport:
    """What a session did, so far.  Bytes are those of whole frames."""

    rounds: int = 0
    """Frames of symbols that were decoded, and how often ids were asked about because of what had come."""
    asked: int = 0
    """Message ids that we asked about."""
    cut: dict[bytes, None] = field(default_factory=dict)
    """The roots of trees of which we did not ask for all, because they were too large."""
    new_key: bool = False
    """The caller brought a new key of the pair."""
    listed: bool = False
    undecoded: DecoderStatus | None = None
    """How a sketch ended that did not decode, so that its key was given up."""
    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    claim_bytes_sent: int = 0
    """In frames of claims, with their proofs."""
    claim_bytes_received: int = 0
    claims_sent: int = 0
    claims_received: int = 0
    """New ones, on disk."""
    proof_bytes_received: int = 0
    """In frames of claims, beside the claims."""
    gone: int = 0
    """Wanted, but the peer could not send them."""
    refused: dict[str, int] = field(default_factory=dict)
    """Claims that were proved but refused, by reason."""


@dataclass(frozen=True, slots=True)
class CoverageGained:
    """We know now what the peer has to say: of all ids in some feeds, or of some ids."""

    feeds: FeedRanges
    asked: frozenset[bytes] | None
    """Digests of the ids that the peer was asked about; None: we mirror, so all ids there are."""
    cut: Sequence[bytes] = ()
    """Roots of trees of which we did not ask for all."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The peer has what we held of some feeds up to a position of our log on its disk, or does not want it.

    In threads mode that is what concerns the ids that it asks about; what it wants of the rest it has not asked for.
    """

    feeds: FeedRanges
    position: int


@dataclass(frozen=True, slots=True)
class Synced:
    """Both are done: all that was held at the start is on disk on both sides, and only news follows."""

    report: SessionReport


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over: well, or by an error.  Nothing comes of it any more."""

    report: SessionReport
    error: WeftError | None = None


Output = Send | Ask | Refusal | CoverageGained | Delivered | Synced | Ended
