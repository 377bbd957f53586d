"""What the acts found out.  Each class is one object of ``weft demo --json``, under `KEYS`; fields are its keys.

Numbers of messages are those of the conversation, and leave out ghosts, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from weft.model import Thread


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that has to come true."""

    promise: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A server: its petname, the fingerprint of its key, its list with all messages and threads of it."""

    name: str
    fingerprint: str
    list: str
    messages: int
    threads: int
    address: str
    process: int


@dataclass(frozen=True, slots=True)
class Cast:
    """Act 1: who is there."""

    folder: str
    servers: tuple[Member, ...]
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What a server alone has of the conversation: ``ids`` it holds, ``ghosts`` it can name, and the rest, of which
    it has no sign."""

    name: str
    messages: int
    ghosts: int
    no_sign: int
    ids: frozenset[str]
    ghost_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Alone:
    """Act 2: what each shows alone.  ``whole`` is the tree that all three files make together, which nobody has yet."""

    root: str
    messages: int
    ghosts: int
    pairs: int
    """The most that any two of them have together."""
    servers: tuple[Share, ...]
    whole: Thread
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class SyncSession:
    """One session of ``weft sync``: who called whom, and what it says of it."""

    caller: str
    answerer: str
    report: Mapping[str, Any]

    def number(self, key: str) -> int:
        """A figure of the report."""
        return int(self.report.get(key) or 0)

    @property
    def claims(self) -> int:
        """Claims, both ways."""
        return self.number("claims_in") + self.number("claims_out")


@dataclass(frozen=True, slots=True)
class Learned:
    """What a server has more than before: messages of the conversation, and claims (copies) of others."""

    name: str
    messages: int
    claims: int
    threads: int
    """All threads that it has now, in the common view."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Act 3: each asks the others for the rest of its own threads."""

    sessions: tuple[SyncSession, ...]
    learned: tuple[Learned, ...]
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Act 4: the whole, on all of them.  ``digests`` are thread digests in the common view, ``asked`` says for each
    server whether it has asked everybody whose word it takes about every id of the tree."""

    messages: int
    ghosts: int
    digests: Mapping[str, str]
    asked: Mapping[str, bool]
    edges: int
    stated: int
    """Edges that the message states itself; of the others the child is a ghost."""
    nobody_holds: tuple[str, ...]
    shown_by: str
    names: Mapping[str, str]
    thread: Thread
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Act 5: one server is stopped; what the others show."""

    name: str
    process: int
    exit_code: int
    messages: Mapping[str, int]
    digests: Mapping[str, str]
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class Lie:
    """Act 6: a forged mail.  ``parent``: where it stands; ``moved``: for each server how many ids have another parent
    than before; ``said_by``: (list, server) of all claims about it; ``shown``: whether each server shows it at last."""

    id: str
    list: str
    parent: str
    names: tuple[str, ...]
    moved: Mapping[str, int]
    other_thread: int
    """Messages of the thread that it tried to drag in, afterwards."""
    via: str
    said_by: tuple[tuple[str, str], ...]
    claim: str
    explanation: str
    muted_by: str
    shown: Mapping[str, bool]
    promises: tuple[Promise, ...] = ()


Act = Cast | Alone | Exchange | Together | Stopped | Lie

KEYS: Mapping[type[Act], str] = {
    Cast: "who",
    Alone: "alone",
    Exchange: "exchange",
    Together: "together",
    Stopped: "stopped",
    Lie: "lie",
}


def to_json(fact: object) -> object:
    """An act, or anything in one, for programs.  Threads are left out: ``weft show --json`` has them."""
    if isinstance(fact, SyncSession):
        return {"caller": fact.caller, "answerer": fact.answerer, **fact.report}
    if isinstance(fact, (frozenset, tuple)):
        return [to_json(one) for one in (sorted(fact) if isinstance(fact, frozenset) else fact)]
    if isinstance(fact, Mapping):
        return {str(key): to_json(value) for key, value in fact.items()}
    if isinstance(fact, _CLASSES):
        values = {field.name: getattr(fact, field.name) for field in fields(fact)}
        return {name: to_json(value) for name, value in values.items() if not isinstance(value, Thread)}
    return fact


_CLASSES = (Promise, Member, Cast, Share, Alone, Learned, Exchange, Together, Stopped, Lie)
