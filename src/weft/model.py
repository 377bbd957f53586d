"""Threads as people and programs see them: messages in display order, and the reply graph.

What an index answers with, beside threads.

What a client gets, beside threads and what an index answers with (`weft.model`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import networkx
from collections.abc import Mapping
from dataclasses import field

from weft._text import count, name_counts, noun


class Copy(NamedTuple):
    """One copy of a message, as one list saw it.  Text may hold surrogate escapes; nothing in it is cleaned."""

    list: str
    subject: str
    author: str
    date: str | None
    """RFC 3339, or None if it is missing or cannot be read."""
    origin: str | None = None
    """The fingerprint of who says so; None in a rebuild."""


class Message(NamedTuple):
    """One node of a thread (a named tuple: they are built by the million).

    Who can lie: authors about everything but ``depth``, ``variants`` and the lists; see `weft.render.sanitize` before
    any of it reaches a screen.
    """

    id: str
    """Without angle brackets; bytes that are not UTF-8 as surrogate escapes."""
    parent: str | None
    depth: int
    ghost: bool
    """Nobody here has seen it."""
    contested: bool
    """The best claims disagree about its parent, so it has none; ``rivals`` are what they state."""
    variants: int
    """How many unrelated contents stand under this id: 1, or 0 for a ghost."""
    date: str | None
    """RFC 3339, the earliest of its copies; None for a ghost, and if missing or unreadable."""
    author: str
    subject: str
    copies: tuple[Copy, ...]
    """Sorted by list; the first is the one that is shown."""
    rivals: tuple[str | None, ...] = ()
    cut: str | None = None
    """The parent whose edge was cut because it closed a cycle."""
    named: int = 0
    """For a ghost: in how many copies of other messages it is named."""
    named_on: tuple[str, ...] = ()
    """For a ghost: the lists of those copies, sorted."""
    joined: bool = False
    """Its edge (or, for a ghost, the node itself) comes from joining equal subjects, not from anybody's headers."""
    stated_date: str = ""
    """The Date field as it stands, if it could not be read."""
    muted: bool = False
    """For a ghost: copies of it are here, and the policy mutes them."""
    rival_replies: tuple[str, ...] = ()
    """Contested messages that name this one as a rival parent; each is a root.  Sorted."""
    aliases: tuple[str, ...] = ()
    """Other ids that count as this one here, sorted: what refers to one of them is a reply to this message."""
    guessed: bool = False
    """The subject or the author that is shown holds 8-bit text of which nothing says the charset: it is a guess."""

    ahead: bool = False
    """Its date is in the future of the archive: more than a year behind the year of its newest mail."""

    @property
    def implausible_date(self) -> bool:
        """Its date is before 1970, or in the future of the archive: it is shown as stated, and puts no thread first."""
        if self.ahead:
            return True
        if self.date is None or self.date >= "1970-01-02":  # as nearly always
            return False
        try:
            return datetime.fromisoformat(self.date).timestamp() < 0
        except ValueError:
            return False

    @property
    def hearsay(self) -> bool:
        """Its place is hearsay: nobody here has seen it, and only the References of others say what stands above it."""
        return self.ghost and self.parent is not None and not self.joined

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that hold a copy, sorted, each once."""
        return tuple(dict.fromkeys(copy.list for copy in self.copies))


class AskedFeed(NamedTuple):
    """A feed of another server, and who was asked about a thread in it."""

    feed: str
    of: tuple[str, ...]
    """The fingerprints of the peers that were asked: each carries the feed whole, and together they were asked about
    every id of the thread."""
    upto: str
    """When the oldest of the answers that are needed was complete: RFC 3339, in UTC."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How complete a thread can be, relative to the policy of the server that shows it.

    Each feed (``ORIGIN/LIST``) that the policy admits is in one of the first four; ``ORIGIN/*`` stands for all lists of
    an origin that are not named beside it.  Nobody can prove that there is no more: a peer that was asked can withhold.

    ``carried``       held whole, because it is the server's own
    ``partly``        claims are held or some ids were asked about, but nobody who carries it whole was asked about all
    ``never_asked``   nothing is held, and nobody who carries it whole was asked about any id of the thread
    ``asked``         peers that carry it whole were asked about every id of the thread; sorted by feed
    ``cut``           fingerprints of peers that were not asked about all of the thread, because it is too large
    ``nobody_holds``  ids of which no claim is here, nor with anybody who was asked; empty unless `complete`
    """

    carried: tuple[str, ...]
    partly: tuple[str, ...]
    never_asked: tuple[str, ...]
    asked: tuple[AskedFeed, ...] = ()
    cut: tuple[str, ...] = ()
    nobody_holds: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Every feed that the policy admits is held whole, or those who carry it whole were asked about every id."""
        return not self.partly and not self.never_asked

    @property
    def origins_named(self) -> frozenset[str]:
        """The origins of which single lists are named, so that ``ORIGIN/*`` stands for the others."""
        feeds = (*self.partly, *self.never_asked, *(one.feed for one in self.asked))
        return frozenset(feed.partition("/")[0] for feed in feeds if not feed.endswith("/*"))


@dataclass(frozen=True, slots=True)
class Thread:
    """One tree of the forest: ``messages`` depth first, children by (date, id), the root first."""

    messages: tuple[Message, ...]
    digest: str
    """SHA-256 (hex), equal for equal trees whatever the order of input.

    In a rebuild it is over ids and edges, in an index also over the ids of the claims.
    """
    coverage: Coverage | None = None
    """How complete it can be; None in a rebuild, which knows only what it read."""

    @property
    def root(self) -> str:
        """The id of the root."""
        return self.messages[0].id

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists of all its messages, sorted, each once."""
        return tuple(sorted({name for message in self.messages for name in message.lists}))

    @property
    def graph(self) -> networkx.DiGraph[str]:
        """The reply graph: a node for each id with typed attributes, an edge from each parent to its child.

        Node attributes: ``ghost``, ``contested`` (bool), ``variants``, ``depth`` (int), ``date``, ``author``,
        ``subject`` (str, empty if unknown), ``lists`` (tuple of str).  Edge attributes: ``joined``, ``hearsay`` (bool).
        """
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph(root=self.root)
        for message in self.messages:
            graph.add_node(message.id, **_attributes(message))
        for message in self.messages:
            if message.parent is not None:
                graph.add_edge(message.parent, message.id, joined=message.joined, hearsay=message.hearsay)
        return graph


def _attributes(message: Message) -> dict[str, Any]:
    return {
        "ghost": message.ghost,
        "contested": message.contested,
        "variants": message.variants,
        "depth": message.depth,
        "date": message.date or "",
        "author": message.author,
        "subject": message.subject,
        "lists": message.lists,
    }


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: ``messages`` read, ``claims`` that are new, ``unchanged`` files that were not read again."""

    messages: int
    claims: int
    unchanged: int
    grown: int
    skipped: int
    doubts: str = ""
    """What to say of lines that may begin a message (`weft.sources.interface.NoteLog`)."""
    by_list: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The messages read of each list."""
    gone: int = 0
    """Messages that are not in their folders and repositories any more."""
    withdrawn: int = 0
    """Claims that were withdrawn for that."""

    def __str__(self) -> str:
        """On one line; of the other numbers those that are not 0."""
        ends = noun(self.grown, "its end was", "their ends were")
        others = [
            f"{count(self.unchanged, 'file')} unchanged" if self.unchanged else "",
            f"{self.grown} grown (only {ends} read)" if self.grown else "",
            f"{self.gone} gone" if self.gone else "",
            f"{count(self.withdrawn, 'claim')} withdrawn" if self.withdrawn else "",
            f"{self.skipped} skipped" if self.skipped else "",
        ]
        rest = ", ".join(filter(None, others))
        return (
            f"{count(self.messages, 'message')} read{name_counts(self.by_list)}, {count(self.claims, 'new claim')}"
            + (rest and f"; {rest}")
            + (self.doubts and f"; {self.doubts}")
        )


@dataclass(frozen=True, slots=True)
class ClaimStatement:
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
    aliases: tuple[str, ...] = ()
    """Other ids that the mail states for itself: hints."""


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
    statements: tuple[ClaimStatement, ...]
    witnesses: tuple[Witness, ...]
    rivals: tuple[str | None, ...]
    children: tuple[str, ...]
    lookalikes: tuple[str, ...]
    """Other ids that are here and differ from this one only in case or punctuation."""
    coverage: Coverage
    alias_of: tuple[str, ...] = ()
    """Messages here that state this id as another one of theirs, sorted."""
    aliases: tuple[str, ...] = ()
    """Other ids that count as this one by the policy, sorted."""


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


class SearchResults(list[Found]):
    """The messages that a search found."""

    incomplete = False
    """What came into the log last cannot be searched yet, so that some messages may be missing."""


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


class ThreadDigest(NamedTuple):
    """One tree of a common view.  ``digest``: the first `DIGEST_BYTES` of its thread digest, as hex."""

    root: str
    digest: str


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """One thread of a list of threads, as a server states it or an index has it.

    ``messages`` are held there, ``ghosts`` are not; ``newest`` is RFC 3339, or None if no message has a date.  An index
    reads no claims but those of the first message: there ``digest`` is empty, ``ghosts`` are those that have a held
    message below them, and ``newest`` is the date by which the thread is listed, in UTC.
    """

    root: str
    digest: str
    messages: int
    ghosts: int
    lists: tuple[str, ...]
    subject: str
    author: str
    newest: str | None


class MonthSummary(NamedTuple):
    """How many threads have their newest message in a month of UTC."""

    year: int
    month: int
    threads: int


@dataclass(frozen=True, slots=True)
class ListSummary:
    """One list, of whatever origins.

    ``copies``: the claims about mail on it that stand; ``newest``: when the newest message of its threads was written,
    RFC 3339 in UTC, None if nobody knows; ``origins``: the fingerprints of those who state it.
    """

    name: str
    threads: int
    copies: int
    newest: str | None
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogChange:
    """A claim that came into the log of a server, and what it did.

    ``causes``: of ``new claim``, ``ghost filled``, ``contested``, ``cycle``, ``withdrawal``; the first or the last of
    these always, and what else is true.
    """

    position: int
    causes: tuple[str, ...]
    id: str
    root: str
    claim: str
    origin: str
    list: str


@dataclass(frozen=True, slots=True)
class CommonSummary:
    """The common view of a server as a whole: all admitted claims in one tier, nothing muted.

    ``common_view`` is hex: if that of two servers is equal, so are all their threads there; ``threads``: how many,
    without those that are one ghost; ``position``: the end of the server's log then; ``version``: what
    `weft.client.client.Client.trees` takes.
    """

    common_view: str
    threads: int
    position: int
    version: bytes


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed that a server holds."""

    origin: str
    list: str
    claims: int
    tier: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """Who a server is, and what it holds.

    ``position`` is the end of its log, ``viewed`` how far its view has seen it; ``digest`` is hex, and empty if it was
    not asked for: equal sets of claims have equal digests.
    """

    version: str
    origin: str
    feeds: tuple[FeedStatus, ...]
    position: int
    viewed: int
    digest: str
