"""What a session is about: the feeds on which both sides agree, in each direction.

Theory of operation
-------------------
A feed goes from one side to the other if the one serves it and the other admits it.  What is refused, unreadable or
over its quota drops out of *both* sets as a whole: were it left in one, it would be offered for ever and the two would
never be in sync.

Each side says how it takes what it admits: it **mirrors** it, or asks for what concerns its own **threads**.  Where
both mirror, feeds that go both ways make one set on each side, which shall become equal.  Of a feed that is mirrored
one way only, the receiver shall hold at least what the sender holds, and tells nothing of the rest.

So there are up to three scopes (`Scope`); a mirrored one has coded symbols of its own.  Both sides compute the same
agreement from the same two hellos; its digest is compared, and whatever is kept belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from weft.core.feed import Feed
from weft.policy.feed_ranges import NO_FEEDS, FeedRanges
from weft.v1 import exchange_pb2 as wire

DOMAIN = b"weft/v1/agreement\0"
DIGEST_BYTES = 16
"""Of the digest, in the frame that compares it."""


class Scope(IntEnum):
    """Which way the feeds of a set go; numbers as on the wire."""

    BOTH = wire.Scope.SCOPE_BOTH
    TO_CALLER = wire.Scope.SCOPE_TO_CALLER
    TO_ANSWERER = wire.Scope.SCOPE_TO_ANSWERER


@dataclass(frozen=True, slots=True)
class Agreement:
    """The feeds of each scope that is not empty, as one of the two sides sees it."""

    caller: bool
    """Whether that side called."""
    feeds: Mapping[Scope, FeedRanges]
    threads: frozenset[Scope] = frozenset()
    """The scopes in which the receiver asks for its threads; the others are mirrored."""

    @property
    def mirrored(self) -> Mapping[Scope, FeedRanges]:
        """The scopes that are sets to be compared; no feed is in two of them."""
        return {scope: feeds for scope, feeds in self.feeds.items() if scope not in self.threads}

    @property
    def taken(self) -> FeedRanges:
        """What comes from the peer: all of it is mirrored, or all of it is asked for."""
        return self.feeds.get(Scope.BOTH, NO_FEEDS) | self.feeds.get(self.inward, NO_FEEDS)

    @property
    def given(self) -> FeedRanges:
        """What goes to the peer."""
        return self.feeds.get(Scope.BOTH, NO_FEEDS) | self.feeds.get(self.outward, NO_FEEDS)

    @property
    def outward(self) -> Scope:
        """The scope of feeds that go to the peer and not into `Scope.BOTH`."""
        return Scope.TO_ANSWERER if self.caller else Scope.TO_CALLER

    @property
    def inward(self) -> Scope:
        """The scope of feeds that come from the peer and not out of `Scope.BOTH`."""
        return Scope.TO_CALLER if self.caller else Scope.TO_ANSWERER

    @property
    def digest(self) -> bytes:
        """32 bytes that are equal on both sides."""
        digest = sha256(DOMAIN)
        for scope in Scope:
            digest.update(bytes((scope in self.threads,)))
            digest.update(self.feeds.get(scope, NO_FEEDS).digest())
        return digest.digest()

    def encodes(self, scope: Scope) -> bool:
        """Whether this side sends the symbols or the list of a scope: the one who serves it, for both the answerer."""
        return scope is self.outward or (scope is Scope.BOTH and not self.caller)

    def sends(self, feed: Feed) -> bool:
        """Whether this side gives claims of a feed."""
        return self._within(feed, self.outward)

    def takes(self, feed: Feed) -> bool:
        """Whether this side receives claims of a feed."""
        return self._within(feed, self.inward)

    def set_of(self, feed: Feed) -> Scope | None:
        """The mirrored set that claims of a feed belong to."""
        return next((scope for scope, feeds in self.feeds.items() if scope not in self.threads and feed in feeds), None)

    def _within(self, feed: Feed, one_way: Scope) -> bool:
        return any(feed in self.feeds.get(scope, NO_FEEDS) for scope in (Scope.BOTH, one_way))


class StatedFeeds(NamedTuple):
    """What one side says in its hello."""

    serves: FeedRanges
    admits: FeedRanges
    threads: bool = False
    """It asks for its threads, and does not mirror."""


def agree(caller: bool, ours: StatedFeeds, theirs: StatedFeeds) -> Agreement:
    """The agreement of two hellos."""
    sent, taken = ours.serves & theirs.admits, theirs.serves & ours.admits
    to_caller, to_answerer = (taken, sent) if caller else (sent, taken)
    both = NO_FEEDS if ours.threads or theirs.threads else to_caller & to_answerer
    feeds = {Scope.BOTH: both, Scope.TO_CALLER: to_caller - both, Scope.TO_ANSWERER: to_answerer - both}
    asking = (ours, theirs) if caller else (theirs, ours)
    threads = {scope for scope, side in zip((Scope.TO_CALLER, Scope.TO_ANSWERER), asking, strict=True) if side.threads}
    given = {scope: some for scope, some in feeds.items() if some}
    return Agreement(caller, given, frozenset(threads & given.keys()))
