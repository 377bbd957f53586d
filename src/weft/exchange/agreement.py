"""What a session is about: the feeds on which both sides agree, in each direction.

Theory of operation
-------------------
A feed goes from one side to the other if the one serves it and the other admits it.  What is refused, unreadable or
over its quota drops out of *both* sets as a whole: were it left in one, it would be offered for ever and the two would
never be in sync.  Feeds that go both ways make one set on each side, which shall become equal.  Of a feed that goes one
way only, the receiver shall hold at least what the sender holds, and tells nothing of the rest.

So there are up to three sets (`Scope`), each with coded symbols of its own.  Both sides compute the same agreement from
the same two hellos; its digest is compared, and kept sketches belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from weft.core.feed import Feed
from weft.exchange.feeds import NO_FEEDS, Feeds
from weft.v1 import exchange_pb2 as wire

DOMAIN = b"weft/v1/agreement\0"
DIGEST_OCTETS = 16
"""Of the digest, in the frame that compares it."""


class Scope(IntEnum):
    """Which way the feeds of a set go; numbers as on the wire."""

    BOTH = wire.Scope.BOTH
    TO_CALLER = wire.Scope.TO_CALLER
    TO_ANSWERER = wire.Scope.TO_ANSWERER


@dataclass(frozen=True, slots=True)
class Agreement:
    """The feeds of each scope that is not empty, as one of the two sides sees it."""

    caller: bool
    """Whether that side called."""
    feeds: Mapping[Scope, Feeds]

    @property
    def digest(self) -> bytes:
        """32 octets that are equal on both sides."""
        digest = sha256(DOMAIN)
        for scope in Scope:
            digest.update(self.feeds.get(scope, NO_FEEDS).digest())
        return digest.digest()

    def encodes(self, scope: Scope) -> bool:
        """Whether this side sends the symbols or the list of a scope: the one who serves it, for both the answerer."""
        return scope is (Scope.TO_ANSWERER if self.caller else Scope.TO_CALLER) or (
            scope is Scope.BOTH and not self.caller
        )

    def sends(self, feed: Feed) -> bool:
        """Whether this side gives claims of a feed."""
        return self._within(feed, Scope.TO_ANSWERER if self.caller else Scope.TO_CALLER)

    def takes(self, feed: Feed) -> bool:
        """Whether this side receives claims of a feed."""
        return self._within(feed, Scope.TO_CALLER if self.caller else Scope.TO_ANSWERER)

    def scope(self, feed: Feed) -> Scope | None:
        """The set that claims of a feed belong to."""
        return next((scope for scope, feeds in self.feeds.items() if feed in feeds), None)

    def _within(self, feed: Feed, one_way: Scope) -> bool:
        return self.scope(feed) in (Scope.BOTH, one_way)


def agree(caller: bool, ours: tuple[Feeds, Feeds], theirs: tuple[Feeds, Feeds]) -> Agreement:
    """The agreement of two hellos, each (feeds that the side serves, feeds that it admits)."""
    sent, taken = ours[0] & theirs[1], theirs[0] & ours[1]
    to_caller, to_answerer = (taken, sent) if caller else (sent, taken)
    both = to_caller & to_answerer
    feeds = {Scope.BOTH: both, Scope.TO_CALLER: to_caller - both, Scope.TO_ANSWERER: to_answerer - both}
    return Agreement(caller, {scope: some for scope, some in feeds.items() if some})
