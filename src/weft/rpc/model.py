"""What a client gets, beside threads and what an index answers with (`weft.index.model`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """One thread of a list of threads, as the server states it.

    ``messages`` are held there, ``ghosts`` are not; ``newest`` is RFC 3339, or None if no message has a date.
    """

    root: str
    digest: str
    messages: int
    ghosts: int
    lists: tuple[str, ...]
    subject: str
    author: str
    newest: str | None


@dataclass(frozen=True, slots=True)
class Change:
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
    `weft.rpc.client.Client.trees` takes.
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
class Status:
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
