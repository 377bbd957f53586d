"""Mirror mode: each agreed set is made equal, or is taken over where it goes one way only.

Theory of operation
-------------------
Each scope of the agreement has one side that tells (`weft.exchange.telling`) and one that seeks
(`weft.exchange.seeking`); all go on at the same time.  What is found is offered and wanted, and settled when all of
that was sent.  Frames that come before our own sketches are ready wait; they are few, as the peer sees no answer.
"""

from __future__ import annotations

from collections.abc import Callable

from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Agreement, Scope
from weft.exchange.catching import CatchUp
from weft.exchange.giving import Giver
from weft.exchange.keeping import Keeping
from weft.exchange.kept import Kept
from weft.exchange.line import Line, split_ids
from weft.exchange.offering import Offers
from weft.exchange.seeking import Seeker
from weft.exchange.symbols import Source
from weft.exchange.telling import Teller
from weft.exchange.wanting import Wants
from weft.v1 import exchange_pb2 as wire


class Mirror:
    """The sets of a session."""

    def __init__(
        self,
        line: Line,
        agreement: Agreement,
        offers: Offers,
        wants: Wants,
        giver: Giver,
        keeping: Keeping,
        kept: Kept,
        listing: bool,
    ) -> None:
        self._line = line
        self._keeping = keeping
        self._agreement = agreement
        self._offers = offers
        self._wants = wants
        self._giver = giver
        self._listing = listing
        self._catch_up = CatchUp(line, agreement, kept, keeping, self._begin)
        self._key = kept.key
        self._tellers: dict[Scope, Teller] = {}
        self._seekers: dict[Scope, Seeker] = {}
        self._early: list[Callable[[], None]] = []
        self._ready = False

    @property
    def position(self) -> int:
        """The snapshot."""
        return self._catch_up.position

    @property
    def settled(self) -> bool:
        """All is found, offered and wanted, on both sides."""
        tellers, seekers = self._tellers.values(), self._seekers.values()
        return self._ready and all(one.settled for one in tellers) and all(one.settled for one in seekers)

    def start(self) -> None:
        """Make our sketches ready, then begin."""
        self._catch_up.start()

    def _begin(self) -> None:
        for scope, feeds in self._agreement.mirrored.items():
            sketch = self._catch_up.sketches[scope]
            source = Source(self._line, feeds, self._key, sketch, self.position)
            if self._agreement.encodes(scope):
                teller = Teller(self._line, self._offers, scope, feeds, source, self.position)
                self._tellers[scope] = teller
                self._giver.allow(teller.size)
                teller.start(self._listing)
            else:
                seeker = Seeker(
                    self._line, self._wants, self._offers, self._keeping, scope, feeds, source, self.position
                )
                self._seekers[scope] = seeker
                if self._listing:
                    seeker.read_list()
        self._ready = True
        early, self._early = self._early, []
        for handle in early:
            handle()

    def _when_ready(self, handle: Callable[[], None]) -> None:
        if self._ready:
            handle()
        elif len(self._early) < len(Scope) + self._line.limits.open_offers:
            self._early.append(handle)
        else:
            raise RemoteProtocolError("more came than can have been asked for")

    def symbols(self, message: wire.Symbols) -> None:
        """Symbols of a set that we seek."""
        self._when_ready(lambda: self._seeker(message.scope).symbols(message))

    def listing(self, message: wire.Listing) -> None:
        """A piece of a list of ids; only the last one may be empty."""
        none = message.last and not message.ids
        elements = [] if none else split_ids(message.ids, self._line.limits.frame_ids)
        self._when_ready(lambda: self._seeker(message.scope).listing(elements, message.last))

    def need(self, message: wire.Need) -> None:
        """More of a set that we tell."""
        self._teller(message.scope).need(message.count)

    def settle(self, message: wire.Settled) -> None:
        """The peer knows how a set that we tell differs."""
        self._teller(message.scope).settle()

    def pump(self) -> None:
        """Go on with lists, and settle what can be."""
        for teller in self._tellers.values():
            teller.pump()
        for seeker in self._seekers.values():
            seeker.pump()

    def _teller(self, scope: int) -> Teller:
        for known, teller in self._tellers.items():
            if known.value == scope:
                return teller
        raise RemoteProtocolError(f"scope {scope} is not one that we tell")

    def _seeker(self, scope: int) -> Seeker:
        for known, seeker in self._seekers.items():
            if known.value == scope:
                return seeker
        raise RemoteProtocolError(f"scope {scope} is not one that we seek")
