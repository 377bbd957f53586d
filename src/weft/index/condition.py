"""The condition of an index, as whoever watches a server wants to know it: how far its parts follow the log.

It is read through a connection of its own, which makes nothing and waits for nobody, so that it tells what is wrong
while readers still wait for that to be mended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from weft._files import create_empty, make_folder
from weft.errors import StoreError
from weft.index.mute_changes import PolicyMarks
from weft.policy.rules import Policy
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import explained


@dataclass(frozen=True, slots=True)
class IndexCondition:
    """What an index was like at one moment."""

    log_position: int
    """The end of the log."""
    view_position: int
    """Up to where the view has seen it."""
    search_position: int
    """Up to where its words can be searched for."""
    is_view_usable: bool
    """Whether a view is there that was made under one of the policies in question, by a version like this one."""


class ConditionReader:
    """Reads the condition of one index again and again; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: tuple[int, int] | None = None
        self._store: SqliteStore | None = None
        self._states: list[tuple[Policy, bytes]] = []

    def read(self, policies: Collection[Policy]) -> IndexCondition:
        """The condition of now; `StoreError` if the index is missing, is another file than at first, or is unreadable.

        ``policies``: those by which its readers may go now.
        """
        try:
            found = self._path.stat()
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None
        place = found.st_dev, found.st_ino
        self._first = self._first or place
        if place != self._first:
            raise StoreError(f"{self._path}: this is another file than when the server began; start the server again")
        try:
            return self._condition({self._state(policy) for policy in policies})
        except BaseException:
            self.close()
            raise
        finally:
            self._states = [(policy, state) for policy, state in self._states if any(policy is one for one in policies)]

    def _state(self, policy: Policy) -> bytes:
        """What a view made under a policy is marked with; worked out once, as there may be many mutes."""
        for known, state in self._states:
            if known is policy:
                return state
        self._states.append((policy, PolicyMarks.of(policy).state))
        return self._states[-1][1]

    def close(self) -> None:
        """Let go of the index."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _condition(self, states: set[bytes]) -> IndexCondition:
        if self._store is None:
            self._store = SqliteStore(self._path, read_only=True)
        connection = self._store.connection
        with explained(self._path):
            connection.execute("BEGIN")
            try:
                view: dict[str, bytes] = {}
                if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'view'").fetchone():
                    view.update(connection.execute("SELECT key, value FROM view WHERE key <> 'mutes'").fetchall())
                position = self._store.position()
            finally:
                connection.execute("COMMIT")
        seen, searched = (int(view.get(name, b"0")) for name in ("position", "searched"))
        return IndexCondition(position, seen, searched, view.get("state") in states)


class LagClock:
    """For how long something has been behind the log, by the positions of both."""

    def __init__(self) -> None:
        self._goal = 0
        self._since = 0.0

    def seconds(self, reached: int, end: int, now: float) -> float:
        """Seconds since the log ended at what was not reached yet; ``now``: of a clock that never goes back.

        While one goal after another is reached, it is at most the time that the last one took.
        """
        if reached >= self._goal:
            self._goal, self._since = end, now
        return 0.0 if reached >= end else now - self._since


def wal_bytes(path: Path) -> int:
    """The size of the write-ahead log of an index, in bytes."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0


def _ingest_mark(path: Path) -> Path:
    return path.with_name(path.name + ".kept") / "ingested"


def note_ingest(path: Path) -> None:
    """An ingest has come to its end: the time of a file beside the index says when.  No row does, for which all readers
    would have to read again what they know; if it cannot be kept, nothing is lost but that."""
    mark = _ingest_mark(path)
    with suppress(OSError):
        make_folder(mark.parent)
        create_empty(mark)
        os.utime(mark, (time.time(), time.time()))


def last_ingest(path: Path) -> float | None:
    """When an ingest last came to its end, in seconds since 1970; None if that is not known."""
    try:
        return _ingest_mark(path).stat().st_mtime
    except OSError:
        return None
