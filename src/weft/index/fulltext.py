"""The search table: words of subjects and authors, by the position of their claims; it follows the log.

Theory of operation
-------------------
It is an FTS5 table without content (SQLite's manual, "FTS5", 4.4.1): the texts are in the claims, so a row that goes
must be taken out with the very texts that were put in.  What holds of the whole view holds here: it can be thrown away
and made again.  To check it, it is made again beside itself, in a temporary database, and both are read in the order
of their terms.

What is put in depends on how texts are decoded and cut into words, so there is a version of it (`WORDS_VERSION`), and a
table of another one is made again.

What may be searched for is read by `weft.index.search_query`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

from weft.core.author import decode_author
from weft.core.claim import Claim
from weft.core.subject import decode_text
from weft.index.schema import SEARCH
from weft.index.unspaced import spaced
from weft.model import Problem
from weft.store.interface import StoredClaim, read_bytes

WORDS_VERSION = b"2"
_STEP = 4000


def start_again(connection: sqlite3.Connection) -> None:
    """An empty search table."""
    connection.execute("DROP TABLE IF EXISTS search")
    connection.execute(SEARCH)


def fill_search(connection: sqlite3.Connection, after: int, last: int, table: str = "search") -> int:
    """Put the words of some thousands of claims from beyond ``after`` up to ``last`` into it; how far that was."""
    rows = connection.execute(
        "SELECT position, octets FROM claims WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
        (after, last, _STEP),
    ).fetchall()
    connection.executemany(f"INSERT INTO {table} (rowid, subject, author) VALUES (?, ?, ?)", _texts(rows))  # noqa: S608
    return int(rows[-1][0]) if rows else last


def forget_texts(connection: sqlite3.Connection, claims: Iterable[StoredClaim]) -> None:
    """Take the words of some claims, each given once, out of the search table; not even unused pages keep them."""
    rows = list(_texts((held.position, held.data) for held in claims))
    connection.executemany("INSERT INTO search (search, rowid, subject, author) VALUES ('delete', ?, ?, ?)", rows)
    if rows:  # until its segments are merged, the words are still there, marked as deleted
        connection.execute("INSERT INTO search (search) VALUES ('optimize')")


def check_search(connection: sqlite3.Connection, how_far: Callable[[], int]) -> Iterator[Problem]:
    """Whether the search table holds the words of the claims up to ``how_far()``, and no others."""
    connection.execute("BEGIN")
    try:
        searched = how_far()  # of the same moment as all that is read below
        connection.execute(SEARCH.replace("search", "temp.search_again", 1))
        connection.execute("CREATE VIRTUAL TABLE temp.words_again USING fts5vocab (temp, search_again, instance)")
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, instance)")
        after = 0
        while after < searched:
            after = fill_search(connection, after, searched, "temp.search_again")
        pair = [connection.execute(f"SELECT term, doc, col FROM temp.{name}") for name in ("words", "words_again")]  # noqa: S608
        if any(one != other for one, other in zip_longest(*pair)):
            yield Problem("search: the words in the table are not those of the claims", True)
    except sqlite3.DatabaseError as error:
        yield Problem(f"search: the table is damaged: {error}", True)
    finally:
        connection.execute("ROLLBACK")


def _texts(rows: Iterable[tuple[int, bytes | None]]) -> Iterator[tuple[int, str, str]]:
    """(position, subject, author) as they are searched for, of those rows that are claims about messages."""
    for position, data in rows:
        claim = read_bytes(data)
        if isinstance(claim, Claim):
            texts = (decode_text(claim.subject), decode_author(claim.author))
            subject, author = (spaced(text.encode("utf-8", "replace").decode()) for text in texts)
            yield position, subject, author
