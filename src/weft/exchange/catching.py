"""Getting ready for a peer: our own sketches up to one position of our log, out of what was kept or from the start.

Theory of operation
-------------------
The position is that of the newest claim when the session begins: the **snapshot**.  What was kept goes as far as an
earlier position, and the log from there is folded in, at about 16 steps a claim; without anything kept it is the whole
log.  A sketch that changed while it streams would never decode, so from then on nothing is added to it.
"""

from __future__ import annotations

from collections.abc import Callable

from weft.errors import StoreError
from weft.exchange.agreement import Agreement, Scope
from weft.exchange.events import Entry, GetPosition, ReadLog
from weft.exchange.keeping import Keeping, Section
from weft.exchange.kept import Kept
from weft.exchange.line import Line
from weft.exchange.reading import read_log
from weft.exchange.sketch import Sketch
from weft.exchange.symbol import ELEMENT_OCTETS


class CatchUp:
    """Makes the sketches of a session."""

    def __init__(
        self, line: Line, agreement: Agreement, kept: Kept, keeping: Keeping, ready: Callable[[], None]
    ) -> None:
        """``kept`` has the key, and sketches if there are any."""
        self._line = line
        self._keeping = keeping
        self._agreement = agreement
        self._kept = kept
        self._ready = ready
        self._element = kept.element
        self.sketches: dict[Scope, Sketch] = {}
        self.position = 0

    def start(self) -> None:
        """Ask for the snapshot."""
        self._line.ask(GetPosition(), self._positioned)

    def _positioned(self, position: int) -> None:
        self.position = position
        if 0 < self._kept.position <= position:
            self._line.ask(ReadLog(self._kept.position - 1, 1), self._check)
        else:
            self._begin(self._kept.position <= position)

    def _check(self, entries: list[Entry]) -> None:
        """Whether the log is still the one that the sketches are of."""
        self._begin(bool(entries) and entries[0].element == self._kept.element)

    def _begin(self, fits: bool) -> None:
        after = self._kept.position
        try:
            if not fits:
                raise StoreError("the log is another one")
            self.sketches = {scope: self._kept.sketch(scope) for scope in self._agreement.mirrored}
        except StoreError:
            after, self._element = 0, bytes(ELEMENT_OCTETS)
            length = self._line.limits.kept_symbols
            self.sketches = {scope: Sketch(self._kept.key, length) for scope in self._agreement.mirrored}
        if not self.sketches:  # nothing is mirrored
            self._ready()
            return
        stale = after < self.position or self._kept.sketches is None or not fits
        read_log(self._line, after, self.position, self._fold, lambda: self._end(stale))

    def _fold(self, entries: list[Entry]) -> None:
        self._element = entries[-1].element
        elements: dict[Scope, list[bytes]] = {}
        for entry in entries:
            scope = self._agreement.set_of(entry.feed)
            if scope is not None:
                elements.setdefault(scope, []).append(entry.element)
        for scope, some in elements.items():
            self.sketches[scope].add_all(some)

    def _end(self, stale: bool) -> None:
        if stale:
            dumped = {scope: sketch.dump() for scope, sketch in self.sketches.items()}
            kept = Kept(self._kept.digest, self._kept.key, self.position, self._element, dumped)
            self._keeping.set(Section.SKETCHES, kept.dump())
        self._ready()
