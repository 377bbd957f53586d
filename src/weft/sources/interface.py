"""What every source gives: records of messages, notes about what went wrong, and the bytes again.

A source never raises for bad mail: it yields what it can and hands each thing that it could not read to a `Notes`.
It raises `weft.errors.SourceError` only when nothing of it can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, TypeVar

from weft.core.body import MAX_RAW_BODY, canonical_body
from weft.core.byte_search import find
from weft.core.date import MISSING, parse_date
from weft.core.header import Fields, minted, scan
from weft.core.list_name import check_list_name as check_list_name
from weft.sources.newest_year import MBOXRD_LENGTH, RECEIVED, NewestYear
from weft.sources.separators import MBOXRD

Record = tuple[
    int, int, bytes, tuple[bytes, ...], bool, tuple[bytes, ...], bytes, int, int, bytes, bytes, int, int, bytes,
    bytes, tuple[bytes, ...],
]  # fmt: skip
"""One scanned message, a plain tuple because it crosses a process boundary by the million:

0 ``offset``, 1 ``length``: where `Source.fetch` finds its bytes again (for a source of single files: a number that
the source gave it, and the file's size); 2 ``message_id``; 3 ``in_reply_to``; 4 ``sane``; 5 ``references``;
6 ``date`` as stated, if it could not be read; 7 ``seconds``, 8 ``zone`` of it (`weft.core.date`); 9 ``subject``;
10 ``author``; 11 ``body``: a number for the canonical body; 12 ``content``: a number for all that the copy says;
13 ``weak_in_reply_to``, 14 ``weak_references``: which ids are weak (`weft.core.references`); 15 ``aliases``: other
ids that the mail states for itself (`weft.core.alias`).

The two numbers are equal for equal bytes and otherwise not, within the run that made them: Python's keyed hash, whose
key no sender of mail can know.  Both are `UNREAD` where `make_outline` did not look at the body.
"""
UNREAD = -1
"""What Python's hash never is."""
_SHORT = 256
"""So many bytes of a body are hashed faster than they are read a second time."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that went wrong: where, why, and how many messages are missing because of it (0: none is).

    ``doubt``: it is about a line of an mbox that may begin a message, and was ``taken`` for it, or ``passed``.
    ``quiet``: to be said only to those who want to know every such thing.
    """

    path: str
    offset: int | None
    reason: str
    skipped: int = 0
    doubt: str = ""
    quiet: bool = False

    def __str__(self) -> str:
        place = self.path if self.offset is None else f"{self.path}: at {self.offset}"
        return f"{place}: {self.reason}"


Notes = Callable[[Note], None]


@dataclass(slots=True)
class NoteLog:
    """A `Notes` that passes what it is given on to a listener; it keeps all but the quiet ones, which it counts."""

    listener: Notes | None = None
    entries: list[Note] = field(default_factory=list)
    skipped: int = 0
    """How many messages are missing."""
    taken: int = 0
    """How many messages begin at a doubtful line."""
    passed: int = 0
    """How many doubtful lines were not taken for the beginning of a message."""

    def __call__(self, note: Note) -> None:
        """Take a note."""
        if not note.quiet:
            self.entries.append(note)
        self.skipped += note.skipped
        self.taken += note.doubt == "taken"
        self.passed += note.doubt == "passed"
        if self.listener:
            self.listener(note)

    @property
    def doubts(self) -> str:
        """What to say of doubtful lines at the end of a summary; empty if there is none."""
        if not self.taken + self.passed:
            return ""
        return f"doubtful lines 'From ...': {self.taken} taken, {self.passed} not (-v names them)"


Made = TypeVar("Made", covariant=True)
T = TypeVar("T")


class RecordMaker(Protocol[Made]):
    """What is made of each message: `make_record`, or what an index needs (`weft.sources.evidence`)."""

    def __call__(
        self,
        buffer: bytes | bytearray,
        start: int,
        header_end: int,
        body: tuple[int, int],
        place: tuple[int, int],
        /,
        *,
        mbox: bool,
        again: bool = False,
    ) -> Made:
        """See `make_record`; ``again``: the source can give the message a second time at little cost."""


class Source(Protocol):
    """One file or folder of mail that belongs to one list."""

    path: str
    """As the user would name it; for messages only (it may hold surrogate escapes)."""
    list: str
    """The name of the list that its mail belongs to."""

    @property
    def form(self) -> str:
        """What it is called, for people: a form of mail."""

    @property
    def size(self) -> int:
        """About how many bytes will be read, for progress and for the choice of a second process; 0 if unknown."""

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """Scan all messages, in file order."""

    def records(self, notes: Notes) -> Iterator[Record]:
        """The same with `make_record`."""

    def fetch(self, offset: int, length: int) -> bytes:
        """The message at a record's (offset, length): raw bytes from its first header field on; in an mbox still
        escaped.  `SourceError` if it is gone."""

    @property
    def escaped(self) -> bool:
        """Whether what `fetch` gives is mbox-escaped."""


def make_record(
    buffer: bytes | bytearray,
    start: int,
    header_end: int,
    body: tuple[int, int],
    place: tuple[int, int],
    *,
    mbox: bool,
    again: bool = False,  # noqa: ARG001
    newest: NewestYear | None = None,
) -> Record:
    """Scan one message: its header block is ``buffer[start:header_end]``, its body ``buffer[body[0]:body[1]]``.

    The byte before ``start`` must be a line feed; ``place`` is the record's (offset, length).
    """
    record = _whole(scan(buffer, start, header_end), buffer, body, place, mbox)
    if newest is not None and record[7] >= newest.limit:
        newest.look(buffer, start, header_end, record[7])
    return record


def make_outline(
    buffer: bytes | bytearray,
    start: int,
    header_end: int,
    body: tuple[int, int],
    place: tuple[int, int],
    *,
    mbox: bool,
    again: bool = False,
    newest: NewestYear | None = None,
) -> Record:
    """The same without a look at the body where `read_numbers` can have one later: few bodies are ever compared."""
    fields = scan(buffer, start, header_end)
    (
        own, in_reply_to, sane, references, date, subject, author, _, _, weak_in_reply_to, weak_references, aliases
    ) = fields  # fmt: skip
    if not own or not again or body[1] - body[0] <= _SHORT:
        record = _whole(fields, buffer, body, place, mbox)
        seconds = record[7]
    else:
        seconds, zone = parse_date(date)
        if seconds != MISSING:
            date = b""
        record = (
            *place, own, in_reply_to, sane, references, date, seconds, zone, subject, author, UNREAD, UNREAD,
            weak_in_reply_to, weak_references, aliases,
        )  # fmt: skip
    if (
        newest is not None
        and seconds >= newest.limit
        # Without a call where nothing says when it came, as in whole archives of mboxrd.
        and (find(buffer, RECEIVED, start - 1, header_end) >= 0 or not buffer.startswith(MBOXRD, start - MBOXRD_LENGTH))
    ):
        newest.look(buffer, start, header_end, seconds)
    return record


def read_numbers(source: Source, offset: int, length: int) -> tuple[int, int]:
    """The two numbers at the end of a record that `make_outline` left out; `SourceError` if the message is gone."""
    buffer, header_end, body = split_message(source.fetch(offset, length))
    record = make_record(buffer, 1, header_end, body, (offset, length), mbox=source.escaped)
    return record[11], record[12]


def _whole(
    fields: Fields, buffer: bytes | bytearray, body: tuple[int, int], place: tuple[int, int], mbox: bool
) -> Record:
    front, end = body
    if end - front > MAX_RAW_BODY:
        end = front + MAX_RAW_BODY
    canonical = canonical_body(bytes(memoryview(buffer)[front:end]), mbox=mbox)  # copied once, not twice
    number = hash(canonical)
    (
        own, in_reply_to, sane, references, date, subject, author, _, _minting, weak_in_reply_to, weak_references,
        aliases,
    ) = fields  # fmt: skip
    if not own:
        own, aliases = minted(fields, sha256(canonical).digest())
    content = hash((fields, number))
    seconds, zone = parse_date(date)
    if seconds != MISSING:
        date = b""
    return (
        *place, own, in_reply_to, sane, references, date, seconds, zone, subject, author, number, content,
        weak_in_reply_to, weak_references, aliases,
    )  # fmt: skip


def split_message(raw: bytes) -> tuple[bytes, int, tuple[int, int]]:
    """A message that is a file of its own, as `make_record` wants it: (buffer, end of the header block, body)."""
    buffer = b"\n" + raw
    header_end, body_start = header_bounds(buffer, 1, len(buffer))
    return buffer, header_end, (body_start, len(buffer))


def header_bounds(buffer: bytes | bytearray, start: int, end: int) -> tuple[int, int]:
    """(end of the header block, start of the body) of the message ``buffer[start:end]``; both ``end`` if it has none.

    The byte before ``start`` must be a line feed.  The header block ends at the first empty line (LF or CRLF).
    """
    header_end = find(buffer, b"\n\n", start - 1, end)
    last = end if header_end < 0 else header_end
    if buffer.find(b"\r", start, last) >= 0:  # seldom: to look for one byte is quicker
        dos = find(buffer, b"\n\r\n", start - 1, last)
        if dos >= 0:
            return dos + 1, dos + 3
    return (end, end) if header_end < 0 else (header_end + 1, header_end + 2)
