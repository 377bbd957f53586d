"""The year of the newest mail of our own lists, as ingests found it (`weft.sources.newest_year`).

It is kept in the store's table ``meta``: claims do not say when their mail was delivered, so the view cannot find it
again.  What peers hold may be newer than any mail of ours; then it orders nothing.
"""

from __future__ import annotations

import sqlite3

from weft.sources.newest_year import plausible_before as _plausible_before


def newest_year(connection: sqlite3.Connection) -> int:
    """The newest year; 0 if it is not known."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'newest_year'").fetchone()
    return int(row[0]) if row and isinstance(row[0], bytes) and row[0].isdigit() else 0


def keep_newest_year(connection: sqlite3.Connection, year: int) -> bool:
    """Keep a year, if it is newer than what is known; whether it is.  Within a transaction."""
    if year <= newest_year(connection):
        return False
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('newest_year', ?)", (b"%d" % year,))
    return True


def plausible_before(connection: sqlite3.Connection) -> int | None:
    """Dates of our own mail from then on, in seconds, are in the future; None if that is not known."""
    return _plausible_before(newest_year(connection))


def is_alone(connection: sqlite3.Connection) -> bool:
    """Whether no claim of another origin was ever taken."""
    return not connection.execute(
        "SELECT EXISTS (SELECT 1 FROM feeds WHERE origin IS NOT (SELECT value FROM meta WHERE name = 'origin'))"
    ).fetchone()[0]
