"""What a session takes from a peer before it ends: every number that bounds a frame, a queue or a budget.

Theory of operation
-------------------
Some limits are announced in the hello, and both sides keep the smaller of two: a frame, the ids in one, and how much
may be under way without an answer.  The receiver enforces them, so a peer can make a session hold no more than their
product.  The others are budgets of a whole session that nobody is told; an honest peer does not meet them.  The one
that ends a session is named in the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from weft.errors import RemoteProtocolError
from weft.exchange.riblt.sketch import KEPT_SYMBOLS
from weft.exchange.riblt.symbol import ELEMENT_BYTES, SYMBOL_BYTES
from weft.v1 import exchange_pb2 as wire

MAX_REASON = 300
MAX_SYMBOLS = 1 << 18
"""Coded symbols of a set in a session: enough for 180,000 differences; what has more is listed."""
_SYMBOL_BYTES = 40
"""One coded symbol in a frame at most, generously."""
_ID_BYTES = 32
"""One id in a frame at most, generously: a frame that holds its ids is never larger than the peer takes."""

_LEAST = {"frame_octets": 1 << 16, "frame_ids": 16, "open_offers": 1, "open_claims": 1, "open_wants": 16}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one side; the first five are announced."""

    frame_octets: int = 1 << 20
    frame_ids: int = 32_768
    open_offers: int = 4
    open_claims: int = 4
    open_wants: int = 1 << 18
    offered_ids: int = 1 << 26
    """Ids that a peer may offer or list in a session, whether there are claims behind them or not."""
    asked_ids: int = 1 << 24
    """Message ids that a peer may ask about in a session."""
    tree_ids: int = 50_000
    """Ids of a tree of ours up to which we ask on."""
    tree_claims: int = 100_000
    """Claims about one id up to which we read on."""
    session_octets: int = 1 << 36
    idle_seconds: float = 300
    """How long a peer may be silent while it owes something."""
    sync_seconds: float = 6 * 3600
    """How long it may take until both are done."""
    kept_symbols: int = KEPT_SYMBOLS
    """Of each of our sketches; no matter for the peer."""
    least_rate: float = 1
    """Octets a second, on average over each ``idle_seconds`` in which we wait for the peer."""

    @property
    def frame_symbols(self) -> int:
        """Coded symbols that may be asked for at a time."""
        return self.frame_octets // _SYMBOL_BYTES

    def to_message(self) -> wire.Limits:
        """What is announced."""
        return wire.Limits(**{name: getattr(self, name) for name in _LEAST})

    def both(self, theirs: wire.Limits) -> Limits:
        """These limits, as far as a peer takes as much.  The peer can state anything; too little is refused."""
        stated = {name: getattr(theirs, name) for name in _LEAST}
        for name, least in _LEAST.items():
            if stated[name] < least:
                raise RemoteProtocolError(f"hello: {name} is {stated[name]}, not {least} or more", name)
        if stated["open_wants"] < stated["frame_ids"]:
            raise RemoteProtocolError("hello: open_wants is less than frame_ids", "open_wants")
        smaller = {name: min(value, getattr(self, name)) for name, value in stated.items()}
        smaller["frame_ids"] = min(smaller["frame_ids"], smaller["frame_octets"] // _ID_BYTES)
        return replace(self, **smaller)


def symbol_cap(size: int) -> int:
    """How many coded symbols of a set of ``size`` elements are tried, so that they cost 1.5 times its list of ids."""
    return min(max(1, 3 * ELEMENT_BYTES * size // (2 * (SYMBOL_BYTES + 1))), MAX_SYMBOLS)


def listing_is_cheaper(differences: int, size: int) -> bool:
    """Whether so many differences from a set of ``size`` elements are better found by its list of ids."""
    return differences * 3 > size
