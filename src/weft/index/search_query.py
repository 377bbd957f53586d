"""What somebody searches for, read from one line.

Theory of operation
-------------------
* Words: all of them have to be there, in the subject or in the author; ``prefix*``; ``"a phrase"``;
* ``subject:`` or ``from:`` before a word, a prefix or a phrase says where it has to stand;
* ``-`` before any of these, or ``NOT``: it must not be there;
* ``OR`` between alternatives, each of which is all words up to the next ``OR``;
* filters, which hold for all alternatives: ``list: date: since: until: thread: id: has:missing``.

A word is a run of letters and digits, whole, in any case and with or without accents.  In scripts that write without
spaces it is any part of the text (`weft.index.unspaced`).  Nothing of what is written is a query of SQLite: every word
is quoted.  An operator that does not exist is refused with the list of those that do, so that ``form:ada`` finds not
nothing but the mistake; a colon that no operator precedes (``net: x``, ``https://x``) is not one.

The search table knows in which column a word stands but not where in it (`weft.index.schema`), so it finds the words
of a phrase, and `SearchQuery.holds` looks whether they follow each other.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from weft.core.moment import parse_period, parse_since
from weft.errors import UsageError
from weft.index.unspaced import RUN, pairs, plain

_PIECE = re.compile(r'(-?)(?:([A-Za-z]+):(?=[^\s:/]))?(?:"([^"]*)"|([^\s"]+))')
_WORD = re.compile(r"[^\W_]+")
_COLUMNS = {"subject": "subject", "from": "author"}
_FILTERS = ("list", "date", "since", "until", "thread", "id", "has")
OPERATORS = (*_COLUMNS, *_FILTERS)
MOST_PIECES = 2000


class Phrase(NamedTuple):
    """What has to stand in a text beyond what the search table can say."""

    column: str
    """Empty for any."""
    words: tuple[str, ...]
    """Words that follow each other; none where ``part`` is meant."""
    part: str = ""
    """A text that stands there as it is, in scripts that write without spaces."""
    prefix: bool = False
    """The last word may go on."""

    def stands_in(self, texts: _Texts) -> bool:
        """Whether it does."""
        if self.part:
            return any(self.part in whole for whole in texts.squeezed(self.column))
        return any(_follow(self.words, words, self.prefix) for words in texts.folded(self.column))


@dataclass(slots=True)
class _Alternative:
    terms: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)
    without: list[Phrase] = field(default_factory=list)
    words: list[Phrase] = field(default_factory=list)
    """What the search table has looked for already."""
    no_words: list[Phrase] = field(default_factory=list)

    @property
    def query(self) -> str:
        wanted = " AND ".join(self.terms)
        return f"({wanted}) NOT ({' OR '.join(self.excluded)})" if self.excluded else wanted

    def holds(self, texts: _Texts, *, words: bool) -> bool:
        """Whether it does of some texts; ``words``: also what the table looked for, as it may have found another."""
        wanted = (*self.phrases, *self.words) if words else self.phrases
        unwanted = (*self.without, *self.no_words) if words else self.without
        return all(one.stands_in(texts) for one in wanted) and not any(one.stands_in(texts) for one in unwanted)


class SearchFilters(NamedTuple):
    """What holds for all alternatives."""

    list: str | None = None
    since: int | None = None
    until: int | None = None
    """Up to, but without, this second."""
    thread: str | None = None
    """An id, or a handle, in the thread in which messages have to stand."""
    id: str | None = None
    missing: bool = False
    """Only messages of threads that lack a message which others answer."""


class SearchQuery(NamedTuple):
    """What somebody searches for."""

    query: str
    """For the search table."""
    alternatives: tuple[_Alternative, ...]
    filters: SearchFilters = SearchFilters()

    @classmethod
    def read(cls, text: str, now: float = 0) -> Self:
        """What ``text`` asks for; `UsageError` if there is no word in it, or something that is not understood."""
        alternatives = [_Alternative()]
        filters: dict[str, object] = {}
        no = False
        for number, piece in enumerate(_PIECE.finditer(unicodedata.normalize("NFC", text))):
            if number >= MOST_PIECES:
                raise UsageError(f"more than {MOST_PIECES} words to search for; leave some out")
            if piece[0] == "NOT":
                no = True
                continue
            operator, no = (piece[2] or "").lower(), no or bool(piece[1])
            asked = piece[4] if piece[3] is None else piece[3]
            if piece[0] == "OR":
                alternatives.append(_Alternative())
            elif operator in _FILTERS:
                if no:
                    raise UsageError(f"{piece[0]!r}: - may stand before words, subject: and from: only")
                _filter(filters, operator, asked, now)
            elif operator and operator not in _COLUMNS:
                known = ", ".join(f"{one}:" for one in OPERATORS)
                raise UsageError(f"there is no operator {operator}: (there are {known}); to find the words, quote them")
            elif piece[0] != "AND":
                _add(alternatives[-1], _COLUMNS.get(operator, ""), asked, quoted=piece[3] is not None, no=no)
            no = False
        if any(not one.terms for one in alternatives):
            every = len(alternatives) == 1
            raise UsageError(
                "nothing to search for; give a word of a subject or an author"
                if every
                else "nothing to search for on one side of OR; give a word on each"
            )
        queries = [one.query for one in alternatives]
        query = queries[0] if len(queries) == 1 else " OR ".join(f"({one})" for one in queries)
        return cls(query, tuple(alternatives), SearchFilters(**filters))  # type: ignore[arg-type]

    def holds(self, subject: str, author: str) -> bool:
        """Whether one of the alternatives holds of these texts, which have the words of the query."""
        if not any(one.phrases or one.without for one in self.alternatives):
            return True
        texts, several = _Texts(subject, author), len(self.alternatives) > 1
        return any(one.holds(texts, words=several) for one in self.alternatives)


def _filter(filters: dict[str, object], operator: str, asked: str, now: float) -> None:
    if operator == "has":
        if asked.lower() != "missing":
            raise UsageError(f"has:{asked} is not known; there is has:missing")
        filters["missing"] = True
        return
    if operator in {"date", "since", "until"}:
        since, until = parse_period(asked, now) if operator == "date" else (None, None)
        if operator == "since":
            since = parse_since(asked, now)
        elif operator == "until":
            until = parse_since(asked, now)
        for name, value, narrower in (("since", since, max), ("until", until, min)):
            before = filters.get(name)
            if value is not None:
                filters[name] = narrower(value, before) if isinstance(before, int) else value
        return
    if filters.get(operator, asked) != asked:
        raise UsageError(f"{operator}: stands there twice; no message has both")
    filters[operator] = asked.removeprefix("<").removesuffix(">") if operator in {"thread", "id"} else asked


def _add(into: _Alternative, column: str, asked: str, *, quoted: bool, no: bool) -> None:
    """Words, a prefix or a phrase; ``no``: they must not be there."""
    words, runs = _words_and_runs(asked)
    prefix = not quoted and asked.endswith("*") and bool(words) and asked[-2:-1].isalnum() and not runs
    terms = [f'"{word}"' for word in words]
    if prefix:
        terms[-1] += "*"
    wanted = [*terms, *(f'"{pair}"' + "*" * (len(pair) == 1) for run in runs for pair in pairs(run))]
    wanted = [f"{{{column}}} : {term}" if column else term for term in wanted]
    phrases = []
    if runs and quoted:
        phrases.append(Phrase(column, (), _squeezed(asked)))
    else:
        phrases += [Phrase(column, (), _squeezed(run)) for run in runs]
        if len(words) > 1 and (quoted or no) and not prefix:
            phrases.append(Phrase(column, _folded(" ".join(words))))
    single = [Phrase(column, _folded(word)) for word in words]
    if prefix:
        single[-1] = single[-1]._replace(prefix=True)
    if not no:
        into.terms += wanted
        into.phrases += phrases
        into.words += single
    elif phrases:
        into.without += phrases
    elif wanted:
        into.excluded.append(f"({' AND '.join(wanted)})")
        into.no_words += single


class _Texts:
    """A subject and an author as words and as they are compared with parts, each made when it is needed."""

    def __init__(self, subject: str, author: str) -> None:
        self._texts = {"subject": subject, "author": author}
        self._folded: dict[str, tuple[str, ...]] = {}
        self._squeezed: dict[str, str] = {}

    def folded(self, column: str) -> list[tuple[str, ...]]:
        """The words of one text or of both."""
        if not self._folded:
            self._folded = {name: _folded(text) for name, text in self._texts.items()}
        return [self._folded[column]] if column else list(self._folded.values())

    def squeezed(self, column: str) -> list[str]:
        """One text or both, as parts are looked for in them."""
        if not self._squeezed:
            self._squeezed = {name: _squeezed(text) for name, text in self._texts.items()}
        return [self._squeezed[column]] if column else list(self._squeezed.values())


def _words_and_runs(text: str) -> tuple[list[str], list[str]]:
    """The words of a text, and its runs in scripts that write without spaces."""
    pieces = RUN.split(text)
    return [word for piece in pieces[::2] for word in _WORD.findall(piece)], pieces[1::2]


def _squeezed(text: str) -> str:
    """A text without case, with one space for many."""
    return " ".join(plain(text).casefold().split())


def _folded(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return tuple(_WORD.findall(bare.casefold()))


def _follow(words: tuple[str, ...], text: tuple[str, ...], prefix: bool = False) -> bool:
    size = len(words)
    places = range(len(text) - size + 1)
    if prefix:
        last = words[-1]
        return any(text[at : at + size - 1] == words[:-1] and text[at + size - 1].startswith(last) for at in places)
    return any(text[at : at + size] == words for at in places)
