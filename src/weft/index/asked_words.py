"""What may be searched for: words, phrases in double quotes, and either of them in the subject or the sender only.

A word is a run of letters and digits, whole, in any case and with or without accents; all that is asked for has to be
there.  There are no wildcards, and nothing of what is written is a query: every word is quoted.

The search table knows in which column a word stands but not where in it (`weft.index.tables`), so it finds the words of
a phrase, and `Asked.holds` looks whether they follow each other.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Self

from weft.errors import UsageError

_PIECE = re.compile(r'(?:(subject|from):)?(?:"([^"]*)"|([^\s"]+))', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_COLUMNS = {"subject": "subject", "from": "author"}


class Asked(NamedTuple):
    """What somebody searches for."""

    query: str
    """For the search table."""
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    """(column or empty for any, words): words that have to follow each other."""

    @classmethod
    def read(cls, text: str) -> Self:
        """What ``text`` asks for; `UsageError` if there is no word in it."""
        terms: list[str] = []
        phrases: list[tuple[str, tuple[str, ...]]] = []
        for piece in _PIECE.finditer(unicodedata.normalize("NFC", text)):
            column = _COLUMNS.get((piece[1] or "").lower(), "")
            words = _WORD.findall(piece[3] if piece[2] is None else piece[2])
            terms += (f'{{{column}}} : "{word}"' if column else f'"{word}"' for word in words)
            if piece[2] is not None and len(words) > 1:
                phrases.append((column, _folded(" ".join(words))))
        if not terms:
            raise UsageError("nothing to search for; give a word of a subject or an author")
        return cls(" AND ".join(terms), tuple(phrases))

    def holds(self, subject: str, author: str) -> bool:
        """Whether all phrases stand in these texts."""
        if not self.phrases:
            return True
        texts = {"subject": _folded(subject), "author": _folded(author)}
        return all(
            any(_follow(words, texts[name]) for name in ([column] if column else texts))
            for column, words in self.phrases
        )


def _folded(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return tuple(_WORD.findall(plain.casefold()))


def _follow(words: tuple[str, ...], text: tuple[str, ...]) -> bool:
    return any(text[at : at + len(words)] == words for at in range(len(text) - len(words) + 1))
