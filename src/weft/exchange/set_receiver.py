"""The other side of finding a difference: the one that decodes symbols, or reads a list of ids.

Theory of operation
-------------------
Symbols are asked for by plan: 1 comes unasked, then up to 16 and 32 in all, which nearly always decode a few
differences and otherwise tell about how many there are, give or take a quarter.  So the next are not quite as many as
are needed, and then it goes on by a sixteenth at a time, so that few are sent in vain.  If there are more than a third
of the set, or the symbols cost more than the list, or do not decode, the list is asked for.

From a list the difference is plain: what stands there and is not held here is wanted, and what is held and never stood
there is offered.  Each id stands in it once.  If symbols came before, the list must explain them: its own first symbol
must be the one that was sent; else the peer's sketch is damaged, or it made something up: the key is given up, and the
session ends.  If they did not decode and the list explains them, one of the kept sketches is damaged, and only the key
is given up.

All of it is the peer's word, and no more than a reason to offer and to want.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from weft.errors import RemoteProtocolError, SymbolsError
from weft.exchange.agreement import Scope
from weft.exchange.claim_receiver import WantQueue
from weft.exchange.claim_sender import OfferQueue
from weft.exchange.events import LogEntry
from weft.exchange.limits import listing_is_cheaper, symbol_cap
from weft.exchange.listed_ids import ListedIds
from weft.exchange.log_reader import read_log
from weft.exchange.outbox import Outbox
from weft.exchange.resumption import ResumptionState, StateSection
from weft.exchange.riblt.codec import ESTIMATE_SYMBOLS, decode_symbols, symbols_for
from weft.exchange.riblt.decoder import Decoder, DecoderStatus
from weft.exchange.riblt.mapping import keyed_hash
from weft.exchange.riblt.symbol import CodedSymbol, coded
from weft.exchange.set_sender import SymbolSource
from weft.policy.feed_ranges import FeedRanges
from weft.v1 import exchange_pb2 as wire

_FIRST = 16
_STEP = 16
_LEAST_STEP = 10


class SetReceiver:
    """Finds out how one of the peer's sets differs from ours."""

    def __init__(
        self,
        outbox: Outbox,
        wants: WantQueue,
        offers: OfferQueue,
        resumption: ResumptionState,
        scope: Scope,
        feeds: FeedRanges,
        source: SymbolSource,
        upto: int,
    ) -> None:
        self._outbox = outbox
        self._resumption = resumption
        self._want_queue = wants
        self._offer_queue = offers
        self._scope = scope
        self._feeds = feeds
        self._source = source
        self._upto = upto
        self._decoder: Decoder | None = None
        self._size = 0
        self._expected = 1
        """How many symbols come next; 0: none."""
        self._list: ListComparison | None = None
        self._first: CodedSymbol | None = None
        """The peer's first symbol."""
        self._known = False
        self._failed: DecoderStatus | None = None
        self.settled = False

    def symbols(self, message: wire.Symbols) -> None:
        """Symbols that were asked for, or the first one."""
        if not self._expected or self._list is not None:
            raise RemoteProtocolError("symbols: none were asked for in this scope")
        decoder = self._begin(message.size)
        if message.first != decoder.received or (message.first and message.size):
            raise RemoteProtocolError("symbols: these are not the next ones")
        try:
            theirs = decode_symbols(message.symbols, message.first, self._size)
        except SymbolsError as error:
            raise RemoteProtocolError(f"symbols: {error}") from None
        if len(theirs) != self._expected:
            raise RemoteProtocolError(f"symbols: {len(theirs)} came, {self._expected} were asked for")
        self._expected = 0
        self._first = self._first or theirs[0]
        self._outbox.report.rounds += 1
        self._source.get(message.first, len(theirs), lambda ours: self._received(decoder, theirs, ours))

    def _begin(self, size: int) -> Decoder:
        if self._decoder is None:
            self._decoder = Decoder(self._source.key, symbol_cap(size))
            self._size = size
        return self._decoder

    def _received(self, decoder: Decoder, theirs: Sequence[CodedSymbol], ours: Sequence[CodedSymbol]) -> None:
        status = decoder.receive(theirs, ours)
        if status is DecoderStatus.DECODED:
            self._know(decoder.only_theirs, decoder.only_ours)
        elif status is not DecoderStatus.MORE or listing_is_cheaper(self._at_least(decoder), self._size):
            self._need(0)
            self.read_list(None if status is DecoderStatus.MORE else status)
        else:
            self._need(self._next(decoder))

    def _at_least(self, decoder: Decoder) -> int:
        """How many differences there are: by how much the sets' sizes differ, or an estimate out of enough symbols."""
        enough = decoder.received >= ESTIMATE_SYMBOLS
        return decoder.estimate() if enough else abs(self._size - self._source.size)

    def _next(self, decoder: Decoder) -> int:
        """How many symbols to ask for."""
        have = decoder.received
        if have < ESTIMATE_SYMBOLS:
            count = (_FIRST if have < _FIRST else ESTIMATE_SYMBOLS) - have
        else:
            count = max(decoder.estimate() * 9 // 10 - have, have // _STEP, _LEAST_STEP)
        return min(count, self._outbox.limits.frame_symbols, symbol_cap(self._size) - have)

    def _need(self, count: int) -> None:
        self._expected = count
        self._outbox.send(wire.Frame(need=wire.Need(scope=self._scope.value, count=count)))

    def read_list(self, failed: DecoderStatus | None = None) -> None:
        """Read a list from now on; ``failed``: how the symbols ended, if they should have been enough."""
        self._expected = 0
        self._outbox.report.listed = True
        self._failed = failed
        explains = keyed_hash(self._source.key) if self._first is not None else None
        self._list = ListComparison(self._want_queue, self._first, explains, self._compared)
        read_log(self._outbox, self._feeds, 0, self._upto, self._gather, self._list.ready)

    def _gather(self, entries: Sequence[LogEntry]) -> None:
        assert self._list is not None
        self._list.add(entry.element for entry in entries)

    def listing(self, elements: list[bytes], last: bool) -> None:
        """A piece of the list."""
        if self._list is None:
            raise RemoteProtocolError("listing: none was asked for in this scope")
        self._list.piece(elements, last)

    def _compared(self, only_ours: Sequence[bytes], differences: int, explained: bool) -> None:
        """The list has come to its end."""
        too_many = self._failed is DecoderStatus.CAPPED and symbols_for(differences) > symbol_cap(self._size)
        if not explained or (self._failed and not too_many):
            self._outbox.report.undecoded = self._failed
            self._resumption.set(StateSection.SKETCHES, b"")
        if not explained:
            raise RemoteProtocolError("listing: it is not of the set that the symbols were of")
        self._know((), only_ours)

    def _know(self, only_theirs: Sequence[bytes], only_ours: Sequence[bytes]) -> None:
        self._known = True
        self._want_queue.decoded(only_theirs)
        if self._scope is Scope.BOTH:
            self._offer_queue.add(only_ours)
        self.pump()

    def pump(self) -> None:
        """Say that the scope is settled, when all of it was sent."""
        if self._known and not self.settled and self._want_queue.all_sent and self._offer_queue.all_sent:
            self.settled = True
            self._outbox.send(wire.Frame(settled=wire.Settled(scope=self._scope.value)))


class ListComparison:
    """A list of the peer's ids, compared with ours as it comes; ours must be gathered before the first is looked at."""

    def __init__(
        self,
        wants: WantQueue,
        first: CodedSymbol | None,
        digest: Callable[[bytes], bytes] | None,
        then: Callable[[Sequence[bytes], int, bool], None],
    ) -> None:
        """``first``: the symbol with all of the list's ids, if it came; ``digest``: the keyed hash for that.

        ``then`` gets what only we have, the number of differences, and whether the list explains ``first``.
        """
        self._want_queue = wants
        self._first = first
        self._digest = digest
        self._then = then
        self._gathered = False
        self._pieces: list[tuple[list[bytes], bool]] = []
        self._unseen: dict[bytes, None] = {}
        self._xor = self._count = self._only_theirs = 0
        self._listed = ListedIds()
        self._ended = False

    def add(self, elements: Iterable[bytes]) -> None:
        """Gather ours."""
        self._unseen.update(dict.fromkeys(elements))

    def ready(self) -> None:
        """Ours are gathered."""
        self._gathered = True
        pieces, self._pieces = self._pieces, []
        for elements, last in pieces:
            self._compare(elements, last)

    def piece(self, elements: list[bytes], last: bool) -> None:
        """A piece, looked at now or when ours are gathered."""
        if self._ended:
            raise RemoteProtocolError("listing: it goes on after its last piece")
        self._ended = last
        self._count += len(elements)
        if self._first is not None and self._count > self._first.count:
            raise RemoteProtocolError("listing: it has more ids than the set of which it is")
        self._want_queue.offered(elements)
        if self._gathered:
            self._compare(elements, last)
        else:
            self._pieces.append((elements, last))

    def _compare(self, elements: list[bytes], last: bool) -> None:
        for element in elements:
            if element in self._unseen:
                del self._unseen[element]
            else:
                self._only_theirs += 1
        if self._digest is not None:
            for element in elements:
                self._xor ^= coded(element, self._digest(element))
        self._listed.add(elements)
        if last:
            if self._listed.has_repeated():
                raise RemoteProtocolError("listing: an id stands in it twice")
            explained = self._digest is None or self._first == CodedSymbol(self._xor, self._count)
            self._then(list(self._unseen), self._only_theirs + len(self._unseen), explained)
