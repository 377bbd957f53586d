"""Threads as columns, and back (``weft/v1/threads.proto``).

Theory of operation
-------------------
A thread is three lists: messages, the copies of all of them, and facts about few of them.  `ThreadColumns` is a thread
in that form.  A page holds a part of each list as columns, with the strings that these name, each once.  A page ends
when it has enough bytes, wherever that is, so a thread of 50,000 messages, a message with 10,000 copies, and one with
10,000 rival parents all fit into pages of the same size.  No page has copies or facts of messages that come later, and
what is left of those of earlier ones comes before further messages.

`PageJoiner` puts the pages together again.  It believes nothing: columns of different lengths, texts that are not
there, a parent that does not stand before its child are an `AnswerError`.

Ids are bytes on the wire, as they are in mail.  Other text is UTF-8; what is none, such as a lone surrogate, becomes
U+FFFD.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, cast

from weft.errors import AnswerError
from weft.model import Copy, Coverage, Message, Thread
from weft.v1 import threads_pb2 as wire

_GHOST, _CONTESTED, _JOINED, _MUTED, _GUESSED, _AHEAD = 1, 2, 4, 8, 16, 32
_DIGEST_BYTES = 32
_ROW = 24
"""About what one entry takes in all columns of its list."""
_FACTS = wire.FactColumns

Fact = tuple[int, int, str]
"""(place of the message, `FactColumns.Kind`, text)."""


class _Column(Protocol):
    """A repeated field."""

    def extend(self, values: Iterable[Any], /) -> None:
        """Append some values."""


def to_bytes(text: str) -> bytes:
    """Text for the wire."""
    try:
        return text.encode()  # nearly always
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


def to_text(data: bytes) -> str:
    """Text from the wire."""
    return data.decode("utf-8", "surrogateescape")


def to_string(text: str) -> str:
    """Text for a field that is a string."""
    if text.isascii():  # nearly always
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


class ColumnOffsets(NamedTuple):
    """How much of each list stands in earlier pages; of a run, of those of the run."""

    messages: int = 0
    copies: int = 0
    facts: int = 0


@dataclass(frozen=True, slots=True)
class ThreadColumns:
    """A thread, or a run of its messages, as three lists."""

    messages: Sequence[Message]
    copies: list[tuple[int, Copy]]
    facts: list[Fact]
    places: Mapping[str, int]
    """Where each id stands in the whole thread."""
    base: int
    """Where the first of the messages does."""

    @classmethod
    def of(
        cls,
        messages: Sequence[Message],
        muted: Iterable[tuple[str, str]] = (),
        places: Mapping[str, int] | None = None,
        base: int = 0,
    ) -> ThreadColumns:
        """``muted``: (child, parent) of edges that do not count; ``places``, ``base``: if it is not a whole thread."""
        copies, facts = [], []
        if places is None:
            places = {message.id: place for place, message in enumerate(messages)}
        for place, message in enumerate(messages, base):
            copies += [(place, copy) for copy in message.copies]
            facts += _facts(place, message)
        ends = base + len(messages)
        silent = [
            (place, _FACTS.KIND_MUTED_PARENT, parent)
            for child, parent in muted
            if base <= (place := places.get(child, -1)) < ends
        ]
        if silent:
            facts = sorted([*facts, *silent], key=itemgetter(0))
        return cls(messages, copies, facts, places, base)

    def page(self, out: wire.ThreadColumns, start: ColumnOffsets, room: int, most: int) -> tuple[ColumnOffsets, int]:
        """Fill ``out`` with the page that begins at ``start``, of at most ``most`` messages.

        Gives where the next one begins, and the bytes left of ``room``.
        """
        strings = _Strings(room)
        messages = start.messages
        if start[1:] == self._behind(messages):
            messages = self._messages(out.messages, messages, strings, most)
        copies_end, facts_end = self._behind(messages)
        copies = self._copies(out.copies, start.copies, copies_end, strings)
        facts = self._facts(out.facts, start.facts, facts_end, strings)
        out.strings.extend(strings.listed)
        return ColumnOffsets(messages, copies, facts), strings.room

    def _behind(self, messages: int) -> tuple[int, int]:
        """Where the copies and facts of the first so many messages end."""
        if messages >= len(self.messages):  # as nearly always
            return len(self.copies), len(self.facts)
        if not messages:
            return 0, 0
        first, place = itemgetter(0), self.base + messages
        return bisect_left(self.copies, place, key=first), bisect_left(self.facts, place, key=first)

    @property
    def end(self) -> ColumnOffsets:
        """Where nothing is left."""
        return ColumnOffsets(len(self.messages), len(self.copies), len(self.facts))

    def _messages(self, out: wire.MessageColumns, start: int, strings: _Strings, most: int) -> int:
        rows = []
        kept = 0
        for place, message in enumerate(self.messages[start : start + most], self.base + start):
            if strings.room <= 0:
                break
            data = to_bytes(message.id)
            strings.room -= _ROW + len(data) + (copies := _ROW * len(message.copies))
            kept += copies
            rows.append((
                data,
                0 if message.parent is None else place - self.places[message.parent],
                _GHOST * message.ghost
                | _CONTESTED * message.contested
                | _JOINED * message.joined
                | _MUTED * message.muted
                | _GUESSED * message.guessed
                | _AHEAD * message.ahead,
                message.named if message.ghost else message.variants,
                strings[message.date or ""],
                strings[message.author],
                strings[message.subject],
            ))  # fmt: skip
        strings.room += kept
        _fill(_message_columns(out), rows)
        return start + len(rows)

    def _copies(self, out: wire.CopyColumns, start: int, end: int, strings: _Strings) -> int:
        rows = []
        for place, (name, subject, author, date, origin) in self.copies[start:end]:
            if strings.room <= 0:
                break
            strings.room -= _ROW
            row = (place, strings[name], strings[subject], strings[author], strings[date or ""], strings[origin or ""])
            rows.append(row)
        _fill(_copy_columns(out), rows)
        return start + len(rows)

    def _facts(self, out: wire.FactColumns, start: int, end: int, strings: _Strings) -> int:
        for number, (place, kind, text) in enumerate(self.facts[start:end], start):
            if strings.room <= 0:
                return number
            strings.room -= _ROW
            out.places.append(place)
            out.kinds.append(cast(wire.FactColumns.Kind, kind))
            out.texts.append(strings[text])
        return max(start, end)


def _message_columns(part: wire.MessageColumns) -> tuple[Any, ...]:
    return (part.message_ids, part.parent_distances, part.flags, part.counts, part.dates, part.authors, part.subjects)


def _copy_columns(part: wire.CopyColumns) -> tuple[Any, ...]:
    return part.places, part.lists, part.subjects, part.authors, part.dates, part.origin_fingerprints


def _fill(columns: Sequence[_Column], rows: Sequence[tuple[Any, ...]]) -> None:
    """Append rows to columns, column by column: an append of one value costs as much as one of ten."""
    for column, values in zip(columns, zip(*rows, strict=True), strict=bool(rows)):
        column.extend(values)


class _Strings(dict[str, int]):
    """Numbers strings; takes their bytes from the room of a page."""

    def __init__(self, room: int) -> None:
        self.listed = [b""]
        self.room = room
        self[""] = 0

    def __missing__(self, text: str) -> int:
        data = to_bytes(text)
        self.room -= len(data)
        self[text] = number = len(self.listed)
        self.listed.append(data)
        return number


def _facts(place: int, message: Message) -> list[Fact]:
    facts: list[Fact] = [(place, _FACTS.KIND_RIVAL, rival or "") for rival in message.rivals]
    if message.cut is not None:
        facts.append((place, _FACTS.KIND_CUT_PARENT, message.cut))
    facts += [(place, _FACTS.KIND_NAMING_LIST, name) for name in message.named_on]
    if message.stated_date:
        facts.append((place, _FACTS.KIND_UNREADABLE_DATE, message.stated_date))
    facts += [(place, _FACTS.KIND_RIVAL_REPLY, reply) for reply in message.rival_replies]
    facts += [(place, _FACTS.KIND_ALIAS, alias) for alias in message.aliases]
    return facts


class PageJoiner:
    """Puts the pages of one thread together.  Everything in them may be a lie."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.copies: dict[int, list[Copy]] = defaultdict(list)
        self.facts: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self._counts = ColumnOffsets()

    @property
    def place(self) -> ColumnOffsets:
        """How much of each list has come."""
        return self._counts

    def add(self, page: wire.ThreadColumns) -> None:
        """Take the next page."""
        texts = [to_text(data) for data in page.strings]
        if not texts or texts[0]:
            raise AnswerError("the strings of a page do not begin with the empty one")
        try:
            self._add_messages(page.messages, texts)
            self._add_copies(page.copies, texts)
            self._add_facts(page.facts, texts)
        except IndexError:
            raise AnswerError("a column names a text that is not there") from None
        messages, copies, facts = self._counts
        self._counts = ColumnOffsets(
            messages + len(page.messages.message_ids), copies + len(page.copies.places), facts + len(page.facts.places)
        )

    def thread(self, digest: bytes, coverage: Coverage | None = None) -> Thread:
        """The thread, when all pages have come; the last one has its digest and coverage."""
        if len(digest) != _DIGEST_BYTES:
            raise AnswerError("the last page of a thread has no digest")
        if not self.messages:
            raise AnswerError("a thread without a message")
        last = len(self.messages)
        if any(place >= last for place in (*self.copies, *self.facts)):
            raise AnswerError("a copy or fact is about a message that is not there")
        whole = [self._whole(place, message) for place, message in enumerate(self.messages)]
        return Thread(tuple(whole), digest.hex(), coverage)

    def muted(self) -> frozenset[tuple[bytes, bytes]]:
        """(child, parent) of the edges that the server does not hear."""
        return frozenset(
            (to_bytes(self.messages[place].id), to_bytes(text))
            for place, facts in self.facts.items()
            for kind, text in facts
            if kind == _FACTS.KIND_MUTED_PARENT
        )

    def _add_messages(self, part: wire.MessageColumns, texts: Sequence[str]) -> None:
        columns = _message_columns(part)
        _check_lengths(columns)
        for data, up, flags, count, date, author, subject in zip(*columns, strict=True):
            place = len(self.messages)
            if up > place or (up == 0) != (place == 0):
                raise AnswerError("a parent does not stand before its child, or there are several roots")
            parent = self.messages[place - up] if up else None
            ghost = bool(flags & _GHOST)
            message = Message(
                to_text(data),
                parent.id if parent else None,
                parent.depth + 1 if parent else 0,
                ghost,
                bool(flags & _CONTESTED),
                0 if ghost else count,
                texts[date] or None,
                texts[author],
                texts[subject],
                (),
                named=count if ghost else 0,
                joined=bool(flags & _JOINED),
                muted=ghost and bool(flags & _MUTED),
                guessed=bool(flags & _GUESSED),
                ahead=bool(flags & _AHEAD),
            )
            self.messages.append(message)

    def _add_copies(self, part: wire.CopyColumns, texts: Sequence[str]) -> None:
        columns = _copy_columns(part)
        _check_lengths(columns)
        for place, name, subject, author, date, origin in zip(*columns, strict=True):
            copy = Copy(texts[name], texts[subject], texts[author], texts[date] or None, texts[origin] or None)
            self.copies[place].append(copy)

    def _add_facts(self, part: wire.FactColumns, texts: Sequence[str]) -> None:
        columns = (part.places, part.kinds, part.texts)
        _check_lengths(columns)
        for place, kind, text in zip(*columns, strict=True):
            self.facts[place].append((kind, texts[text]))

    def _whole(self, place: int, message: Message) -> Message:
        """A message with its copies and facts."""
        if place in self.copies:
            message = message._replace(copies=tuple(self.copies[place]))
        rivals: list[str | None] = []
        named_on: list[str] = []
        replies: list[str] = []
        aliases: list[str] = []
        for kind, text in self.facts.get(place, ()):
            if kind == _FACTS.KIND_RIVAL:
                rivals.append(text or None)
            elif kind == _FACTS.KIND_CUT_PARENT:
                message = message._replace(cut=text)
            elif kind == _FACTS.KIND_NAMING_LIST:
                named_on.append(text)
            elif kind == _FACTS.KIND_UNREADABLE_DATE:
                message = message._replace(stated_date=text)
            elif kind == _FACTS.KIND_RIVAL_REPLY:
                replies.append(text)
            elif kind == _FACTS.KIND_ALIAS:
                aliases.append(text)
        if aliases:
            message = message._replace(aliases=tuple(aliases))
        if rivals or named_on or replies:
            message = message._replace(rivals=tuple(rivals), named_on=tuple(named_on), rival_replies=tuple(replies))
        return message


def _check_lengths(columns: Sequence[Sequence[object]]) -> None:
    if len({len(column) for column in columns}) != 1:
        raise AnswerError("the columns of a page have different lengths")
