"""Mail of several lists in one folder, filed by its List-Id header fields (RFC 2919).

Only where the operator says so: the field is the sender's word, so that anyone may file a message under any list.  Mail
without one, or with two that differ, or with one that cannot name a list, belongs to the list of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from weft._patterns import deferred
from weft.sources.interface import Notes, RecordMaker, Source, T, check_list_name
from weft.sources.lists import SeveralLists

_FIELD = deferred(rb"^list-id[ \t]*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_BRACKETS = deferred(rb"<([^<>]*)>[^<>]*$")
_BARE = deferred(rb"[!#-'*-+./0-9=?A-Z^-~-]+")


def list_id(header: bytes) -> str | None:
    """The list that a header block names, in lower case (RFC 2919, section 6); None if it names none or several."""
    names = {_name(value) for value in _FIELD.findall(header)}
    return names.pop() if len(names) == 1 else None


def _name(value: bytes) -> str | None:
    bracketed = _BRACKETS.search(value)
    found = bracketed[1] if bracketed else value
    word = b"".join(found.split())
    if not bracketed and not _BARE.fullmatch(found.strip()):
        return None
    try:
        return check_list_name(word.decode().lower())
    except ValueError:  # not UTF-8, or not a name
        return None


@dataclass(frozen=True, slots=True)
class _WithListId(Generic[T]):
    """What ``make`` makes, with the list that the message names."""

    make: RecordMaker[T]

    def __call__(
        self,
        buffer: bytes | bytearray,
        start: int,
        header_end: int,
        body: tuple[int, int],
        place: tuple[int, int],
        /,
        *,
        mbox: bool,
        again: bool = False,
    ) -> tuple[str | None, T]:
        name = list_id(bytes(memoryview(buffer)[start:header_end]))
        return name, self.make(buffer, start, header_end, body, place, mbox=mbox, again=again)


class ByListId(SeveralLists):
    """A source whose mail is filed by List-Id; what has none belongs to its list."""

    named_by_place = False

    def __init__(self, source: Source) -> None:
        self.source = source
        self.path = source.path
        self.list = source.list

    @property
    def form(self) -> str:
        """That of the source."""
        return self.source.form

    @property
    def size(self) -> int:
        """That of the source."""
        return self.source.size

    @property
    def escaped(self) -> bool:
        """As the source says."""
        return self.source.escaped

    def scan_lists(self, notes: Notes, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        """(list, what ``make`` makes) of all messages, in file order."""
        for name, made in self.source.scan(notes, _WithListId(make)):
            yield name or self.list, made

    def fetch(self, offset: int, length: int) -> bytes:
        """As the source does."""
        return self.source.fetch(offset, length)


def file_by_list_id(sources: Sequence[Source]) -> list[Source]:
    """The same sources, filed by List-Id."""
    return [ByListId(source) for source in sources]
