"""What an index has lost of its own claims, and which peers were asked for them.

Theory of operation
-------------------
An index that was restored from an older backup, or made anew for a key that is older, lacks what it said since.  Peers
may have it.  In threads mode they are asked about our own threads alone, so what stands in others would stay away.  So
a loss is noted (``recover`` in ``meta``, another value for each loss), and each peer that is not mirrored is asked once
for all of our own feeds (``recovered/PEER``, the value of the loss).

A loss is noted where an index is restored, and where a peer hands us a claim of our own that is not here: nobody else
can have signed it.
"""

from __future__ import annotations

import secrets
import sqlite3


def note_loss(connection: sqlite3.Connection) -> None:
    """Claims of our own are lost; in the caller's transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('recover', ?)", (secrets.token_bytes(8),))


def is_lacking(connection: sqlite3.Connection, peer: bytes) -> bool:
    """Whether a peer was not asked yet for what is lost."""
    rows = dict(
        connection.execute("SELECT name, value FROM meta WHERE name IN ('recover', ?)", (_name(peer),)).fetchall()
    )
    return "recover" in rows and rows.get(_name(peer)) != rows["recover"]


def note_recovered(connection: sqlite3.Connection, peer: bytes) -> None:
    """A peer has given all that it has of our own; in the caller's transaction."""
    connection.execute("INSERT OR REPLACE INTO meta SELECT ?, value FROM meta WHERE name = 'recover'", (_name(peer),))


def _name(peer: bytes) -> str:
    return f"recovered/{peer.hex()}"
