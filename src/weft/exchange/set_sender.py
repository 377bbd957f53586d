"""The coded symbols of one of our sets, as far as a session needs them: the kept ones, and beyond them by a scan.

A scan reads the whole set, so it is done for many symbols at a time: up to the next of the indices 16,384, 65,536, ...

One side of finding a difference: the one whose symbols, or list of ids, are sent.

Theory of operation
-------------------
The first symbol is sent unasked: it shows two equal sets.  All others are asked for, in order, up to the number that
costs 1.5 times the list; whoever asks for more, or for something else, breaks the rules.  The list can be asked for
once, at any time.  The scope is settled when the other side says so.
"""

from __future__ import annotations

from collections.abc import Callable

from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope
from weft.exchange.claim_sender import OfferQueue
from weft.exchange.events import LogEntry, LogPage, ReadLog, Scan
from weft.exchange.limits import symbol_cap
from weft.exchange.log_reader import PAGE
from weft.exchange.outbox import Outbox
from weft.exchange.riblt.codec import encode_symbols
from weft.exchange.riblt.mapping import MAX_SYMBOLS
from weft.exchange.riblt.sketch import Sketch
from weft.exchange.riblt.symbol import CodedSymbol
from weft.policy.feed_ranges import FeedRanges
from weft.v1 import exchange_pb2 as wire

_GROWTH = 4


class SymbolSource:
    """The symbols of the claims of some feeds up to a position: one snapshot, whatever arrives later."""

    def __init__(self, outbox: Outbox, feeds: FeedRanges, key: bytes, sketch: Sketch, upto: int) -> None:
        self._outbox = outbox
        self._feeds = feeds
        self._sketch = sketch
        self._upto = upto
        self._beyond: list[CodedSymbol] = []
        self.key = key

    @property
    def size(self) -> int:
        """The number of elements of the set."""
        return self._sketch.size

    def get(self, first: int, count: int, then: Callable[[list[CodedSymbol]], None]) -> None:
        """Hand over ``count`` symbols from ``first`` on, now or after a scan."""
        kept = len(self._sketch)
        have = kept + len(self._beyond)
        if first + count <= have:
            then(self._slice(first, count))
            return
        end = kept
        while end < first + count:
            end = min(end * _GROWTH, MAX_SYMBOLS)

        def scanned(symbols: list[CodedSymbol]) -> None:
            self._beyond += symbols
            then(self._slice(first, count))

        self._outbox.ask(Scan(self._feeds, self.key, have, end - have, self._upto), scanned)

    def _slice(self, first: int, count: int) -> list[CodedSymbol]:
        kept = self._sketch.symbols(first, count) if first < len(self._sketch) else []
        start = max(0, first - len(self._sketch))
        return kept + self._beyond[start : start + count - len(kept)]


class SetSender:
    """Tells what one of our sets is."""

    def __init__(
        self, outbox: Outbox, offers: OfferQueue, scope: Scope, feeds: FeedRanges, source: SymbolSource, upto: int
    ) -> None:
        self._outbox = outbox
        self._offer_queue = offers
        self._scope = scope
        self._feeds = feeds
        self._source = source
        self._upto = upto
        self._cap = symbol_cap(source.size)
        self._sent = 0
        self._working = False
        self._listing = False
        self._listed = False
        """The last piece of the list is on its way."""
        self._read = 0
        self._elements: list[bytes] = []
        self.settled = False

    @property
    def size(self) -> int:
        """Of the set."""
        return self._source.size

    def start(self, listing: bool) -> None:
        """Send the first symbol, or begin the list."""
        if listing:
            self._listing = True
            self.pump()
        else:
            self._symbols(1)

    def need(self, count: int) -> None:
        """The peer asks for more symbols, or for the list."""
        if self._listing or self._working or self.settled:
            raise RemoteProtocolError("need: it is not the peer's turn in this scope")
        if not count:
            self._listing = True
            self.pump()
            return
        if count > self._outbox.limits.frame_symbols or self._sent + count > self._cap:
            raise RemoteProtocolError(f"need: {count} more symbols are too many after {self._sent}", "symbols")
        self._symbols(count)

    def _symbols(self, count: int) -> None:
        self._working = True
        self._source.get(self._sent, count, self._send)

    def _send(self, symbols: list[CodedSymbol]) -> None:
        self._working = False
        data = encode_symbols(symbols, self._sent, self.size)
        size = 0 if self._sent else self.size
        message = wire.Symbols(scope=self._scope.value, first=self._sent, size=size, symbols=data)
        self._outbox.send(wire.Frame(symbols=message))
        self._sent += len(symbols)

    def settle(self) -> None:
        """The peer knows enough."""
        if self.settled or self._working or self._listing is not self._listed:
            raise RemoteProtocolError("settled: it is not the peer's turn in this scope")
        self.settled = True

    def pump(self) -> None:
        """Go on with the list, when the last piece of it is on its way."""
        if self._listing and not self._working and self._offer_queue.all_sent and not self._listed:
            if self._read < self._upto:
                self._working = True
                self._outbox.ask(ReadLog(self._read, PAGE, self._feeds, self._upto), self._page)
            else:
                self._page(LogPage((), self._upto))

    def _page(self, page: LogPage[LogEntry]) -> None:
        """Send what makes a full frame; at the end the rest."""
        self._working = False
        self._elements += [entry.element for entry in page.entries]
        self._read = page.end if page.end > self._read else self._upto
        self._listed = self._read >= self._upto
        most = self._outbox.limits.frame_ids
        while len(self._elements) > most:
            self._offer_queue.add_listing(self._scope, self._elements[:most], False)
            del self._elements[:most]
        if self._listed:
            self._offer_queue.add_listing(self._scope, self._elements, True)
            self._elements = []
        self.pump()
