"""What is said again after it was withdrawn, and why our own claims were withdrawn.

Theory of operation
-------------------
A withdrawal is final for the bytes of its claim.  What was withdrawn is said again by the claim of the next edition:
the same but for its number, so with other bytes and another id.  Of the editions of one claim that is which stands
whose number is the least of those that are not withdrawn.

Whether an ingest may do so when it meets a message again goes by why its last edition was withdrawn.  The withdrawals
of one operation stand side by side in the log, so a row of ``withdrawal_causes`` names a run of positions:

``removed``   the list was removed: its mail can be ingested again
``gone``      the mail was gone from its folder or repository: it can be back
``undone``    the withdrawal was undone when the bytes of its target were gone: its mail is stated again when it is met
``renamed``   the list has another name now: under its old name its mail is not said again unasked
``outgrown``  the message was read when half of it was there: never

What has no row was retracted by hand, or its rows were lost with a database: it is said again when somebody asks.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from weft.core.claim import MAX_EDITION, Claim, claim_id
from weft.core.claim_encoding import encode_mail
from weft.store.id_table import chunks
from weft.store.interface import InsertedClaim


class Cause(StrEnum):
    """Why withdrawals were made."""

    REMOVED = "removed"
    GONE = "gone"
    UNDONE = "undone"
    RENAMED = "renamed"
    OUTGROWN = "outgrown"


MET_AGAIN = frozenset({Cause.REMOVED, Cause.GONE, Cause.UNDONE})
"""Such claims are said again when their mail is met again."""


class Edition(NamedTuple):
    """The first edition of a claim that is not withdrawn; whether it was said already is another question."""

    claim: Claim
    data: bytes
    identity: bytes
    before: bytes | None
    """The id of the edition before it, which is withdrawn; None of the first one."""


def current_edition(claim: Claim, withdrawn: Collection[bytes]) -> Edition | None:
    """The edition of a claim that stands or would stand, given the ids of withdrawn claims.

    None if the last one that there can be is withdrawn.
    """
    before = None
    for number in range(MAX_EDITION + 1):
        edition = claim if claim.edition == number else claim._replace(edition=number)
        data = encode_mail(edition)
        identity = claim_id(data)
        if identity not in withdrawn:
            return Edition(edition, data, identity, before)
        before = identity
    return None


class Withdrawn(NamedTuple):
    """How a claim was withdrawn."""

    position: int
    """Of the first withdrawal in the log."""
    cause: Cause | None
    """None if nobody wrote it down."""


@dataclass(frozen=True, slots=True)
class ListNames:
    """The names that our lists got, in order: where in the log, the old one and the new one."""

    renamed: Sequence[tuple[int, bytes, bytes]]

    def now(self, name: bytes, position: int) -> bytes:
        """The name of the list that had this one at a position of the log."""
        for at, old, new in self.renamed:
            if at > position and name == old:
                name = new
        return name

    def earlier(self, name: bytes) -> list[tuple[bytes, int]]:
        """The other names that a list had, the last one first, each with the position up to which it had it."""
        found = []
        for at, old, new in reversed(self.renamed):
            if new == name:
                found.append((old, at))
                name = old
        return found


class WithdrawalCauses:
    """The table ``withdrawal_causes`` of one index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def record(
        self, withdrawals: Sequence[InsertedClaim], cause: Cause, renamed: tuple[bytes, bytes] | None = None
    ) -> None:
        """Withdrawals that have just been put into the log, side by side; ``renamed``: the old and the new name.

        In the caller's transaction, as `undo`.
        """
        if withdrawals:
            positions = [stored.position for stored in withdrawals]
            self._record(min(positions), max(positions) + 1, cause, renamed)

    def undo(self, targets: Collection[bytes]) -> None:
        """The withdrawals of claims with these ids are undone."""
        for position in self._positions(targets).values():
            self._record(position, position + 1, Cause.UNDONE)

    def of(self, targets: Collection[bytes]) -> dict[bytes, Withdrawn]:
        """How claims with these ids, which are withdrawn, were."""
        positions = self._positions(targets)
        if not positions:
            return {}
        runs, undone = [], set()
        for first, stop, cause in self._connection.execute(
            "SELECT first, stop, cause FROM withdrawal_causes ORDER BY first"
        ):
            if cause == Cause.UNDONE:
                undone.add(first)
            else:
                runs.append((first, stop, Cause(cause)))
        return {
            target: Withdrawn(position, Cause.UNDONE if position in undone else _cause(runs, position))
            for target, position in positions.items()
        }

    def names(self) -> ListNames:
        """How our lists were renamed."""
        query = "SELECT first, old, new FROM withdrawal_causes WHERE cause = ? ORDER BY first"
        return ListNames(self._connection.execute(query, (Cause.RENAMED.value,)).fetchall())

    def _positions(self, targets: Collection[bytes]) -> dict[bytes, int]:
        """Where the withdrawals that take back these claims stand, the first of each."""
        found: dict[bytes, int] = {}
        for marks, some in chunks(list(targets)):
            query = f"SELECT target, min(position) FROM withdrawals WHERE valid AND target IN ({marks}) GROUP BY target"  # noqa: S608 - question marks
            found.update(self._connection.execute(query, some))
        return found

    def _record(self, first: int, stop: int, cause: Cause, renamed: tuple[bytes, bytes] | None = None) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO withdrawal_causes (first, stop, cause, old, new) VALUES (?, ?, ?, ?, ?)",
            (first, stop, cause.value, *(renamed or (None, None))),
        )


def _cause(runs: Sequence[tuple[int, int, Cause]], position: int) -> Cause | None:
    """That of the run, of those in order that do not overlap, in which a position is."""
    place = bisect_right(runs, position, key=itemgetter(0))
    if not place:
        return None
    _, stop, cause = runs[place - 1]
    return cause if position < stop else None
