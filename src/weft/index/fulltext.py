"""The search table: words of subjects and authors, by the position of their claims; it follows the log.

Theory of operation
-------------------
It is an FTS5 table without content (SQLite's manual, "FTS5", 4.4.1): the texts are in the claims, so a row that goes
must be taken out with the very texts that were put in.  What holds of the whole view holds here: it can be thrown away
and made again.  To check it, it is made again beside itself, in a temporary database, and both are read in the order
of their terms.

What is put in depends on how texts are decoded and cut into words, so there is a version of it (`WORDS_VERSION`), and a
table of another one is made again.

What may be searched for: words, phrases in double quotes, and either of them in the subject or the sender only.

A word is a run of letters and digits, whole, in any case and with or without accents; all that is asked for has to be
there.  In scripts that write without spaces it is any part of the text (`weft.index.unspaced`).  There are no
wildcards, and nothing of what is written is a query: every word is quoted.

The search table knows in which column a word stands but not where in it (`weft.index.schema`), so it finds the words of
a phrase, and `SearchQuery.holds` looks whether they follow each other.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple, Self

from weft.core.author import decode_author
from weft.core.claim import Claim
from weft.core.subject import decode_text
from weft.errors import UsageError
from weft.index.schema import SEARCH
from weft.index.unspaced import RUN, pairs, plain, spaced
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


_PIECE = re.compile(r'(?:(subject|from):)?(?:"([^"]*)"|([^\s"]+))', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_COLUMNS = {"subject": "subject", "from": "author"}


class SearchQuery(NamedTuple):
    """What somebody searches for."""

    query: str
    """For the search table."""
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    """(column or empty for any, words): words that have to follow each other."""
    parts: tuple[tuple[str, str], ...] = ()
    """(column or empty for any, text): what has to stand there as it is, in scripts that write without spaces."""

    @classmethod
    def read(cls, text: str) -> Self:
        """What ``text`` asks for; `UsageError` if there is no word in it."""
        terms: list[str] = []
        phrases: list[tuple[str, tuple[str, ...]]] = []
        parts: list[tuple[str, str]] = []
        for piece in _PIECE.finditer(unicodedata.normalize("NFC", text)):
            column = _COLUMNS.get((piece[1] or "").lower(), "")
            asked = piece[3] if piece[2] is None else piece[2]
            words, runs = _words_and_runs(asked)
            wanted = [f'"{word}"' for word in words]
            wanted += (f'"{pair}"' + "*" * (len(pair) == 1) for run in runs for pair in pairs(run))
            terms += (f"{{{column}}} : {term}" if column else term for term in wanted)
            if runs and piece[2] is not None:
                parts.append((column, _squeezed(asked)))
            else:
                parts += ((column, _squeezed(run)) for run in runs)
                if piece[2] is not None and len(words) > 1:
                    phrases.append((column, _folded(" ".join(words))))
        if not terms:
            raise UsageError("nothing to search for; give a word of a subject or an author")
        return cls(" AND ".join(terms), tuple(phrases), tuple(parts))

    def holds(self, subject: str, author: str) -> bool:
        """Whether all phrases and parts stand in these texts."""
        if self.parts:
            wholes = {"subject": _squeezed(subject), "author": _squeezed(author)}
            if not all(
                any(part in wholes[name] for name in ([column] if column else wholes)) for column, part in self.parts
            ):
                return False
        if not self.phrases:
            return True
        texts = {"subject": _folded(subject), "author": _folded(author)}
        return all(
            any(_follow(words, texts[name]) for name in ([column] if column else texts))
            for column, words in self.phrases
        )


def _words_and_runs(text: str) -> tuple[list[str], list[str]]:
    """The words of a text, and its runs in scripts that write without spaces."""
    pieces = RUN.split(text)
    return [word for piece in pieces[::2] for word in _WORD.findall(piece)], pieces[1::2]


def _squeezed(text: str) -> str:
    """A text without case, with one space for many."""
    return " ".join(plain(text).casefold().split())


def _folded(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return tuple(_WORD.findall(plain.casefold()))


def _follow(words: tuple[str, ...], text: tuple[str, ...]) -> bool:
    return any(text[at : at + len(words)] == words for at in range(len(text) - len(words) + 1))
