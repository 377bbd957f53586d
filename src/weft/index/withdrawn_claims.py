"""Withdrawn claims whose bytes are still here, and since when they are withdrawn.

Theory of operation
-------------------
A withdrawal takes a claim out of every view; the bytes of the claim stay for the period of the policy (``[retention]``)
and are deleted then.  That goes by what origins state, not by our view: what is muted here, or of an origin that the
policy admits no more, is deleted as well.  What ``weft erase`` has withdrawn (``erased``) does not wait for the period
but for the peers (`weft.index.erasure`).

So the log is read beyond what was seen (``retained`` in ``meta``).  Each withdrawal gets a row in ``withdrawn``, with
the time when it was seen, which is when the period begins: the claims have no time of arrival.  ``held`` is where its
target stands, NULL as long as it has not come; a claim that comes after its withdrawal is found by its id.  A row is
done when the bytes are gone, or when the withdrawal turns out to withdraw nothing (`Withdrawal.withdraws`).

Who can lie: an origin about its own claims alone, for nobody can withdraw what another one said.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from weft.core.claim import Claim, Withdrawal, claim_id
from weft.store.interface import StoredClaim, read_claim
from weft.store.sqlite import SqliteStore

_WITHDRAWAL = b"\x12"
"""The first byte of a claim that is a withdrawal: field 2 of `AnyClaim`, with a length."""
_WRITTEN = 1000
"""So many claims may be looked at once more after a restart."""
_LOOKED_UP = 512
_WAITING = "FROM withdrawn WHERE NOT done AND held IS NOT NULL AND (erased OR since <= ?)"


class _Row(NamedTuple):
    """A row of the table whose target was here."""

    withdrawal: int
    target: bytes
    held: int
    since: int
    erased: int


class WithdrawnClaim(NamedTuple):
    """A claim that its origin has withdrawn, and whose bytes are here."""

    position: int
    """Of the withdrawal."""
    withdrawal: Withdrawal
    held: StoredClaim
    since: int
    """When the withdrawal was seen here, in seconds since 1970."""
    erased: bool
    """It is our own, and to be erased."""


class WithdrawnClaims:
    """The table ``withdrawn`` of one index."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._connection = store.connection

    def is_behind(self) -> bool:
        """Whether the log holds claims that were not looked at."""
        return self._seen() < self._store.position()

    def may_be_due(self, before: int) -> bool:
        """Whether there is a row for which `waiting` looks."""
        return self._connection.execute(f"SELECT 1 {_WAITING} LIMIT 1", (before,)).fetchone() is not None

    def note(self, now: int, erased: Container[bytes], own: bytes | None) -> None:
        """Look at what came into the log; what withdraws there does so since ``now``, in seconds since 1970.

        In the caller's transaction.  ``erased``: message ids of which all that we said is to be erased; ``own``: our
        origin.
        """
        seen, end = self._seen(), self._store.position()
        arrived = list(self._arrived(seen, end))
        withdrawals = [
            (position, withdrawal.target, withdrawal.origin == own and withdrawal.message_id in erased)
            for position, data in self._connection.execute(
                "SELECT position, octets FROM claims WHERE position > ? AND position <= ? AND substr(octets, 1, 1) = ?",
                (seen, end, _WITHDRAWAL),
            ).fetchall()
            if isinstance(withdrawal := read_claim(StoredClaim(position, b"", data, 0, 0, None)), Withdrawal)
        ]
        if not arrived and not withdrawals and end < seen + _WRITTEN:
            return
        places = {held.identity: held.position for held in self._get(target for _, target, _ in withdrawals)}
        self._connection.executemany("UPDATE withdrawn SET held = ? WHERE target = ? AND held IS NULL", arrived)
        self._connection.executemany(
            "INSERT OR IGNORE INTO withdrawn (withdrawal, target, since, held, erased, done) VALUES (?, ?, ?, ?, ?, 0)",
            [(position, target, now, places.get(target), erase) for position, target, erase in withdrawals],
        )
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('retained', ?)", (b"%d" % end,))

    def erase(self, withdrawals: Iterable[int]) -> None:
        """The withdrawals at these positions are to erase, in the caller's transaction."""
        self._connection.executemany(
            "UPDATE withdrawn SET erased = 1 WHERE withdrawal = ?", [(position,) for position in withdrawals]
        )

    def waiting(self, before: int) -> list[WithdrawnClaim]:
        """The claims whose bytes are here and that are to be erased, or are withdrawn since ``before`` or longer."""
        return [found for _, found in self._rows(before) if found is not None]

    def settle(self, before: int) -> None:
        """Note what of that is done, in the caller's transaction."""
        for row, found in list(self._rows(before)):
            if found is None:
                there = next(iter(self._store.get([row.target])), None)
                place = None if there is None else there.position
                done = there is not None and (not there.data or place == row.held)
                self._connection.execute(
                    "UPDATE withdrawn SET held = ?, done = ? WHERE withdrawal = ?", (place, done, row.withdrawal)
                )

    def _rows(self, before: int) -> Iterator[tuple[_Row, WithdrawnClaim | None]]:
        """Each such row, the one that was seen first foremost, with what it withdraws; None if that is nothing now."""
        query = f"SELECT withdrawal, target, held, since, erased {_WAITING} ORDER BY since, withdrawal"
        rows = [_Row(*row) for row in self._connection.execute(query, (before,)).fetchall()]
        for start in range(0, len(rows), _LOOKED_UP):
            some = rows[start : start + _LOOKED_UP]
            places = [place for row in some for place in (row.withdrawal, row.held)]
            claims = {held.position: held for held in self._store.at(places)}
            for row in some:
                yield row, _withdrawn(row, claims.get(row.withdrawal), claims.get(row.held))

    def _arrived(self, seen: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(position, id) of each new claim whose withdrawal came before it."""
        absent = {target for (target,) in self._connection.execute("SELECT target FROM withdrawn WHERE held IS NULL")}
        if not absent:
            return
        for position, data in self._connection.execute(
            "SELECT position, octets FROM claims WHERE position > ? AND position <= ? AND octets NOTNULL", (seen, end)
        ):
            identity = claim_id(data)
            if identity in absent:
                yield position, identity

    def _get(self, targets: Iterable[bytes]) -> Iterator[StoredClaim]:
        wanted = list(dict.fromkeys(targets))
        for start in range(0, len(wanted), _LOOKED_UP):
            yield from self._store.get(wanted[start : start + _LOOKED_UP])

    def _seen(self) -> int:
        """The position up to which the log was looked at."""
        row = self._connection.execute("SELECT value FROM meta WHERE name = 'retained'").fetchone()
        seen = int(row[0]) if row is not None and bytes(row[0]).isdigit() else 0
        return seen if seen <= self._store.position() else 0


def _withdrawn(row: _Row, withdrawal: StoredClaim | None, held: StoredClaim | None) -> WithdrawnClaim | None:
    """What a withdrawal takes back, if its target has its bytes still."""
    if withdrawal is None or held is None:
        return None
    stated, claim = read_claim(withdrawal), read_claim(held)
    if not isinstance(stated, Withdrawal) or not isinstance(claim, Claim) or not stated.withdraws(held.identity, claim):
        return None
    return WithdrawnClaim(withdrawal.position, stated, held, row.since, bool(row.erased))
