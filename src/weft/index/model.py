"""What an index answers with, beside threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from weft.plural import count, name_counts, noun
from weft.thread import Coverage


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: ``messages`` read, ``claims`` that are new, ``unchanged`` files that were not read again."""

    messages: int
    claims: int
    unchanged: int
    grown: int
    skipped: int
    doubts: str = ""
    """What to say of lines that may begin a message (`weft.sources.base.NoteLog`)."""
    by_list: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The messages read of each list."""

    def __str__(self) -> str:
        """On one line; of the last three numbers those that are not 0."""
        ends = noun(self.grown, "its end was", "their ends were")
        others = [
            f"{count(self.unchanged, 'file')} unchanged" if self.unchanged else "",
            f"{self.grown} grown (only {ends} read)" if self.grown else "",
            f"{self.skipped} skipped" if self.skipped else "",
        ]
        rest = ", ".join(filter(None, others))
        return (
            f"{count(self.messages, 'message')} read{name_counts(self.by_list)}, {count(self.claims, 'new claim')}"
            + (rest and f"; {rest}")
            + (self.doubts and f"; {self.doubts}")
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim, as `Explanation` tells of it.  Who can lie: the origin about all of it, the author about its headers.

    ``parent``  what it states as the parent of its message; None: no parent
    ``rule``    which header said so: ``in-reply-to``, ``references``, ``none``
    ``hidden``  why it does not count here (withdrawn, muted, not admitted), or empty
    """

    claim: str
    origin: str
    list: str
    tier: int | None
    message_id: str
    parent: str | None
    rule: str
    date: str
    subject: str
    author: str
    archived_at: str
    batch: str
    """The Merkle root that its origin signed, as hex."""
    position: int
    hidden: str = ""
    body: str = ""
    """The digest of the body, as hex, or empty: copies with equal ones have equal texts."""
    weak: tuple[tuple[str, bool], ...] = ()
    """Its weak ids, and whether each counts: whether some claim of the view is about it."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A claim about another message whose References put a parent before the id that is explained."""

    claim: str
    origin: str
    list: str
    tier: int
    message_id: str
    parent: str | None
    gap: int
    counts: bool
    """It is of the best tier and the smallest gap: if all that count agree, that is the parent."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who says what about one id.

    ``rule`` is the one that decided the edge: ``own headers`` (all best claims agree), ``contested`` (they do not, so
    it has no parent), ``witnesses`` (a ghost: the nearest witnesses agree), ``witnesses disagree``, ``nobody says``,
    ``cycle cut``, ``muted``.
    """

    message_id: str
    root: str
    parent: str | None
    rule: str
    ghost: bool
    statements: tuple[Statement, ...]
    witnesses: tuple[Witness, ...]
    rivals: tuple[str | None, ...]
    children: tuple[str, ...]
    lookalikes: tuple[str, ...]
    """Other ids that are here and differ from this one only in case or punctuation."""
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search found."""

    message_id: str
    root: str
    list: str
    date: str | None
    author: str
    subject: str
    variants: int = 1
    """How many different contents stand under its id; this is what one of the copies says."""


@dataclass(frozen=True, slots=True)
class ListInfo:
    """One feed that is held."""

    list: str
    origin: str
    own: bool
    claims: int
    tier: int | None


@dataclass(frozen=True, slots=True)
class EdgeDifference:
    """An id whose parent differs between two views; None: no parent."""

    message_id: str
    first: str | None
    second: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `Index.check` found.  ``derived``: repair mends it; else it names what is lost."""

    what: str
    derived: bool
