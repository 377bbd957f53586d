"""What arrives after the snapshot, from anywhere: offered to the peer once both are done."""

from __future__ import annotations

from weft.exchange.agreement import Agreement
from weft.exchange.events import Entry, ReadLog
from weft.exchange.line import Line
from weft.exchange.offering import Offers
from weft.exchange.reading import PAGE


class News:
    """Reads on in the log, and offers what is of feeds that we send and did not come from the peer itself."""

    def __init__(self, line: Line, agreement: Agreement, offers: Offers) -> None:
        self._line = line
        self._agreement = agreement
        self._offers = offers
        self._learned: list[range] = []
        self._read = 0
        self._started = self._reading = self._more = False

    def learned(self, positions: range) -> None:
        """These came from the peer."""
        if self._learned and self._learned[-1].stop == positions.start:
            positions = range(self._learned.pop().start, positions.stop)
        if positions:
            self._learned.append(positions)

    def start(self, after: int) -> None:
        """Offer what stands beyond a position, and all that comes."""
        self._started, self._read = True, after
        self.grew()

    def grew(self) -> None:
        """There is more in the log."""
        self._more = True
        self.pump()

    def pump(self) -> None:
        """Read on, when what was read is on its way."""
        if self._started and self._more and not self._reading and self._offers.all_sent:
            self._more, self._reading = False, True
            self._line.ask(ReadLog(self._read, PAGE), self._page)

    def _page(self, entries: list[Entry]) -> None:
        self._reading = False
        if not entries:
            return
        self._read = entries[-1].position
        near = [positions for positions in self._learned if positions.start <= self._read]
        fresh = [
            entry
            for entry in entries
            if self._agreement.sends(entry.feed) and not any(entry.position in positions for positions in near)
        ]
        self._learned = [positions for positions in self._learned if positions.stop > self._read + 1]
        self._more = True
        self._offers.add(entry.element for entry in fresh)
        self.pump()
