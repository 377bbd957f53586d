"""The copies of messages that a rebuild has seen, as columns: about 60 octets each beside their texts.

A copy is known by (id, list, content): reading the same file twice adds nothing.  Copies of one id form a chain through
``after``.  Subjects and authors are kept once each.  Everything that is read out is sorted by what the copies say,
never by when they came, so that the order of the input leaves no trace.

Bodies that were not read (`weft.sources.base.make_outline`) are read when two of them have to be compared: those of
copies of one id on one list, and those of copies whose subjects differ.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from weft.core.date import MISSING
from weft.core.forest import Numbers
from weft.core.subject import base_subject, decode_text
from weft.core.variants import count_variants
from weft.sources.base import UNREAD

_CROWD = 8
"""With more copies than this, an id gets a set of its contents, so that a flood of copies stays linear."""


class Copies:
    """Columns over copies ``0..n-1``; see the module."""

    def __init__(self, read: Callable[[int, int, int], tuple[int, int]]) -> None:
        """``read``: (source, offset, length) to the two numbers of a record that `make_outline` leaves out."""
        self._read = read
        self.first = array("i")
        """For each node its latest copy, or -1."""
        self.after = array("i")
        self.lists = array("i")
        self.sources = array("i")
        self.offsets = array("q")
        self.lengths = array("q")
        self.subjects = array("i")
        self.authors = array("i")
        self.seconds = array("q")
        self.zones = array("h")
        self.bodies = array("q")
        self.contents = array("q")
        self.texts: list[bytes] = []
        """The subjects and authors, each once."""
        self.unreadable_dates: dict[int, bytes] = {}
        self._texts = Numbers(self.texts)
        self._crowds: dict[int, set[tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self.after)

    def grow(self, nodes: int) -> None:
        """Make room for nodes below ``nodes``."""
        missing = nodes - len(self.first)
        if missing > 0:
            self.first.extend(array("i", [-1]) * missing)

    def seal(self) -> None:
        """No more copies will come: let go of what only adding needs."""
        self._texts.clear()
        self._crowds.clear()

    def add(self, nodes: Sequence[int], list_number: int, source: int, columns: Sequence[Sequence[Any]]) -> list[int]:
        """Append those copies of ``nodes`` that are not here already; their indexes.

        ``columns`` are the columns of their `Record`s; appending by columns is three times as fast as by records.
        """
        first, after, contents = self.first, self.after, self.contents
        new = []
        places = zip(nodes, columns[0], columns[1], columns[12], strict=True)
        for index, (node, offset, length, content) in enumerate(places):
            latest = first[node]
            if latest >= 0:
                if content == UNREAD and self._shares_list(node, list_number):
                    _, content = self._read(source, offset, length)
                if content != UNREAD and self._known(node, list_number, content):
                    continue
            first[node] = len(after)
            after.append(latest)
            contents.append(content)
            self.lists.append(list_number)
            self.sources.append(source)
            self.offsets.append(offset)
            self.lengths.append(length)
            new.append(index)
        if len(new) < len(nodes):
            columns = [[column[index] for index in new] for column in columns]
        self._append(columns)
        return new

    def _append(self, columns: Sequence[Sequence[Any]]) -> None:
        _, _, _, _, _, _, dates, seconds, zones, subjects, authors, bodies, _ = columns
        if any(dates):
            start = len(self.seconds)
            self.unreadable_dates.update((start + index, date) for index, date in enumerate(dates) if date)
        self.seconds.extend(seconds)
        self.zones.extend(zones)
        self.bodies.extend(bodies)
        self.subjects.extend(map(self._texts.__getitem__, subjects))
        self.authors.extend(map(self._texts.__getitem__, authors))

    def _shares_list(self, node: int, list_number: int) -> bool:
        """Whether what a node's next copy on a list says has to be known."""
        return node in self._crowds or any(self.lists[copy] == list_number for copy in self.of(node))

    def _content(self, copy: int) -> int:
        if self.contents[copy] == UNREAD:
            _, self.contents[copy] = self._read(self.sources[copy], self.offsets[copy], self.lengths[copy])
        return self.contents[copy]

    def _body(self, copy: int) -> int:
        if self.bodies[copy] == UNREAD:
            self.bodies[copy], _ = self._read(self.sources[copy], self.offsets[copy], self.lengths[copy])
        return self.bodies[copy]

    def _known(self, node: int, list_number: int, content: int) -> bool:
        """Whether this very copy of a node is here already."""
        crowd = self._crowds.get(node)
        if crowd is not None:
            if (list_number, content) in crowd:
                return True
            crowd.add((list_number, content))
            return False
        copies = self.of(node)
        if any(self.lists[copy] == list_number and self._content(copy) == content for copy in copies):
            return True
        if len(copies) > _CROWD:
            self._crowds[node] = {(self.lists[copy], self._content(copy)) for copy in copies}
            self._crowds[node].add((list_number, content))
        return False

    def of(self, node: int) -> list[int]:
        """The copies of a node, latest first."""
        copies, copy = [], self.first[node]
        while copy >= 0:
            copies.append(copy)
            copy = self.after[copy]
        return copies

    def sort(self, copies: list[int], names: list[str]) -> list[int]:
        """By list name, then by what they say: the first is the one that is shown."""
        return copies if len(copies) == 1 else sorted(copies, key=lambda copy: self._rank(copy, names))

    def best(self, copies: list[int], names: list[str]) -> list[int]:
        """The copies that could be the first of `sort`: they may differ in what is not kept here, such as the body."""
        first = min(self._rank(copy, names) for copy in copies)
        return [copy for copy in copies if self._rank(copy, names) == first]

    def _rank(self, copy: int, names: list[str]) -> tuple[str, int, int, bytes, bytes]:
        subject, author = self.texts[self.subjects[copy]], self.texts[self.authors[copy]]
        return names[self.lists[copy]], self.seconds[copy], self.zones[copy], subject, author

    def date(self, copies: list[int]) -> tuple[int, int]:
        """The earliest date that these copies state, and its zone; (`MISSING`, 0) if none can be read."""
        if len(copies) == 1:
            return self.seconds[copies[0]], self.zones[copies[0]]
        stated = [(self.seconds[copy], self.zones[copy]) for copy in copies if self.seconds[copy] != MISSING]
        return min(stated, default=(MISSING, 0))

    def variants(self, copies: list[int]) -> int:
        """How many unrelated contents: copies with an equal base subject or an equal body belong together."""
        bodies = {self.bodies[copy] for copy in copies}
        if len(copies) < 2 or (len(bodies) == 1 and UNREAD not in bodies):
            return min(1, len(copies))
        if len({self.subjects[copy] for copy in copies}) == 1:
            return 1
        bases = [base_subject(decode_text(self.texts[self.subjects[copy]]))[0].casefold() for copy in copies]
        if len(set(bases)) == 1:
            return 1
        return count_variants(zip(bases, map(self._body, copies), strict=True))
