"""How far a folder or repository was read: its messages by name, and what to do about those that are gone from it.

Theory of operation
-------------------
What is new is known before anything is read (`weft.sources.source_changes`), and gets numbers.  The names of messages
are remembered with the claims that were made of them, in the same transaction; so a run that was interrupted goes on
where it ended.  Once all are read, what the source said of itself is remembered, and files have moved or are gone.  As
long as only some are, nothing is remembered of what the source said: these may be gone before the next run, which then
compares all names.
What could not be read is not remembered, and the source is looked at again the next time.

A message that is gone from its source keeps its claim, unless such claims are to be withdrawn; then it is withdrawn if
no other message of any source made it, as far as is known.  If it comes back, it is stated again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from weft.core.claim import Claim
from weft.index.editions import current_edition
from weft.index.view import View
from weft.sources.folder import Folder
from weft.sources.interface import Source
from weft.sources.list_id import ByListId
from weft.sources.public_inbox import PublicInbox
from weft.sources.source_changes import ListedSource, SourceChanges
from weft.store.entries import FileEntries, claimed_at
from weft.store.interface import StoredClaim, read_claim


def inner_source(source: Source) -> Source:
    """The source itself, where its mail is filed by List-Id."""
    return source.source if isinstance(source, ByListId) else source


def list_of(source: Source) -> str:
    """The list that all mail of a source belongs to; empty if its messages name theirs."""
    return "" if isinstance(source, ByListId) else source.list


def is_listed(source: Source) -> TypeGuard[ListedSource]:
    """Whether the messages of a source have names."""
    return isinstance(source, (Folder, PublicInbox))


class ListedProgress:
    """What is read of one source in one run."""

    def __init__(self, source: ListedSource, changes: SourceChanges, first: int) -> None:
        """``first``: the number of the first message that is new."""
        self._source = source
        self._changes = changes
        self._first = first
        self._read = bytearray(len(changes.added))
        self.gone = 0
        """How many messages are gone from it."""
        source.choose(self._first, changes.added)

    @property
    def size(self) -> int:
        """How many messages are new."""
        return len(self._changes.added)

    def keep(self, entries: FileEntries, positions: Iterable[tuple[int, int | None]]) -> None:
        """Remember messages that were read: (number, position of the claim; None if none was made of it)."""
        entries.add(self._row(number, position) for number, position in positions)

    def finish(self, entries: FileEntries) -> bytes:
        """All has been read; what to remember of the source."""
        unread = [number for number, read in enumerate(self._read, self._first) if not read]
        names = self._changes.added
        empty = [number for number in unread if self._source.can_read(names[number - self._first])]
        entries.add([self._row(number, None) for number in empty])
        entries.move(self._changes.moved)
        self.gone = entries.leave(self._changes.gone)
        return self._changes.state if len(empty) == len(unread) else b""

    def _row(self, number: int, position: int | None) -> tuple[int, int | None, bytes]:
        self._read[number - self._first] = True
        return number, position, self._changes.added[number - self._first]


def gone_claims(
    connection: sqlite3.Connection, view: View, files: Mapping[int, str], origin: bytes
) -> list[tuple[bytes, Claim]]:
    """The claims of our own that no message of some sources makes any more, as (claim id, claim); then these messages
    are forgotten.

    ``files``: the numbers of the sources, with the list that the mail of each belongs to; empty if it names its lists.
    """
    found: dict[bytes, Claim] = {}
    for file, name in files.items():
        entries = FileEntries(connection, file)
        gone = entries.gone()
        if not gone:
            continue
        left = claimed_at(connection, {one.position for one in gone})
        alone = [one for one in gone if one.position not in left]
        for held in view.store.at(sorted({one.position for one in alone})):
            claim = read_claim(held)
            if isinstance(claim, Claim) and claim.origin == origin and not _lies_elsewhere(held, file):
                claim = claim._replace(list=name.encode()) if name else claim  # it may have been renamed since
                edition = current_edition(claim.first_edition, view.withdrawn)
                if edition is not None:
                    found[edition.identity] = edition.claim
        entries.forget(gone)
    standing = view.store.holds(list(found))
    return [(identity, claim) for identity, claim in found.items() if identity in standing]


def _lies_elsewhere(held: StoredClaim, file: int) -> bool:
    return held.place is not None and held.place.file != file
