"""What arrives after a position, from anywhere: told to the peer, as an offer or, in threads mode, with the ids in it.

Frames are filled before they are sent, whatever lies in the log between the claims that go into them: how they are cut
must not show what the peer may not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from weft.core.feed import Feed
from weft.exchange.events import Entry, Named, ReadLog, ReadNames
from weft.exchange.line import Line
from weft.exchange.offering import Offers
from weft.exchange.reading import PAGE

_FULL = 1 << 16
"""Octets of a frame of news in threads mode, about: a quarter of a frame of claims holds less."""

_REMEMBERED = 4096


class News:
    """Reads on in the log, and tells what is of feeds that we send and did not come from the peer itself."""

    def __init__(self, line: Line, sends: Callable[[Feed], bool], offers: Offers, *, named: bool) -> None:
        """``named``: with the ids in each claim."""
        self._line = line
        self._sends = sends
        self._offers = offers
        self._named = named
        self.learned: list[range] = []
        """Positions of claims that came from the peer, ascending."""
        self._read = 0
        self._started = self._reading = self._more = False
        self._ready: list[tuple[bytes, bytes]] = []
        self._size = 0

    def learn(self, positions: range) -> None:
        """These came from the peer."""
        if self.learned and self.learned[-1].stop == positions.start:
            positions = range(self.learned.pop().start, positions.stop)
        if positions:
            self.learned.append(positions)
        if len(self.learned) > _REMEMBERED:
            self.learned = [some for some in self.learned if some.stop > self._read]

    def catch_up(self, after: int, upto: int, learned: Iterable[range], then: Callable[[], None]) -> None:
        """Tell what stands beyond a position, up to another one, in frames of which one is the last."""
        known = list(learned)

        def read(after: int) -> None:
            if after < upto:
                self._line.ask(ReadNames(after, min(PAGE, upto - after)), page)
            else:
                self._flush(last=True)
                then()

        def page(entries: list[Named]) -> None:
            self._collect(entries, known)
            read(entries[-1].position if entries else upto)

        read(after)

    def start(self, after: int) -> None:
        """Tell what stands beyond a position, and all that comes."""
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
            if self._named:
                self._line.ask(ReadNames(self._read, PAGE), self._page)
            else:
                self._line.ask(ReadLog(self._read, PAGE), self._page)

    def _page(self, entries: list[Entry] | list[Named]) -> None:
        self._reading = False
        if not entries:
            self._flush(last=False)
            return
        self._read = entries[-1].position
        self._collect(entries, self.learned)
        self._more = True
        self.pump()

    def _collect(self, entries: list[Entry] | list[Named], learned: list[range]) -> None:
        """Take what is to be told, and send what makes a full frame."""
        if entries:
            near = [some for some in learned if entries[0].position < some.stop and some.start <= entries[-1].position]
        for entry in entries:
            if self._sends(entry.feed) and not any(entry.position in some for some in near):
                names = entry.names if isinstance(entry, Named) else b""
                self._ready.append((entry.element, names))
                self._size += len(entry.element) + len(names)
                if len(self._ready) >= self._line.limits.frame_ids or (self._named and self._size >= _FULL):
                    self._send(last=False)

    def _flush(self, *, last: bool) -> None:
        if self._ready or last:
            self._send(last=last)

    def _send(self, *, last: bool) -> None:
        ready, self._ready, self._size = self._ready, [], 0
        elements = [element for element, _ in ready]
        if self._named:
            self._offers.add_news(elements, [names for _, names in ready], last=last)
        else:
            self._offers.add(elements)
