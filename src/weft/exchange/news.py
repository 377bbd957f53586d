"""What arrives after a position, from anywhere: offered to the peer or, in threads mode, told by the ids in it.

Frames are filled before they are sent, whatever lies in the log between the claims that go into them: how they are cut
must not show what the peer may not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from weft.core.feed import Feed
from weft.exchange.events import Entry, Named, ReadLog, ReadNames
from weft.exchange.line import Line
from weft.exchange.offering import Offers
from weft.exchange.reading import PAGE

_REMEMBERED = 4096


class News:
    """Reads on in the log, and tells what is of feeds that we send and did not come from the peer itself."""

    def __init__(self, line: Line, sends: Callable[[Feed], bool], offers: Offers, *, named: bool) -> None:
        """``named``: by the message ids in it."""
        self._line = line
        self._sends = sends
        self._offers = offers
        self._named = named
        self.learned: list[range] = []
        """Positions of claims that came from the peer, ascending."""
        self._read = 0
        self._started = self._reading = self._more = False
        self._ready: dict[bytes, None] = {}
        """What is to be told: elements, or digests of message ids."""

    def learn(self, positions: range) -> None:
        """These came from the peer."""
        if self.learned and self.learned[-1].stop == positions.start:
            positions = range(self.learned.pop().start, positions.stop)
        if positions:
            self.learned.append(positions)
        if len(self.learned) > _REMEMBERED:
            self.learned = [some for some in self.learned if some.stop > self._read]

    def catch_up(
        self, after: int, upto: int, learned: Sequence[range], most: int, then: Callable[[bool], None]
    ) -> None:
        """Tell the ids in what stands beyond a position, up to another one, in frames of which one is the last.

        If they are more than ``most``, nothing is told; ``then`` gets whether it was.
        """

        def read(after: int) -> None:
            if len(self._ready) > most:
                self._ready = {}
                then(False)
            elif after < upto:
                self._line.ask(ReadNames(after, min(PAGE, upto - after)), page)
            else:
                self._flush(last=True)
                then(True)

        def page(entries: list[Named]) -> None:
            for entry in self._told(entries, learned):
                self._collect(entry)
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
        for entry in self._told(entries, self.learned):
            self._collect(entry)
            self._send_full()
        self._more = True
        self.pump()

    def _told(self, entries: Sequence[Entry | Named], learned: Sequence[range]) -> Iterator[Entry | Named]:
        """Those that the peer may know of, and does not."""
        if not entries:
            return
        first, last = entries[0].position, entries[-1].position
        near = [some for some in learned if first < some.stop and some.start <= last]
        for entry in entries:
            if self._sends(entry.feed) and not any(entry.position in some for some in near):
                yield entry

    def _collect(self, entry: Entry | Named) -> None:
        self._ready.update(dict.fromkeys(entry.names if isinstance(entry, Named) else [entry.element]))

    def _send_full(self) -> None:
        """Send what makes a full frame: after each claim, or it would show how many others stand between."""
        most = self._line.limits.frame_ids
        while len(self._ready) >= most:
            full = list(islice(self._ready, most))
            for token in full:
                del self._ready[token]
            if self._named:
                self._offers.add_news(sorted(full), last=False)
            else:
                self._offers.add(full)

    def _flush(self, *, last: bool) -> None:
        """Send what is to be told, in full frames and a rest."""
        ready, self._ready = list(self._ready), {}
        most = self._line.limits.frame_ids
        if not self._named:
            self._offers.add(ready)
        elif ready or last:
            ready.sort()
            pieces = [ready[start : start + most] for start in range(0, len(ready), most)] or [[]]
            for piece in pieces:
                self._offers.add_news(piece, last=last and piece is pieces[-1])
