"""The coded symbols of one of our sets, as far as a session needs them: the kept ones, and beyond them by a scan.

A scan reads the whole set, so it is done for many symbols at a time: up to the next of the indices 16,384, 65,536, ...
"""

from __future__ import annotations

from collections.abc import Callable

from weft.exchange.events import Scan
from weft.exchange.feeds import Feeds
from weft.exchange.line import Line
from weft.exchange.mapping import MAX_SYMBOLS
from weft.exchange.sketch import Sketch
from weft.exchange.symbol import CodedSymbol

_GROWTH = 4


class Source:
    """The symbols of the claims of some feeds up to a position: one snapshot, whatever arrives later."""

    def __init__(self, line: Line, feeds: Feeds, key: bytes, sketch: Sketch, upto: int) -> None:
        self._line = line
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

        self._line.ask(Scan(self._feeds, self.key, have, end - have, self._upto), scanned)

    def _slice(self, first: int, count: int) -> list[CodedSymbol]:
        kept = self._sketch.symbols(first, count) if first < len(self._sketch) else []
        start = max(0, first - len(self._sketch))
        return kept + self._beyond[start : start + count - len(kept)]
