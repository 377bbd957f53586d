"""Getting ready for a peer: our own sketches up to one position of our log, out of what was kept or from the start.

Theory of operation
-------------------
The position is that of the newest claim when the session begins: the **snapshot**.  What was kept goes as far as an
earlier position, and what the log holds of the agreed feeds from there is folded in, at about 16 steps a claim; without
anything kept it is all of it.  What is held of other feeds costs nothing.  A sketch that changed while it streams would
never decode, so from then on nothing is added to it.

Mirror mode: each agreed set is made equal, or is taken over where it goes one way only.

Theory of operation
-------------------
Each scope of the agreement has one side that tells (`weft.exchange.set_sender`) and one that seeks
(`weft.exchange.set_receiver`); all go on at the same time.  What is found is offered and wanted, and settled when all
of that was sent.  Frames that come before our own sketches are ready wait; they are few, as the peer sees no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from weft.errors import RemoteProtocolError, StoreError
from weft.exchange.agreement import Agreement, Scope
from weft.exchange.claim_receiver import WantQueue
from weft.exchange.claim_sender import ClaimSender, OfferQueue
from weft.exchange.events import GetPosition, LogEntry, LogPage, ReadLog
from weft.exchange.log_reader import read_log
from weft.exchange.outbox import Outbox, split_ids
from weft.exchange.resumption import KeptSketches, ResumptionState, StateSection
from weft.exchange.riblt.sketch import Sketch
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.exchange.set_receiver import SetReceiver
from weft.exchange.set_sender import SetSender, SymbolSource
from weft.policy.feed_ranges import union
from weft.v1 import exchange_pb2 as wire


class SketchBuilder:
    """Makes the sketches of a session."""

    def __init__(
        self,
        outbox: Outbox,
        agreement: Agreement,
        kept: KeptSketches,
        resumption: ResumptionState,
        ready: Callable[[], None],
    ) -> None:
        """``kept`` has the key, and sketches if there are any."""
        self._outbox = outbox
        self._resumption = resumption
        self._agreement = agreement
        self._kept = kept
        self._ready = ready
        self.sketches: dict[Scope, Sketch] = {}
        self.position = 0

    def start(self) -> None:
        """Ask for the snapshot."""
        self._outbox.ask(GetPosition(), self._positioned)

    def _positioned(self, position: int) -> None:
        self.position = position
        if 0 < self._kept.position <= position:
            self._outbox.ask(ReadLog(self._kept.position - 1, 1), self._check)
        else:
            self._begin(self._kept.position <= position)

    def _check(self, page: LogPage[LogEntry]) -> None:
        """Whether the log is still the one that the sketches are of."""
        self._begin(_element_at(page, self._kept.position) == self._kept.element)

    def _begin(self, fits: bool) -> None:
        after = self._kept.position
        try:
            if not fits:
                raise StoreError("the log is another one")
            self.sketches = {scope: self._kept.sketch(scope) for scope in self._agreement.mirrored}
        except StoreError:
            after = 0
            length = self._outbox.limits.kept_symbols
            self.sketches = {scope: Sketch(self._kept.key, length) for scope in self._agreement.mirrored}
        if not self.sketches:  # nothing is mirrored
            self._ready()
            return
        stale = after < self.position or self._kept.sketches is None or not fits
        feeds = union(self._agreement.mirrored.values())
        read_log(self._outbox, feeds, after, self.position, self._fold, lambda: self._end(stale))

    def _fold(self, entries: Sequence[LogEntry]) -> None:
        elements: dict[Scope, list[bytes]] = {}
        for entry in entries:
            scope = self._agreement.set_of(entry.feed)
            if scope is not None:
                elements.setdefault(scope, []).append(entry.element)
        for scope, some in elements.items():
            self.sketches[scope].add_all(some)

    def _end(self, stale: bool) -> None:
        if stale and self.position:
            self._outbox.ask(ReadLog(self.position - 1, 1), lambda page: self._keep(_element_at(page, self.position)))
        elif stale:
            self._keep(bytes(ELEMENT_BYTES))
        else:
            self._ready()

    def _keep(self, element: bytes) -> None:
        dumped = {scope: sketch.dump() for scope, sketch in self.sketches.items()}
        kept = KeptSketches(self._kept.digest, self._kept.key, self.position, element, dumped)
        self._resumption.set(StateSection.SKETCHES, kept.dump())
        self._ready()


def _element_at(page: LogPage[LogEntry], position: int) -> bytes:
    """The element of the claim at a position, which is the first one of a page; zeros if it is not there any more."""
    found = page.entries and page.entries[0].position == position
    return page.entries[0].element if found else bytes(ELEMENT_BYTES)


class Mirror:
    """The sets of a session."""

    def __init__(
        self,
        outbox: Outbox,
        agreement: Agreement,
        offers: OfferQueue,
        wants: WantQueue,
        claim_sender: ClaimSender,
        resumption: ResumptionState,
        kept: KeptSketches,
        listing: bool,
    ) -> None:
        self._outbox = outbox
        self._resumption = resumption
        self._agreement = agreement
        self._offer_queue = offers
        self._want_queue = wants
        self._claim_sender = claim_sender
        self._listing = listing
        self._catch_up = SketchBuilder(outbox, agreement, kept, resumption, self._begin)
        self._key = kept.key
        self._tellers: dict[Scope, SetSender] = {}
        self._seekers: dict[Scope, SetReceiver] = {}
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
            source = SymbolSource(self._outbox, feeds, self._key, sketch, self.position)
            if self._agreement.encodes(scope):
                set_sender = SetSender(self._outbox, self._offer_queue, scope, feeds, source, self.position)
                self._tellers[scope] = set_sender
                self._claim_sender.allow(set_sender.size)
                set_sender.start(self._listing)
            else:
                set_receiver = SetReceiver(
                    self._outbox,
                    self._want_queue,
                    self._offer_queue,
                    self._resumption,
                    scope,
                    feeds,
                    source,
                    self.position,
                )
                self._seekers[scope] = set_receiver
                if self._listing:
                    set_receiver.read_list()
        self._ready = True
        early, self._early = self._early, []
        for handle in early:
            handle()

    def _when_ready(self, handle: Callable[[], None]) -> None:
        if self._ready:
            handle()
        elif len(self._early) < len(Scope) + self._outbox.limits.open_offers:
            self._early.append(handle)
        else:
            raise RemoteProtocolError("more came than can have been asked for")

    def symbols(self, message: wire.Symbols) -> None:
        """Symbols of a set that we seek."""
        self._when_ready(lambda: self._set_receiver(message.scope).symbols(message))

    def listing(self, message: wire.Listing) -> None:
        """A piece of a list of ids; only the last one may be empty."""
        none = message.last and not message.ids
        elements = [] if none else split_ids(message.ids, self._outbox.limits.frame_ids)
        self._when_ready(lambda: self._set_receiver(message.scope).listing(elements, message.last))

    def need(self, message: wire.Need) -> None:
        """More of a set that we tell."""
        self._set_sender(message.scope).need(message.count)

    def settle(self, message: wire.Settled) -> None:
        """The peer knows how a set that we tell differs."""
        self._set_sender(message.scope).settle()

    def pump(self) -> None:
        """Go on with lists, and settle what can be."""
        for set_sender in self._tellers.values():
            set_sender.pump()
        for set_receiver in self._seekers.values():
            set_receiver.pump()

    def _set_sender(self, scope: int) -> SetSender:
        for known, set_sender in self._tellers.items():
            if known.value == scope:
                return set_sender
        raise RemoteProtocolError(f"scope {scope} is not one that we tell")

    def _set_receiver(self, scope: int) -> SetReceiver:
        for known, set_receiver in self._seekers.items():
            if known.value == scope:
                return set_receiver
        raise RemoteProtocolError(f"scope {scope} is not one that we seek")
