"""What became of a folder or repository since it was read: which of its messages are new, have moved, or are gone.

In these every message has a name of its own: a file, or a blob of git.  An index remembers the names that it has read
(`weft.store.entries`) and a few bytes of which the source says what they mean; so only what is new is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from weft.sources.interface import Notes, Source


class KnownNames(Protocol):
    """The names of messages that were read from a source and were there when it was looked at last."""

    def all(self) -> set[bytes]:
        """All of them."""

    def below(self, folder: bytes) -> set[bytes]:
        """Those that begin with ``folder``, without it."""

    def starting(self, fronts: Collection[bytes]) -> set[bytes]:
        """Those that begin with one of some byte strings of the same length."""


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """What is different now."""

    added: Sequence[bytes]
    """The names of messages that were not read yet, in the order in which they are to be read."""
    state: bytes
    """What to remember once they are read; empty: look at everything again the next time."""
    moved: Sequence[tuple[bytes, bytes]] = ()
    """Old and new names of messages that are the same by their names."""
    gone: Collection[bytes] = field(default=())
    """The names of messages that are not there any more; none where that is not sure."""


class ListedSource(Source, Protocol):
    """A source whose messages have names."""

    def changes(self, before: bytes, known: KnownNames, notes: Notes) -> SourceChanges | None:
        """What is different since ``before``, the state that was remembered (empty: none); None if nothing is.

        `SourceError` or `OSError` if nothing of it can be read.
        """

    def choose(self, first: int, names: Sequence[bytes]) -> None:
        """Scan these messages and no others; they are numbered from ``first`` on, and a number is a record's place."""

    def can_read(self, name: bytes) -> bool:
        """Whether a message can be read, whatever is in it."""

    def fetch_name(self, name: bytes, length: int) -> bytes:
        """The message of a name, as `Source.fetch` gives it; ``length`` as in the record."""
