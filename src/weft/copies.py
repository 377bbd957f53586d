"""The copies of messages that a rebuild has seen, as columns: about 60 bytes each beside their texts.

A copy is known by (id, list, content): reading the same file twice adds nothing, and of several places the first is
kept.  Copies of one id form a chain through ``after``.  Subjects and authors are kept once each.  Everything that is
read out is sorted by `weft.core.representative.Rank`, never by when a copy came, so that neither the order of the
arguments nor the number of processes leaves a trace.

Bodies that were not read (`weft.sources.interface.make_outline`) are read when two of them have to be compared: those
of copies of one id on one list, and those of copies whose subjects differ.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from weft.core.author import decode_author
from weft.core.date import earliest
from weft.core.forest import IdNumbers
from weft.core.representative import Content, Rank, count_variants
from weft.core.sender import read_sender
from weft.core.subject import base_subject, decode_text
from weft.sources.interface import UNREAD

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
        self._texts = IdNumbers(self.texts)
        self._crowds: dict[int, dict[tuple[int, int], int]] = {}

    def __len__(self) -> int:
        return len(self.after)

    def by_list(self, names: Sequence[str]) -> dict[str, int]:
        """How many there are on each list, by name."""
        counts = Counter(self.lists)
        return {name: counts[number] for number, name in enumerate(names)}

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
        read: dict[int, int] = {}
        places = zip(nodes, columns[0], columns[1], columns[12], strict=True)
        for index, (node, offset, length, content) in enumerate(places):
            latest = first[node]
            if latest >= 0:
                body = UNREAD
                if content == UNREAD and self._shares_list(node, list_number):
                    body, content = self._read(source, offset, length)
                if content != UNREAD:
                    known = self._known(node, list_number, content)
                    if known >= 0:
                        self._place(known, source, offset, length)
                        continue
                if body != UNREAD:
                    read[len(after)] = body
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
        for copy, body in read.items():
            self.bodies[copy] = body
        return new

    def _place(self, copy: int, source: int, offset: int, length: int) -> None:
        """A copy was found once more: of all its places the first is kept, whichever was read first."""
        if (source, offset) < (self.sources[copy], self.offsets[copy]):
            self.sources[copy], self.offsets[copy], self.lengths[copy] = source, offset, length

    def _append(self, columns: Sequence[Sequence[Any]]) -> None:
        _, _, _, _, _, _, dates, seconds, zones, subjects, authors, bodies, *_ = columns
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
            place = self.sources[copy], self.offsets[copy], self.lengths[copy]
            body, self.contents[copy] = self._read(*place)
            if copy < len(self.bodies):  # else it is about to be appended
                self.bodies[copy] = body
        return self.contents[copy]

    def _body(self, copy: int) -> int:
        if self.bodies[copy] == UNREAD:
            self.bodies[copy], _ = self._read(self.sources[copy], self.offsets[copy], self.lengths[copy])
        return self.bodies[copy]

    def _known(self, node: int, list_number: int, content: int) -> int:
        """The copy of a node that says this on this list; -1 if it is not here, which is remembered of a crowd."""
        crowd = self._crowds.get(node)
        if crowd is None:
            copies = self.of(node)
            for copy in copies:
                if self.lists[copy] == list_number and self._content(copy) == content:
                    return copy
            if len(copies) <= _CROWD:
                return -1
            crowd = self._crowds[node] = {(self.lists[copy], self._content(copy)): copy for copy in copies}
        known = crowd.setdefault((list_number, content), len(self.after))
        return known if known < len(self.after) else -1

    def of(self, node: int) -> list[int]:
        """The copies of a node, latest first."""
        copies, copy = [], self.first[node]
        while copy >= 0:
            copies.append(copy)
            copy = self.after[copy]
        return copies

    def sort(self, copies: list[int], names: list[str]) -> list[int]:
        """By rank: the first is the one that is shown."""
        return copies if len(copies) == 1 else sorted(copies, key=lambda copy: self._rank(copy, names))

    def _rank(self, copy: int, names: list[str]) -> Rank:
        return Rank(0, names[self.lists[copy]].encode(), b"", (self.sources[copy], self.offsets[copy]))

    def date(self, copies: list[int]) -> tuple[int, int]:
        """The earliest date that these copies state, and its zone; (`MISSING`, 0) if none can be read."""
        if len(copies) == 1:
            return self.seconds[copies[0]], self.zones[copies[0]]
        return earliest((self.seconds[copy], self.zones[copy]) for copy in copies)

    def variants(self, copies: list[int], names: list[str]) -> int:
        """How many different contents (`weft.core.representative`)."""
        if len(copies) < 2:
            return len(copies)
        crowded = len({self.lists[copy] for copy in copies}) < len(copies)
        same_author = len({self.authors[copy] for copy in copies}) == 1
        if same_author and not crowded and len({self.subjects[copy] for copy in copies}) == 1:
            return 1
        bases = [base_subject(decode_text(self.texts[self.subjects[copy]]))[0].casefold() for copy in copies]
        if crowded or len(set(bases)) > 1:
            bodies = list(map(self._body, copies))
            if same_author and len(set(bodies)) == 1:
                return 1
        else:  # on different lists, with one subject: bodies do not matter
            bodies = [0] * len(copies)
        lists = [self.lists[copy] for copy in copies]
        senders = [
            read_sender(decode_author(self.texts[self.authors[copy]]), names[number])
            for copy, number in zip(copies, lists, strict=True)
        ]
        return count_variants(map(Content, lists, senders, bases, bodies))
