"""The copies of messages that a rebuild has seen, as columns: about 60 octets each beside their texts.

A copy is known by (id, list, content): reading the same file twice adds nothing.  Copies of one id form a chain through
``after``.  Subjects and authors are kept once each.  Everything that is read out is sorted by what the copies say,
never by when they came, so that the order of the input leaves no trace.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from weft.core.date import MISSING
from weft.core.subject import base_subject, decode_text
from weft.sources.base import Record

_CROWD = 8
"""With more copies than this, an id gets a set of its contents, so that a flood of copies stays linear."""


class Copies:
    """Columns over copies ``0..n-1``; see the module."""

    def __init__(self) -> None:
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
        self.unreadable_dates: dict[int, bytes] = {}
        self._texts: dict[bytes, int] = {}
        self._crowds: dict[int, set[tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self.after)

    def grow(self, nodes: int) -> None:
        """Make room for nodes below ``nodes``."""
        missing = nodes - len(self.first)
        if missing > 0:
            self.first.extend([-1] * missing)

    def text(self, octets: bytes) -> int:
        """The number of a subject or author."""
        known = self._texts.get(octets)
        if known is None:
            known = self._texts[octets] = len(self.texts)
            self.texts.append(octets)
        return known

    def seal(self) -> None:
        """No more copies will come: let go of what only adding needs."""
        self._texts = {}
        self._crowds = {}

    def known(self, node: int, list_number: int, content: int) -> bool:
        """Whether this very copy is here already."""
        crowd = self._crowds.get(node)
        if crowd is not None:
            return (list_number, content) in crowd
        copy, length = self.first[node], 0
        while copy >= 0:
            if self.contents[copy] == content and self.lists[copy] == list_number:
                return True
            copy = self.after[copy]
            length += 1
        if length > _CROWD:
            self._crowds[node] = {(self.lists[copy], self.contents[copy]) for copy in self.of(node)}
        return False

    def add(self, node: int, list_number: int, source: int, record: Record) -> None:
        """Append a copy that is not `known`."""
        offset, length, _, _, _, _, date, seconds, zone, subject, author, body, content = record
        number = len(self.after)
        self.after.append(self.first[node])
        self.first[node] = number
        self.lists.append(list_number)
        self.sources.append(source)
        self.offsets.append(offset)
        self.lengths.append(length)
        self.subjects.append(self.text(subject))
        self.authors.append(self.text(author))
        self.seconds.append(seconds)
        self.zones.append(zone)
        self.bodies.append(body)
        self.contents.append(content)
        if date:
            self.unreadable_dates[number] = date
        if node in self._crowds:
            self._crowds[node].add((list_number, content))

    def of(self, node: int) -> list[int]:
        """The copies of a node, latest first."""
        copies, copy = [], self.first[node]
        while copy >= 0:
            copies.append(copy)
            copy = self.after[copy]
        return copies

    def sort(self, copies: list[int], names: list[str]) -> list[int]:
        """By list name, then by what they say: the first is the one that is shown."""
        if len(copies) == 1:
            return copies
        return sorted(
            copies,
            key=lambda copy: (
                names[self.lists[copy]],
                self.seconds[copy],
                self.texts[self.subjects[copy]],
                self.texts[self.authors[copy]],
            ),
        )

    def date(self, copies: list[int]) -> tuple[int, int]:
        """The earliest date that these copies state, and its zone; (`MISSING`, 0) if none can be read."""
        if len(copies) == 1:
            return self.seconds[copies[0]], self.zones[copies[0]]
        stated = [(self.seconds[copy], self.zones[copy]) for copy in copies if self.seconds[copy] != MISSING]
        return min(stated, default=(MISSING, 0))

    def variants(self, copies: list[int], decode: Callable[[bytes], str] = decode_text) -> int:
        """How many unrelated contents: copies with an equal base subject or an equal body belong together."""
        if len(copies) < 2 or len({self.bodies[copy] for copy in copies}) == 1:
            return min(1, len(copies))
        groups: dict[str | int, str | int] = {}

        def top(key: str | int) -> str | int:
            while groups.setdefault(key, key) != key:
                groups[key] = key = groups[groups[key]]
            return key

        for copy in copies:
            base = base_subject(decode(self.texts[self.subjects[copy]]))[0].casefold()
            groups[top(base)] = top(self.bodies[copy])
        return sum(key == parent for key, parent in groups.items())
