"""Which claims of a peer were refused for what they say, and which feeds it therefore cannot give us whole.

Theory of operation
-------------------
A refused claim is not wanted again of the peer that handed it over; its **element** is remembered, which follows from
its bytes.  It may be of a kind of a later version, and say anything, so we cannot claim to hold all that this peer has
of the feed under whose signature it came.  Both are kept for each peer on its own: what one hands over says nothing
about what another one has, and one that hands over much makes us forget nothing of the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from weft.core.feed import Feed
from weft.exchange.events import Refusal
from weft.exchange.riblt.symbol import ELEMENT_BYTES


class Refused:
    """What was refused of one peer, in this session and before."""

    def __init__(self, before: Mapping[bytes, Feed]) -> None:
        """``before``: the feed of each element; some may be forgotten, and are refused once more."""
        self._elements = dict(before)
        self.feeds = set(self._elements.values())
        """Those of which something was refused."""

    def __contains__(self, element: bytes) -> bool:
        return element in self._elements

    def add(self, refusal: Refusal) -> None:
        """One more."""
        self._elements[refusal.identity[:ELEMENT_BYTES]] = refusal.feed
        self.feeds.add(refusal.feed)
