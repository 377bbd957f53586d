"""The six acts: what is done to the three servers, and what is then true of them.

Each act asks the servers themselves, as any client can; what it expects comes from `weft.rebuild` of the three files,
which knows nothing of servers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Self

from weft.archive import rebuild
from weft.client.client import Client
from weft.demo.mail import FORGED, FORGED_ID, LISTS, NAMED_ID, ROOT, read_mail
from weft.demo.results import (
    Act,
    Alone,
    Cast,
    Exchange,
    Learned,
    Lie,
    Member,
    Promise,
    Share,
    Stopped,
    SyncSession,
    Together,
)
from weft.demo.servers import PATIENCE, DemoServer
from weft.model import Thread

Parents = dict[str, str | None]


class Stage:
    """The servers, in a folder; a context manager, at whose end none of them runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[DemoServer] = []
        self._before: dict[str, Parents] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()

    def acts(self) -> Iterator[Act]:
        """Play one act after the other."""
        cast = self._cast()
        yield cast
        alone = self._alone()
        yield alone
        yield self._exchange(cast, alone)
        yield self._together(alone)
        yield self._stopped()
        yield self._lie()

    def _cast(self) -> Cast:
        """Three servers, each with the mail of its list; then they are told of each other, and started."""
        counts = {}
        for name, (_, file) in LISTS.items():
            server = DemoServer(name, self._folder)
            self._servers.append(server)
            counts[name] = server.ingest(read_mail(file))
        for server in self._servers:
            server.admit(self._others(server))
            server.start()
        for server in self._servers:
            server.ready()
        for server in self._servers:
            server.learn_addresses(self._others(server))
        return Cast(str(self._folder), tuple(_member(server, counts[server.name]) for server in self._servers))

    def _others(self, server: DemoServer) -> list[DemoServer]:
        return [other for other in self._servers if other is not server]

    def _alone(self) -> Alone:
        archive = rebuild({server.list: server.mail for server in self._servers})
        whole = archive.thread(ROOT)
        every, held = {message.id for message in whole.messages}, _held(whole)
        shares = []
        for server in self._servers:
            shown = self._conversation(server)
            ghosts = frozenset(message.id for message in shown.messages if message.ghost)
            has = _held(shown)
            shares.append(Share(server.name, len(has), len(ghosts), len(every - has - ghosts), has, ghosts))
        pairs = max(len(one.ids | other.ids) for one, other in combinations(shares, 2))
        return Alone(
            root=ROOT,
            messages=len(held),
            ghosts=len(every) - len(held),
            pairs=pairs,
            servers=tuple(shares),
            whole=whole,
            promises=(
                Promise("no server shows the whole conversation alone", all(share.ids < held for share in shares)),
                Promise("no two of them have it together", pairs < len(held)),
                Promise("all three together have it", frozenset().union(*(share.ids for share in shares)) == held),
            ),
        )

    def _exchange(self, cast: Cast, alone: Alone) -> Exchange:
        ada, farid, ines = self._servers
        before = {server: _claims_of_others(server) for server in self._servers}
        sessions = [*_sync(ada, [farid, ines]), *_sync(farid, [ines, ada])]
        learned = [
            Learned(
                server.name,
                messages=len(_held(self._conversation(server))) - share.messages,
                claims=_claims_of_others(server) - before[server],
                threads=_count_threads(server),
            )
            for server, share in zip(self._servers, alone.servers, strict=True)
        ]
        return Exchange(
            tuple(sessions),
            tuple(learned),
            (
                Promise("each session came to its end", _all_ended(sessions)),
                Promise("the last session found nothing that anybody lacks", not sessions[-1].claims),
                Promise(
                    "threads of one list only stayed where they were",
                    [one.threads for one in learned] == [member.threads for member in cast.servers],
                ),
            ),
        )

    def _together(self, alone: Alone) -> Together:
        shown = {server.name: self._conversation(server) for server in self._servers}
        digests = {server.name: _digest(server) for server in self._servers}
        asked = {name: bool(thread.coverage and thread.coverage.complete) for name, thread in shown.items()}
        self._before = {server.name: _parents(server) for server in self._servers}
        same = [_shape(one) for one in (alone.whole, *shown.values())]
        first = self._servers[0].name
        thread = shown[first]
        ghosts = {message.id for message in thread.messages if message.ghost}
        edges = [message for message in thread.messages if message.parent is not None]
        nobody = () if thread.coverage is None else thread.coverage.nobody_holds
        return Together(
            messages=len(thread.messages) - len(ghosts),
            ghosts=len(ghosts),
            digests=digests,
            asked=asked,
            edges=len(edges),
            stated=sum(not message.ghost for message in edges),
            nobody_holds=tuple(nobody),
            shown_by=first,
            names=self._names,
            thread=thread,
            promises=(
                Promise("each server shows the whole conversation", same == same[:1] * len(same)),
                Promise("the thread digests are equal", len(set(digests.values())) == 1 and all(digests.values())),
                Promise("each has asked all others about every id of it", all(asked.values())),
                Promise("nobody holds what is not seen", ghosts <= set(nobody)),
            ),
        )

    def _stopped(self) -> Stopped:
        first, *others = self._servers
        before, process = _digest(first), first.process
        code = first.stop()
        digests = {server.name: _digest(server) for server in others}
        messages = {server.name: len(_held(self._conversation(server))) for server in others}
        return Stopped(
            name=first.name,
            process=process,
            exit_code=code,
            messages=messages,
            digests=digests,
            promises=(
                Promise("the server ended when it was told to", code == 0),
                Promise("the others still show the whole", before != "" and set(digests.values()) == {before}),
            ),
        )

    def _lie(self) -> Lie:
        """It reaches ada from farid, after she is back."""
        ada, farid, ines = self._servers
        sessions = self._spread_lie()
        moved = {server.name: _moved(self._before[server.name], _parents(server)) for server in self._servers}
        with ada.client() as client:
            explained = client.explain(FORGED_ID)
        with farid.client() as client:
            other = client.thread(NAMED_ID)
        places = {server.name: self._place_of_lie(server) for server in self._servers}
        claim, text = explained.statements[0].claim, ada.run("explain", FORGED_ID)
        ada.run("mute", "-q", "--claim", claim)
        ada.look()
        _wait(lambda: self._place_of_lie(ada) is None)
        lie = Lie(
            id=FORGED_ID,
            list=ines.list,
            parent=places[ines.name] or "",
            names=(NAMED_ID, ROOT),
            moved=moved,
            other_thread=len(_held(other)),
            via=farid.name,
            said_by=tuple((one.list, self._names.get(one.origin, one.origin)) for one in explained.statements),
            claim=claim,
            explanation=text,
            muted_by=ada.name,
            shown={server.name: self._place_of_lie(server) is not None for server in self._servers},
        )
        kept_by = [farid.name, ines.name]
        return replace(
            lie,
            promises=(
                Promise("the exchanges came to their ends", _all_ended(sessions)),
                Promise("the lie came to all three, in one place", len(set(places.values())) == 1 and lie.parent != ""),
                Promise("it moved no other message, seen or not", not any(moved.values())),
                Promise("explain names who said it", lie.said_by == ((ines.list, ines.name),)),
                Promise(
                    "muted by one, it is gone there and nowhere else",
                    [name for name, shown in lie.shown.items() if shown] == kept_by,
                ),
            ),
        )

    def _spread_lie(self) -> list[SyncSession]:
        """Its own server reads it as any mail; the one that is back starts again."""
        ada, farid, ines = self._servers
        ines.ingest(read_mail(FORGED))
        ada.start()
        ada.ready()
        farid.learn_addresses(self._others(farid))
        return _sync(farid, [ines, ada])

    def _place_of_lie(self, server: DemoServer) -> str | None:
        """What it hangs below; None: it is not in the conversation."""
        found = (message.parent for message in self._conversation(server).messages if message.id == FORGED_ID)
        return next(found, None)

    @property
    def _names(self) -> dict[str, str]:
        return {server.fingerprint: server.name for server in self._servers}

    def _conversation(self, server: DemoServer) -> Thread:
        with server.client() as client:
            return client.thread(ROOT)


def _member(server: DemoServer, messages: int) -> Member:
    return Member(
        name=server.name,
        fingerprint=server.fingerprint,
        list=server.list,
        messages=messages,
        threads=_count_threads(server),
        address=server.address,
        process=server.process,
    )


def _count_threads(server: DemoServer) -> int:
    """In the common view."""
    with server.client() as client:
        return client.common_view().threads


def _claims_of_others(server: DemoServer) -> int:
    with server.client() as client:
        return sum(feed.claims for feed in client.status().feeds if feed.origin != server.fingerprint)


def _sync(caller: DemoServer, others: Sequence[DemoServer]) -> list[SyncSession]:
    reports = caller.sync(others)
    return [SyncSession(caller.name, one.name, report) for one, report in zip(others, reports, strict=True)]


def _all_ended(sessions: Sequence[SyncSession]) -> bool:
    return all(not session.report.get("error") for session in sessions)


def _held(thread: Thread) -> frozenset[str]:
    """The ids of its messages that are no ghosts."""
    return frozenset(message.id for message in thread.messages if not message.ghost)


def _shape(thread: Thread) -> Sequence[tuple[str, str | None, bool, tuple[str, ...]]]:
    """What does not depend on whose copy a server shows first."""
    return [(message.id, message.parent, message.ghost, tuple(sorted(message.lists))) for message in thread.messages]


def _digest(server: DemoServer) -> str:
    """The thread digest of the conversation, in the common view."""
    with server.client() as client:
        return dict(client.digests()).get(ROOT, "")


def _parents(server: DemoServer) -> Parents:
    """The parent of every id that a server shows."""
    with server.client() as client:
        return {message.id: message.parent for thread in _threads(client) for message in thread.messages}


def _threads(client: Client) -> Iterator[Thread]:
    return (client.thread(summary.root) for summary in client.threads())


def _moved(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> int:
    """How many ids have another parent than before, or are gone."""
    return sum(name not in after or after[name] != parent for name, parent in before.items())


def _wait(condition: Callable[[], bool]) -> None:
    """Until a condition holds, or for so long that it will not."""
    end = time.monotonic() + PATIENCE / 3
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
