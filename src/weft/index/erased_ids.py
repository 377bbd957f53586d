"""The messages that were erased (`weft.index.erasure`): an ingest says nothing of them again.

Each is a row of ``meta``, ``erased/DIGEST``, with the time and the id; so it is part of a backup.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from hashlib import sha256


def mark_erased(connection: sqlite3.Connection, ids: Iterable[bytes], now: int) -> None:
    """These messages are erased since ``now``, in seconds since 1970, or longer; in the caller's transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO meta VALUES (?, ?)",
        [(f"erased/{sha256(message_id).hexdigest()}", b"%d %s" % (now, message_id)) for message_id in ids],
    )


def erased_ids(connection: sqlite3.Connection) -> dict[bytes, int]:
    """The ids of the messages that were erased, and since when, in the order of time."""
    rows = connection.execute("SELECT value FROM meta WHERE name >= 'erased/' AND name < 'erased0'").fetchall()
    if not rows:
        return {}
    parts = (bytes(value).partition(b" ") for (value,) in rows)
    found = [(int(when), message_id) for when, _, message_id in parts if when.isdigit()]
    return {message_id: when for when, message_id in sorted(found)}
