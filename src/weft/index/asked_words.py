"""What may be searched for: words, phrases in double quotes, and either of them in the subject or the sender only.

A word is a run of letters and digits, whole, in any case and with or without accents; all that is asked for has to be
there.  In scripts that write without spaces it is any part of the text (`weft.index.unspaced`).  There are no
wildcards, and nothing of what is written is a query: every word is quoted.

The search table knows in which column a word stands but not where in it (`weft.index.tables`), so it finds the words of
a phrase, and `Asked.holds` looks whether they follow each other.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Self

from weft.errors import UsageError
from weft.index.unspaced import RUN, pairs, plain

_PIECE = re.compile(r'(?:(subject|from):)?(?:"([^"]*)"|([^\s"]+))', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_COLUMNS = {"subject": "subject", "from": "author"}


class Asked(NamedTuple):
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
